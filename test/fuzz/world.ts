/**
 * One server, its policy and its callers; and what each of them may, in words that share nothing with the code that
 * compiles and decides. `reader` may what the attack corpus assumes, so that its bodies are seeds here.
 */
import type { Identity } from "../../src/core/identity/identity.ts";
import { ANONYMOUS, identity, READER } from "../fixtures/identities.ts";
import { allow, compiled, deny, FROM_READER, policyDocument, serverDocument } from "../fixtures/policies.ts";
import type { Call } from "./reading.ts";

const OPERATOR = "spiffe://cluster.local/ns/agents/sa/operator";
const ADMIN = "spiffe://cluster.local/ns/agents/sa/admin";
const FROM_OPERATOR = { spiffe: OPERATOR };

/** Where HTTP with SSE (2024-11-05) has its stream and takes its messages. */
export const STREAM_PATH = "/sse";
export const MESSAGES_PATH = "/messages";
const server = serverDocument("everything", [{ path: "/mcp" }, { path: STREAM_PATH, messages: MESSAGES_PATH }]);

export const POLICIES = compiled([
  { ...server, spec: { ...server.spec, batches: "judge" } },
  policyDocument("readers", [
    allow("read", FROM_READER, { tools: ["echo", "get-sum"] }, { resources: ["demo://resource/static/*"] }),
  ]),
  policyDocument("operators", [
    allow("use", FROM_OPERATOR, {
      tools: ["echo", "get-*", "aba*aba"],
      prompts: ["simple-*"],
      resources: ["demo://resource/*"],
    }),
    allow("ask", FROM_OPERATOR, {
      methods: ["completion/complete", "logging/setLevel", "sampling/createMessage", "roots/list", "*/subscribe"],
    }),
    allow("follow", FROM_OPERATOR, { methods: ["subscriptions/listen", "tasks/get", "tasks/update", "skills/*"] }),
    deny("secret", FROM_OPERATOR, { tools: ["get-env"], resources: ["demo://resource/dynamic/secret*"] }),
  ]),
  policyDocument("admins", [
    allow("all", { spiffe: ADMIN }, { tools: ["*"], prompts: ["*"], resources: ["*"], methods: ["*"] }),
  ]),
]).policies;

export const CALLERS = {
  reader: READER,
  operator: identity(OPERATOR),
  admin: identity(ADMIN),
  stranger: identity("spiffe://cluster.local/ns/agents/sa/stranger"),
  nobody: ANONYMOUS,
} as const satisfies Record<string, Identity>;
export type CallerName = keyof typeof CALLERS;

type Named = "tool" | "prompt" | "resource" | "template" | "method";
const SECRET = "demo://resource/dynamic/secret";
const OPERATOR_METHODS = [
  "completion/complete",
  "logging/setLevel",
  "sampling/createMessage",
  "roots/list",
  "resources/subscribe",
  "subscriptions/listen",
  "tasks/get",
  "tasks/update",
  "skills/list",
  "skills/get",
];

/** Whether policy grants the name itself; of a URI also what servers make of it that parse it as one. */
export const mayUse = (caller: CallerName, kind: Named, name: string): boolean =>
  isGranted(caller, kind, name) && (kind !== "resource" || isGranted(caller, kind, URL.parse(name)?.href ?? name));

function isGranted(caller: CallerName, kind: Named, name: string): boolean {
  if (caller === "admin") return true;
  if (caller === "reader") {
    if (kind === "tool") return name === "echo" || name === "get-sum";
    return (kind === "resource" || kind === "template") && name.startsWith("demo://resource/static/");
  }
  if (caller !== "operator") return false;
  switch (kind) {
    case "tool":
      return name === "echo" || (name.startsWith("get-") && name !== "get-env") || /^aba[^]*aba$/.test(name);
    case "prompt":
      return name.startsWith("simple-");
    case "method":
      return OPERATOR_METHODS.includes(name);
    case "resource":
      return name.startsWith("demo://resource/") && !name.startsWith(SECRET);
    case "template": {
      const [head = ""] = name.split("{", 1);
      const mayBeSecret = name.startsWith(SECRET) || (head !== name && SECRET.startsWith(head));
      return head.startsWith("demo://resource/") && !mayBeSecret;
    }
    default:
      return kind satisfies never;
  }
}

/** Whether any rule gives the caller something: then it may list, initialize, notify. */
export const hasAccess = (caller: CallerName): boolean => caller !== "stranger" && caller !== "nobody";

/** Whether the caller may be asked something by the server, and answer it. */
export const mayAnswer = (caller: CallerName): boolean => caller === "operator" || caller === "admin";

/** Whether nothing of the server is hidden from the caller. */
export const seesAll = (caller: CallerName): boolean => caller === "admin";

const BASE = [
  "initialize",
  "ping",
  "server/discover",
  "tools/list",
  "prompts/list",
  "resources/list",
  "resources/templates/list",
  "notifications/initialized",
  "notifications/cancelled",
  "notifications/progress",
  "notifications/roots/list_changed",
  "pong",
];
/** Granted by the name alone; other methods with a name need both grants. */
const BY_NAME = ["tools/call", "prompts/get", "resources/read"];

/** Whether the caller may make a call, as a server reads it. */
export function mayCall(caller: CallerName, call: Call): boolean {
  const { method, target, answers, asksTask, listens, followsTasks } = call;
  const isTaskGranted = mayUse(caller, "method", "tasks/get");
  if (!hasAccess(caller) || (answers && !mayAnswer(caller))) return false;
  if (target !== null && !mayUse(caller, target.kind, target.name)) return false;
  if (!listens.every((uri) => mayUse(caller, "resource", uri)) || (followsTasks && !isTaskGranted)) return false;
  if (asksTask && !isTaskGranted) return false;
  if (method === "answer") return mayAnswer(caller);
  return BASE.includes(method) || BY_NAME.includes(method) || mayUse(caller, "method", method);
}
