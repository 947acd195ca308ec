/** What a server says it can do, less what the caller may not ask it for: `initialize` and `server/discover`. */
import { endOf, firstChild, isObject, member, textAt } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import { GRANTABLE_METHODS } from "./methods.ts";
import type { Filtering } from "./filtering.ts";
import { methodSubject } from "./subject.ts";

/** Any of these methods is enough. What stands here neither comes with base access or is not for policy to say. */
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

function keepGranted(filtering: Filtering, object: At, needs: ReadonlyMap<string, readonly string[]>): void {
  const { json, asked, splice } = filtering;
  if (!isObject(json, object) || firstChild(object) === endOf(json, object)) return;
  splice.keep(
    object,
    (key) => needs.get(textAt(json, key))?.some((method) => asked.isVisible(methodSubject(method))) ?? true,
  );
}
