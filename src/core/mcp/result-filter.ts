/**
 * A result, by its members: whatever was asked for, a list is filtered as a list, and what asks the client for something
 * needs a grant.
 */
import { foldCase } from "../fold-case.ts";
import { endOf, firstChild, isObject, isString, member, textAt, valuesOf } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import { WIDTH } from "../jsonrpc/tape.ts";
import { utf8 } from "../bytes.ts";
import { filterCapabilities } from "./capabilities.ts";
import { filterBlocks, filterContents, filterMessages } from "./content.ts";
import { ASKS, exactText, hasCaseVariant } from "./filtering.ts";
import type { Filtering } from "./filtering.ts";
import { filterList, LIST_MEMBERS } from "./list-result.ts";
import { SERVER_REQUESTS } from "./methods.ts";
import { filterError } from "./rpc-error.ts";
import { methodSubject } from "./subject.ts";

/** What one member is held against. Answers what about it cannot be delivered to this caller. */
type Member = (filtering: Filtering, at: At) => string | undefined;

const MEMBERS: ReadonlyMap<string, Member> = new Map<string, Member>([
  ...LIST_MEMBERS.map((name): [string, Member] => [name, (filtering, at) => filterList(filtering, name, at)]),
  ["content", (filtering, at) => (filterBlocks(filtering, at) ? undefined : UNREADABLE)],
  ["contents", filterContents],
  ["messages", filterMessages],
  ["capabilities", always(filterCapabilities)],
  ["inputRequests", filterInputRequests],
  ["cacheScope", always(makePrivate)],
  // What a task has come to is told inside the result of tasks/get, or of a notification.
  ["result", (filtering, at) => (isObject(filtering.json, at) ? filterResult(filtering, at) : undefined)],
  ["error", (filtering, at) => (isObject(filtering.json, at) ? filterError(filtering, at) : undefined)],
]);

function always(filter: (filtering: Filtering, at: At) => void): Member {
  return (filtering, at) => {
    filter(filtering, at);
    return undefined;
  };
}

/** Those that say what a result is, which `outcome.ts` reads. */
const READ = ["resultType", "task", "requestState", "isError"];
const FOLDED: ReadonlySet<string> = new Set([...MEMBERS.keys(), ...READ].map(foldCase));
/** Whether a reader who ignores case would take this key for one of those that are filtered. */
export const foldsToMember = (key: string): boolean => FOLDED.has(foldCase(key));

export function filterResult(filtering: Filtering, result: At): string | undefined {
  const { json } = filtering;
  const end = endOf(json, result);
  for (let key = firstChild(result); key < end; key = endOf(json, key + WIDTH)) {
    const name = textAt(json, key);
    const filter = MEMBERS.get(name);
    const fault = filter === undefined ? misread(name) : filter(filtering, key + WIDTH);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const UNREADABLE = "holds only a resource that no rule lets the caller read";

/** Each of `inputRequests` (MCP 2026-07-28, "Multi Round-Trip Requests"), in a result or in what a task has come to. */
function filterInputRequests(filtering: Filtering, requests: At): string | undefined {
  const { json, asked } = filtering;
  if (!isObject(json, requests)) return ASKS;
  for (const request of valuesOf(json, requests)) {
    const method = isObject(json, request) ? exactText(json, request, "method") : undefined;
    const isGranted = SERVER_REQUESTS.some((known) => known === method) && asked.isVisible(methodSubject(method ?? ""));
    if (method === undefined || !isGranted || hasCaseVariant(json, request, "params")) return ASKS;
    const fault = filterServerRequest(filtering, method, member(json, request, "params"));
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** What a server shows a model in asking it something: no resources that its user could not read. */
export function filterServerRequest(filtering: Filtering, method: string, params: At): string | undefined {
  const { json } = filtering;
  if (method !== "sampling/createMessage" || !isObject(json, params)) return undefined;
  const end = endOf(json, params);
  for (let key = firstChild(params); key < end; key = endOf(json, key + WIDTH)) {
    const name = textAt(json, key);
    const fault =
      name === "messages"
        ? filterMessages(filtering, key + WIDTH)
        : foldCase(name) === "messages"
          ? misread(name)
          : undefined;
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** What a reader who ignores case would take for a member that is filtered here. */
const misread = (name: string): string | undefined =>
  foldsToMember(name) && !READ.includes(name) ? `has "${name}", which some read as another member` : undefined;

/** What one caller may see is not for a cache that serves others (SEP-2549). */
function makePrivate({ json, splice }: Filtering, scope: At): void {
  if (isString(json, scope) && textAt(json, scope) !== "private") splice.replace(scope, PRIVATE);
}

const PRIVATE = utf8('"private"');
