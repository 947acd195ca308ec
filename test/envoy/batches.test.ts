/**
 * Batches (2025-03-26), for a server that opts in, in front of a server that executes them. Each message is judged alone: a
 * denied one neither stops the others nor is seen by the server.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { answerTo, sendJson } from "./canary.ts";
import type { Canary, Message } from "./canary.ts";
import { canaryOfTests } from "./canary-of-tests.ts";
import { startEverything } from "./everything.ts";
import { ask } from "./http.ts";
import type { Reply } from "./http.ts";
import { policyFor } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const SERVER = `
apiVersion: toolgate.dev/v1alpha1
kind: MCPServer
metadata: { name: canary, namespace: tools }
spec: { match: [{ path: /mcp }], batches: judge }
`;
const POLICIES = [SERVER, policyFor("reader", '[{ tools: ["allowed*", echo] }]')].join("---");

const call = (id: number, name: string, args: object = {}): object => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args },
});
const INITIALIZED = { jsonrpc: "2.0", method: "notifications/initialized" };
const CANCELLED = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 9 } };

type Answer = { readonly id: number; readonly result?: { readonly isError?: boolean }; readonly error?: object };

const canary = canaryOfTests();
let stack: Stack;
let token: string;

const send = (batch: readonly object[], revision?: string): Promise<Reply> =>
  ask(stack.gateway.url, {
    token,
    headers: revision === undefined ? {} : { "mcp-protocol-version": revision },
    body: JSON.stringify(batch),
  });
/** What the canary was asked to do: batches arrive as arrays. */
const executed = (): readonly Message[] => canary.executed.flat();
/** Answers each message of a batch, as one array or as one event each. */
const inArray: Canary["answer"] = (batch, response) =>
  sendJson(response, `[${requestsOf(batch).map(answerTo).join(",")}]`);
const inEvents: Canary["answer"] = (batch, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end(
    requestsOf(batch)
      .map((one) => `data: ${answerTo(one)}\n\n`)
      .join(""),
  );
};
const requestsOf = (batch: Message): readonly Message[] =>
  (batch as unknown as readonly Message[]).filter(({ id }) => id !== undefined);
const eventsOf = (text: string): Answer[] =>
  [...text.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => JSON.parse(data) as Answer);

describeWithEnvoy("batches through Envoy and Toolgate", () => {
  beforeAll(async () => {
    stack = await startStack({ policies: POLICIES, upstreamPort: canary.port });
    token = await stack.token("reader");
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  test("each message is judged alone, and the answers of both sides come as one", async () => {
    canary.answer = inArray;
    const { status, text } = await send([call(1, "allowed-one"), call(2, "hidden-one"), call(3, "allowed-two")]);
    expect(status).toBe(200);
    expect(executed().map(({ id }) => id)).toEqual([1, 3]);
    const answers = JSON.parse(text) as Answer[];
    expect(answers.map(({ id, result }) => [id, result?.isError === true])).toEqual([
      [1, false],
      [3, false],
      [2, true],
    ]);
    for (const [tool, decision] of [
      ["allowed-one", "allow"],
      ["hidden-one", "deny"],
      ["allowed-two", "allow"],
    ]) {
      expect(await stack.toolgate.decision({ tool })).toMatchObject({ decision });
    }
  });

  test("the same in events, where a denial goes first", async () => {
    canary.answer = inEvents;
    const { text } = await send([call(1, "allowed-one"), call(2, "hidden-one")], "2025-03-26");
    expect(eventsOf(text).map(({ id, result }) => [id, result?.isError === true])).toEqual([
      [2, true],
      [1, false],
    ]);
  });

  test("denials are told also when the server has nothing to answer", async () => {
    canary.answer = (_message, response) => void response.writeHead(202).end();
    const { status, text } = await send([INITIALIZED, call(2, "hidden-one")]);
    expect(executed()).toEqual([INITIALIZED]);
    expect([status, JSON.parse(text)]).toMatchObject([200, [{ id: 2, result: { isError: true } }]]);
  });

  test("a batch of which nothing may go on does not reach the server", async () => {
    const { status, text } = await send([call(1, "hidden-one"), call(2, "hidden-two")]);
    expect([status, JSON.parse(text)]).toMatchObject([200, [{ id: 1 }, { id: 2 }]]);
    expect(canary.touched).toBe(0);
  });

  test.each(["2025-06-18", "2025-11-25", "2024-11-05"])("there are none in %s", async (revision) => {
    expect((await send([call(1, "allowed-one")], revision)).status).toBe(400);
    expect(canary.touched).toBe(0);
  });

  test("notifications alone are accepted like one", async () => {
    canary.answer = (_message, response) => void response.writeHead(202).end();
    expect((await send([INITIALIZED, CANCELLED])).status).toBe(202);
    expect(executed()).toHaveLength(2);
  });
});

describeWithEnvoy("a batch to a server of the official SDK", () => {
  test("has the answers that its messages would have alone", async () => {
    await using everything = await startEverything();
    await using server = await startStack({ policies: POLICIES, upstreamPort: everything.port });
    const reader = await server.token("reader");
    const initialize = {
      jsonrpc: "2.0",
      id: 0,
      method: "initialize",
      params: { protocolVersion: "2025-03-26", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
    };
    const begun = await ask(server.gateway.url, { token: reader, body: JSON.stringify(initialize) });
    const headers = { "mcp-session-id": String(begun.headers["mcp-session-id"]) };
    const batch = [
      call(1, "echo", { message: "one" }),
      call(2, "get-env"),
      { jsonrpc: "2.0", id: 3, method: "tools/list" },
    ];
    const { text } = await ask(server.gateway.url, { token: reader, headers, body: JSON.stringify(batch) });
    const byId = new Map(eventsOf(text).map((answer) => [answer.id, JSON.stringify(answer)]));
    expect(byId.get(1)).toContain("Echo: one");
    expect(byId.get(2)).toContain("Blocked by policy");
    expect(byId.get(3)).toContain('"name":"echo"');
    expect(byId.get(3)).not.toContain("get-env");
  });
});
