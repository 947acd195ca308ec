/**
 * What becomes of one message from a server: delivered as it came, delivered without what the caller may not see, or not
 * delivered. Judged by its shape as well as by what was asked, since an answer can arrive where nobody expects it (R20).
 */
import { concat, utf8 } from "../bytes.ts";
import type { Outcome } from "../exchange/record.ts";
import {
  ABSENT,
  elementsOf,
  endOf,
  firstChild,
  isObject,
  isString,
  keyIs,
  kindAt,
  member,
  memberText,
  sliceAt,
  span,
  textAt,
} from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import { NO_ID, readMessage } from "../jsonrpc/message.ts";
import type { Id } from "../jsonrpc/message.ts";
import { ANSWER_LIMITS, scan } from "../jsonrpc/scan.ts";
import type { Json } from "../jsonrpc/scan.ts";
import { ARRAY, NUMBER, TRUE, WIDTH } from "../jsonrpc/tape.ts";
import { assertNever } from "../result.ts";
import type { ListMember } from "./methods.ts";
import { SERVER_REQUESTS } from "./methods.ts";
import { ANSWERS, methodSubject, nameSubject, resourceSubject, templateSubject } from "./subject.ts";
import type { Subject } from "./subject.ts";

/** What was asked for, and what the caller may see of an answer. */
export type Asked = {
  /** The id that the answer must have; undefined on a stream that nobody's request opened. */
  readonly id: Id | undefined;
  readonly isVisible: (subject: Subject) => boolean;
};

export type Listed = { readonly kind: "tool" | "prompt"; readonly names: readonly string[] };

export type Delivery = {
  /** Undefined: not delivered. The same object as went in: nothing was changed. */
  readonly bytes: Uint8Array | undefined;
  /** Set when this was the answer, or when no answer can follow any more. */
  readonly outcome: Outcome | undefined;
  readonly hiddenItems: number;
  readonly listed: Listed | undefined;
  /** Why it was not delivered. */
  readonly fault: string | undefined;
};

const pass = (bytes: Uint8Array, outcome: Outcome | undefined): Delivery => ({
  bytes,
  outcome,
  hiddenItems: 0,
  listed: undefined,
  fault: undefined,
});
const withhold = (fault: string, outcome: Outcome | undefined): Delivery => ({
  bytes: undefined,
  outcome,
  hiddenItems: 0,
  listed: undefined,
  fault,
});
const BROKEN: Outcome = { kind: "transport_error" };

export function deliver(bytes: Uint8Array, asked: Asked): Delivery {
  const json = scan(bytes, ANSWER_LIMITS);
  if (json.kind === "fault") return withhold(`is not acceptable JSON: ${json.message}`, BROKEN);
  const message = readMessage(json);
  switch (message.kind) {
    case "invalid":
      return withhold(`is not a JSON-RPC message: ${message.message}`, BROKEN);
    case "notification":
      return pass(bytes, undefined);
    case "request":
      return mayAsk(message.method, asked)
        ? pass(bytes, undefined)
        : withhold(`asks the client for ${message.method.slice(0, 64)}, which no rule allows`, undefined);
    case "answer":
      if (asked.id !== undefined && message.id !== asked.id && !(message.id === NO_ID && message.error !== ABSENT)) {
        return withhold("answers another request", undefined);
      }
      return message.error === ABSENT
        ? deliverResult(json, message.result, asked)
        : pass(bytes, rpcError(json, message.error));
    default:
      return assertNever(message);
  }
}

const mayAsk = (method: string, asked: Asked): boolean =>
  method === "ping" ||
  ((SERVER_REQUESTS as readonly string[]).includes(method) && asked.isVisible(methodSubject(method)));

function rpcError(json: Json, error: At): Outcome {
  const code = member(json, error, "code");
  const value =
    code !== ABSENT && kindAt(json, code) === NUMBER ? Number(String.fromCharCode(...sliceAt(json, code))) : 0;
  return { kind: "rpc_error", code: Number.isSafeInteger(value) ? value : 0 };
}

function deliverResult(json: Json, result: At, asked: Asked): Delivery {
  const outcome = resultOutcome(json, result);
  if (outcome === undefined) return withhold("has a result of a type that is not known", BROKEN);
  if ((outcome.kind === "input_required" || outcome.kind === "task") && !asked.isVisible(ANSWERS)) {
    return withhold(
      outcome.kind === "task" ? "is a task, which no rule allows" : "asks the client for input, which no rule allows",
      BROKEN,
    );
  }
  const edits: Edit[] = [];
  let listed: Listed | undefined;
  let hiddenItems = 0;
  const end = endOf(json, result);
  for (let key = firstChild(result); key < end; key = endOf(json, key + WIDTH)) {
    const list = LISTS.find((one) => keyIs(json, key, one.member));
    if (list === undefined) {
      if (foldsToList(textAt(json, key))) return withhold("has a list under a name in another case", BROKEN);
      continue;
    }
    if (kindAt(json, key + WIDTH) !== ARRAY) return withhold(`has "${list.member}" that is not a list`, BROKEN);
    const kept = keepVisible(json, key + WIDTH, list, asked);
    hiddenItems += kept.hiddenItems;
    if (kept.edit !== undefined) edits.push(kept.edit);
    if (list.label !== undefined) listed = { kind: list.label, names: kept.names };
    // What one caller may see is not for a cache that serves others (R23).
    const scope = member(json, result, "cacheScope");
    if (isString(json, scope) && textAt(json, scope) !== "private")
      edits.push({ span: span(json, scope), bytes: PRIVATE });
  }
  return { bytes: applyEdits(json.bytes, edits), outcome, hiddenItems, listed, fault: undefined };
}

const PRIVATE = utf8('"private"');

function resultOutcome(json: Json, result: At): Outcome | undefined {
  const isError = member(json, result, "isError");
  if (isError !== ABSENT && kindAt(json, isError) === TRUE) return { kind: "tool_error" };
  const type = member(json, result, "resultType");
  if (type !== ABSENT) {
    switch (isString(json, type) ? textAt(json, type) : "") {
      case "complete":
        return { kind: "ok" };
      case "input_required":
        return { kind: "input_required" };
      case "task":
        return { kind: "task" };
      default:
        return undefined;
    }
  }
  const task = member(json, result, "task");
  return { kind: isObject(json, task) && memberText(json, task, "taskId") !== undefined ? "task" : "ok" };
}

type List = {
  readonly member: ListMember;
  readonly key: string;
  readonly subject: (name: string) => ReturnType<typeof nameSubject>;
  readonly label: "tool" | "prompt" | undefined;
};

const LISTS: readonly List[] = [
  { member: "tools", key: "name", subject: (name) => nameSubject("tool", name), label: "tool" },
  { member: "prompts", key: "name", subject: (name) => nameSubject("prompt", name), label: "prompt" },
  { member: "resources", key: "uri", subject: resourceSubject, label: undefined },
  { member: "resourceTemplates", key: "uriTemplate", subject: templateSubject, label: undefined },
];

const FOLDED = new Set(LISTS.map((list) => list.member.toUpperCase()));
const foldsToList = (key: string): boolean => FOLDED.has(key.toUpperCase());

type Kept = { readonly edit: Edit | undefined; readonly hiddenItems: number; readonly names: readonly string[] };

/** An entry without a name, or with one that no call could use, is not shown. Order, cursors and unknown fields stay. */
function keepVisible(json: Json, array: At, list: List, asked: Asked): Kept {
  const names: string[] = [];
  const kept: Uint8Array[] = [];
  const elements = elementsOf(json, array);
  for (const element of elements) {
    const name = isObject(json, element) ? memberText(json, element, list.key) : undefined;
    const subject = name === undefined ? undefined : list.subject(name);
    if (subject?.ok !== true) continue;
    if (list.label !== undefined) names.push(subject.value.name);
    if (!asked.isVisible(subject.value)) continue;
    if (kept.length > 0) kept.push(COMMA);
    kept.push(sliceAt(json, element));
  }
  const visible = Math.ceil(kept.length / 2);
  if (visible === elements.length) return { edit: undefined, hiddenItems: 0, names };
  const bytes = concat([OPEN, ...kept, CLOSE]);
  return { edit: { span: span(json, array), bytes }, hiddenItems: elements.length - visible, names };
}

const [OPEN, CLOSE, COMMA] = [utf8("["), utf8("]"), utf8(",")];

type Edit = { readonly span: readonly [start: number, end: number]; readonly bytes: Uint8Array };

function applyEdits(bytes: Uint8Array, edits: Edit[]): Uint8Array {
  if (edits.length === 0) return bytes;
  const slices: Uint8Array[] = [];
  let at = 0;
  for (const edit of edits.toSorted((one, other) => one.span[0] - other.span[0])) {
    if (edit.span[0] < at) continue; // the same edit again
    slices.push(bytes.subarray(at, edit.span[0]), edit.bytes);
    at = edit.span[1];
  }
  slices.push(bytes.subarray(at));
  return concat(slices);
}
