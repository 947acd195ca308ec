/** The filter of `subscriptions/listen`, as asked for and as acknowledged (MCP 2026-07-28, "Subscriptions"). */
import { canonicalOf } from "../jsonrpc/splice.ts";
import {
  ABSENT,
  elementsOf,
  isObject,
  isString,
  keysOf,
  kindAt,
  member,
  ROOT,
  textAt,
  valuesOf,
} from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import type { Json } from "../jsonrpc/scan.ts";
import { ARRAY, TRUE } from "../jsonrpc/tape.ts";
import type { Asked } from "./asked.ts";
import { Filtering, hasCaseVariant } from "./filtering.ts";
import { methodSubject, resourceSubject } from "./subject.ts";

const LISTS = ["resourceSubscriptions", "taskIds"];
const MEMBERS = ["toolsListChanged", "promptsListChanged", "resourcesListChanged", ...LISTS];
/** Each costs a decision. */
const MAX_ENTRIES = 1_000;

/** What is wrong with the form of a filter; what is in it is not judged here. */
export function filterFault(json: Json, filter: At): string | undefined {
  if (!isObject(json, filter)) return '"notifications" must be an object';
  for (const key of keysOf(json, filter)) {
    if (!MEMBERS.includes(key)) return `there is no subscription ${JSON.stringify(key.slice(0, 64))}`;
    if (!LISTS.includes(key)) continue;
    const value = member(json, filter, key);
    if (kindAt(json, value) !== ARRAY || !elementsOf(json, value).every((one) => isString(json, one)))
      return `"${key}" must be a list of strings`;
    if (elementsOf(json, value).length > MAX_ENTRIES) return `"${key}" has more than ${MAX_ENTRIES} entries`;
  }
  return undefined;
}

/** Takes out what the caller may not see; how much that is. */
export function hideSubscriptions(filtering: Filtering, filter: At): number {
  const { json, asked } = filtering;
  if (!isObject(json, filter)) return 0;
  const hide = (name: string, isSeen: (text: string) => boolean): number => {
    const list = member(json, filter, name);
    if (hasCaseVariant(json, filter, name)) filtering.splice.keep(filter, (key) => MEMBERS.includes(textAt(json, key)));
    if (list === ABSENT || kindAt(json, list) !== ARRAY) return 0;
    return filtering.hide(list, (one) => isString(json, one) && isSeen(textAt(json, one)));
  };
  const resources = hide("resourceSubscriptions", (uri) => {
    const subject = resourceSubject(uri, asked.limits);
    return subject.ok && asked.isVisible(subject.value);
  });
  return resources + hide("taskIds", () => asked.isVisible(methodSubject("tasks/get")));
}

/** The request as it may go on, or "nothing" when nothing of what it asks for may be seen. */
export function trimListen(json: Json, asked: Asked): Uint8Array | "nothing" {
  const filter = member(json, member(json, ROOT, "params"), "notifications");
  const filtering = new Filtering(json, asked);
  const hidden = hideSubscriptions(filtering, filter);
  const count = (value: At): number =>
    kindAt(json, value) === ARRAY ? elementsOf(json, value).length : Number(kindAt(json, value) === TRUE);
  const asks = valuesOf(json, filter).reduce((sum, value) => sum + count(value), 0);
  return hidden > 0 && hidden === asks ? "nothing" : canonicalOf(filtering.splice, json, asked.limits.request);
}
