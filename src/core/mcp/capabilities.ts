/**
 * What the two sides say they can do, less what policy does not let them: a server in its answer to `initialize` and
 * `server/discover`, a client in `initialize`. A server that is not told of sampling does not wait for it.
 */
import { isObject, member, ROOT, textAt } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import { canonicalOf } from "../jsonrpc/splice.ts";
import type { Json } from "../jsonrpc/scan.ts";
import type { Asked } from "./asked.ts";
import { CLIENT_TASK_REQUESTS, GRANTABLE_METHODS } from "./methods.ts";
import { Filtering } from "./filtering.ts";
import { methodSubject } from "./subject.ts";

/** Any of these methods is enough. What is not here comes with base access, or is not for policy to say. */
const NEEDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["logging", ["logging/setLevel"]],
  ["completions", ["completion/complete"]],
  ["tasks", GRANTABLE_METHODS.filter((method) => method.startsWith("tasks/"))],
]);
const RESOURCES_NEED: ReadonlyMap<string, readonly string[]> = new Map([
  ["subscribe", ["resources/subscribe", "subscriptions/listen"]],
]);
const EXTENSIONS_NEED: ReadonlyMap<string, readonly string[]> = new Map([
  ["io.modelcontextprotocol/tasks", ["tasks/get"]],
  ["io.modelcontextprotocol/skills", ["skills/list", "skills/get"]],
]);

export function filterCapabilities(filtering: Filtering, capabilities: At): void {
  const { json } = filtering;
  if (!isObject(json, capabilities)) return;
  keepGranted(filtering, capabilities, NEEDS);
  keepGranted(filtering, member(json, capabilities, "resources"), RESOURCES_NEED);
  keepGranted(filtering, member(json, capabilities, "extensions"), EXTENSIONS_NEED);
}

/** Each needs the request of that name, or one of those. */
const CLIENT_NEEDS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ["sampling", ["sampling/createMessage"]],
  ["elicitation", ["elicitation/create"]],
  ["roots", ["roots/list"]],
  ["tasks", CLIENT_TASK_REQUESTS],
]);

/** The `initialize` as it may go on. Later revisions say it in each request, where what is not granted fails at once. */
export function trimInitialize(json: Json, asked: Asked): Uint8Array {
  const filtering = new Filtering(json, asked);
  const params = member(json, ROOT, "params");
  if (isObject(json, params)) keepGranted(filtering, member(json, params, "capabilities"), CLIENT_NEEDS);
  return canonicalOf(filtering.splice, json, asked.limits.request);
}

function keepGranted(filtering: Filtering, object: At, needs: ReadonlyMap<string, readonly string[]>): void {
  const { json, asked, splice } = filtering;
  if (!isObject(json, object)) return;
  splice.keep(
    object,
    (key) => needs.get(textAt(json, key))?.some((method) => asked.isVisible(methodSubject(method))) ?? true,
  );
}
