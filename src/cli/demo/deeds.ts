/**
 * What the agents of `--load` do, chosen for `examples/policies` and server-everything: every way in which a call can
 * end, in about the share that it has on a good day.
 */
import type { LoadAgent, Manner } from "./load-agent.ts";

export type Deed = {
  /** How often it is done in one round. */
  readonly times: number;
  readonly run: (agent: LoadAgent) => Promise<void>;
};

export type LoadAgentName = "reader" | "admin" | "analyst" | "scout" | "stranger";

export type Role = {
  readonly name: LoadAgentName;
  /** Whose token it has; undefined: none. */
  readonly token: "reader" | "admin" | "analyst" | undefined;
  readonly hasSession: boolean;
  readonly meanGapMs: number;
  readonly deeds: readonly Deed[];
};

type Arguments = Readonly<Record<string, unknown>>;

const ask = (times: number, method: string, params: object = {}, manner: Manner = {}): Deed => ({
  times,
  run: async (agent) => agent.request(method, params, manner),
});
const tool = (times: number, name: string, args: Arguments = {}, manner: Manner = {}): Deed =>
  ask(times, "tools/call", { name, arguments: args }, manner);
const prompt = (times: number, name: string, args: Arguments = {}): Deed =>
  ask(times, "prompts/get", { name, arguments: args });
const resource = (times: number, uri: string): Deed => ask(times, "resources/read", { uri });
const renewal: Deed = {
  times: 1,
  run: async (agent) => {
    await agent.close();
    await agent.open();
  },
};

const lists = [ask(2, "tools/list"), ask(1, "prompts/list"), ask(1, "resources/list"), renewal];
const long = (times: number, seconds: number, manner: Manner = {}): Deed =>
  tool(times, "trigger-long-running-operation", { duration: seconds, steps: 2 }, manner);

export const ROLES: readonly Role[] = [
  {
    name: "reader",
    token: "reader",
    hasSession: true,
    meanGapMs: 700,
    deeds: [
      ...lists,
      tool(14, "echo", { message: "hello" }),
      tool(8, "get-sum", { a: 2, b: 40 }),
      tool(1, "get-sum", { a: "two" }), // An `isError` result, in an event stream with HTTP 200.
      tool(2, "get-tiny-image"), // Denied: no rule.
      tool(1, "drop-table"), // Denied: nobody has heard of it.
      resource(4, "demo://resource/static/document/features.md"),
      resource(1, "demo://resource/static/document/missing.md"), // A JSON-RPC error.
      resource(1, "demo://resource/dynamic/text/1"), // Denied.
      prompt(2, "simple-prompt"),
      prompt(1, "args-prompt"), // Denied.
    ],
  },
  {
    name: "admin",
    token: "admin",
    hasSession: true,
    meanGapMs: 1_100,
    deeds: [
      ...lists,
      tool(4, "get-structured-content", { location: "Chicago" }),
      tool(3, "get-tiny-image"),
      tool(2, "get-annotated-message", { messageType: "success" }),
      tool(2, "get-env"), // Denied: a Deny rule.
      long(2, 0.6), // On trial.
      prompt(2, "args-prompt", { city: "Bern" }),
      prompt(1, "args-prompt"), // A JSON-RPC error: it wants a city.
      resource(2, "demo://resource/dynamic/text/1"),
      ask(1, "ping"),
    ],
  },
  {
    name: "analyst",
    token: "analyst",
    hasSession: true,
    meanGapMs: 900,
    deeds: [
      ...lists,
      tool(6, "get-structured-content", { location: "New York" }),
      tool(4, "get-resource-reference", { resourceType: "Text", resourceId: 7 }),
      tool(2, "get-resource-reference", { resourceType: "Text", resourceId: -1 }), // An `isError` result.
      tool(2, "get-resource-links", { count: 3 }), // On trial.
      long(3, 1.5),
      long(1, 3),
      long(1, 5, { leaveAfterMs: 800 }), // Cancelled.
      tool(1, "get-env"), // Denied: a Deny rule.
      tool(1, "get-tiny-image"), // Denied: no rule.
      prompt(2, "completable-prompt", { department: "Sales", name: "Eve" }),
      resource(2, "demo://resource/static/document/features.md"),
    ],
  },
  {
    // It speaks 2026-07-28, and asks from time to time whether the server does by now.
    name: "scout",
    token: "analyst",
    hasSession: false,
    meanGapMs: 6_000,
    deeds: [
      ask(2, "server/discover", {}, { modern: true }),
      tool(1, "get-env", {}, { modern: true }), // Denied, as of its era.
    ],
  },
  {
    name: "stranger",
    token: undefined,
    hasSession: false,
    meanGapMs: 7_000,
    deeds: [ask(1, "tools/list"), tool(1, "get-env")],
  },
];
