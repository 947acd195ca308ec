/**
 * What becomes of one message from a server: delivered as it came, delivered without what the caller may not see, or not
 * delivered. Judged by its shape as well as by what was asked, since an answer can arrive where nobody expects it (R20).
 */
import { foldCase } from "../fold-case.ts";
import { ABSENT, isObject, keysOf, member, memberText, ROOT, valuesOf } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import { NO_ID, readMessage } from "../jsonrpc/message.ts";
import type { Id } from "../jsonrpc/message.ts";
import { ANSWER_LIMITS, scan } from "../jsonrpc/scan.ts";
import type { Json } from "../jsonrpc/scan.ts";
import { assertNever } from "../result.ts";
import { filterLists, foldsToList } from "./list-result.ts";
import type { Listed } from "./list-result.ts";
import { SERVER_REQUESTS } from "./methods.ts";
import { errorOutcome, resultOutcome } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { ANSWERS, methodSubject } from "./subject.ts";
import type { Subject } from "./subject.ts";

/** What was asked for, and what the caller may see of an answer. */
export type Asked = {
  /** The id that the answer must have; undefined on a stream that nobody's request opened. */
  readonly id: Id | undefined;
  readonly isVisible: (subject: Subject) => boolean;
};

export type Delivery = {
  /** Undefined: not delivered. The same object as went in: nothing was changed. */
  readonly bytes: Uint8Array | undefined;
  /** Set when this was the answer, delivered or not. */
  readonly outcome: Outcome | undefined;
  readonly hiddenItems: number;
  readonly listed: Listed | undefined;
  /** Why it was not delivered. */
  readonly fault: string | undefined;
  /** It could not be read, so it may have been the answer. */
  readonly isUnreadable: boolean;
};

const pass = (bytes: Uint8Array, outcome: Outcome | undefined): Delivery => ({
  bytes,
  outcome,
  hiddenItems: 0,
  listed: undefined,
  fault: undefined,
  isUnreadable: false,
});
/** Not delivered, and known not to be the answer unless it has an outcome. */
export const withhold = (fault: string, outcome: Outcome | undefined): Delivery => ({
  bytes: undefined,
  outcome,
  hiddenItems: 0,
  listed: undefined,
  fault,
  isUnreadable: false,
});
/** Not delivered, and nobody knows what it was. */
export const unreadable = (fault: string): Delivery => ({ ...withhold(fault, undefined), isUnreadable: true });
const BROKEN: Outcome = { kind: "transport_error" };

/** `isHttpError`: what came with an HTTP error may also be somebody else's JSON, as of an authorization server. */
export function deliver(bytes: Uint8Array, asked: Asked, isHttpError = false): Delivery {
  const json = scan(bytes, ANSWER_LIMITS);
  if (json.kind === "fault") return unreadable(`is not acceptable JSON: ${json.message}`);
  const message = readMessage(json);
  switch (message.kind) {
    case "invalid":
      return isHttpError && isForeign(json)
        ? pass(bytes, BROKEN)
        : unreadable(`is not a JSON-RPC message: ${message.message}`);
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
        : pass(bytes, errorOutcome(json, message.error));
    default:
      return assertNever(message);
  }
}

const mayAsk = (method: string, asked: Asked): boolean =>
  method === "ping" ||
  ((SERVER_REQUESTS as readonly string[]).includes(method) && asked.isVisible(methodSubject(method)));

/** An object that no client could take for a message, or for a list. */
function isForeign(json: Json): boolean {
  if (!isObject(json, ROOT)) return false;
  return !keysOf(json, ROOT).some((key) => MESSAGE_KEYS.has(foldCase(key)) || foldsToList(key));
}

const MESSAGE_KEYS: ReadonlySet<string> = new Set(["jsonrpc", "method", "result"]);

/** Each of `inputRequests`, and the answers to them (MCP 2026-07-28, "Multi Round-Trip Requests"). */
function mayAskAll(json: Json, result: At, asked: Asked): boolean {
  const requests = member(json, result, "inputRequests");
  if (requests === ABSENT) return asked.isVisible(ANSWERS);
  if (!isObject(json, requests)) return false;
  return valuesOf(json, requests).every((request) => {
    const method = isObject(json, request) ? memberText(json, request, "method") : undefined;
    return method !== undefined && mayAsk(method, asked);
  });
}

function deliverResult(json: Json, result: At, asked: Asked): Delivery {
  const outcome = resultOutcome(json, result);
  if (outcome === undefined) return withhold("has a result of a type that is not known", BROKEN);
  if (outcome.kind === "task") return withhold("is a task, which this version does not follow", BROKEN);
  if (outcome.kind === "input_required" && !mayAskAll(json, result, asked)) {
    return withhold("asks the client for input that no rule allows", BROKEN);
  }
  const lists = filterLists(json, result, asked.isVisible);
  if (!lists.ok) return withhold(lists.error, BROKEN);
  return { ...lists.value, outcome, fault: undefined, isUnreadable: false };
}
