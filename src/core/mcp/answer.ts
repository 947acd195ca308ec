/**
 * What becomes of one message from a server: delivered as it came, delivered without what the caller may not see, or not
 * delivered. Judged by its shape as well as by what was asked, since an answer can arrive where nobody expects it.
 */
import { foldCase } from "../fold-case.ts";
import { ABSENT, endOf, firstChild, isObject, keysOf, member, ROOT } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import { NO_ID, readMessage } from "../jsonrpc/message.ts";
import type { Id, Message } from "../jsonrpc/message.ts";
import { scanMended } from "../jsonrpc/mend.ts";
import type { Json } from "../jsonrpc/scan.ts";
import { assertNever } from "../result.ts";
import type { Asked, Pending } from "./asked.ts";
import { ASKS, Filtering } from "./filtering.ts";
import type { Listed } from "./filtering.ts";
import { CLIENT_TASK_REQUESTS, findMethod, SERVER_REQUESTS } from "./methods.ts";
import { BROKEN, resultOutcome } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { filterResult, filterServerRequest, foldsToMember } from "./result-filter.ts";
import { codeOf, filterError } from "./rpc-error.ts";
import { ACKNOWLEDGED, filterNotification } from "./server-notification.ts";
import { ANSWERS, methodSubject } from "./subject.ts";

/** Why a message was not delivered: a stable word, and what completes "it ...". */
export type Fault = { readonly reason: FaultReason; readonly message: string };
export type FaultReason =
  /** It could not be read, so nobody knows what it was. */
  | "unreadable"
  | "too-large"
  /** It could be read, and asks for or tells what no rule allows this caller. */
  | "not-granted"
  /** No message of MCP, or none that belongs here. */
  | "unexpected";

export type Delivery = {
  /** Undefined: not delivered. The same object as went in: nothing was changed. */
  readonly bytes: Uint8Array | undefined;
  /** Set when this was the answer to a request, delivered or not. */
  readonly outcome: Outcome | undefined;
  /** The request that it answers, where it says so. */
  readonly answers: Id | undefined;
  readonly hiddenItems: number;
  readonly listed: readonly Listed[];
  /** Tools that were taken out because they are not what policy has pinned. */
  readonly changedTools: readonly string[];
  /** Says that a subscription has begun: what follows are notifications, for as long as both like. */
  readonly isAcknowledgement: boolean;
  /** Why it was not delivered. */
  readonly fault: Fault | undefined;
};

/** Not delivered, and known not to be the answer unless it has an outcome. */
export const withhold = (reason: FaultReason, message: string, outcome?: Outcome): Delivery => ({
  bytes: undefined,
  outcome,
  answers: undefined,
  hiddenItems: 0,
  listed: [],
  changedTools: [],
  isAcknowledgement: false,
  fault: { reason, message },
});

/**
 * The request that a delivery is the answer to. An error without an id can only be about the one request there is;
 * undefined for what is no answer, and on a stream that nobody's request opened.
 */
export function answeredBy(asked: Asked, delivery: Delivery): Id | undefined {
  if (delivery.outcome === undefined || asked.pending === undefined) return undefined;
  return delivery.answers ?? (asked.pending.length === 1 ? asked.pending[0]?.id : undefined);
}

/** What HTTP has said of a message before it came. */
export type Framing = {
  /** It may also be somebody else's JSON, as of an authorization server. */
  readonly mayBeForeign: boolean;
  /** It comes with an error of HTTP, and is about this request whatever its id. */
  readonly isHttpError: boolean;
};
export const PLAIN: Framing = { mayBeForeign: false, isHttpError: false };

export function deliver(bytes: Uint8Array, asked: Asked, { mayBeForeign, isHttpError } = PLAIN): Delivery {
  const json = scanMended(bytes, asked.limits.answer);
  if (json.kind === "fault") return withhold("unreadable", `is not acceptable JSON: ${json.message}`);
  const message = readMessage(json);
  switch (message.kind) {
    case "invalid":
      return mayBeForeign && isForeign(json)
        ? deliverForeign(json, asked)
        : withhold("unreadable", `is not a JSON-RPC message: ${message.message}`);
    case "notification":
      return {
        ...filtered(new Filtering(json, asked), undefined, undefined, (filtering) =>
          filterNotification(filtering, message.method, message.params),
        ),
        isAcknowledgement: message.method === ACKNOWLEDGED,
      };
    case "request":
      return mayAsk(message.method, asked)
        ? filtered(new Filtering(json, asked), undefined, undefined, (filtering) =>
            filterServerRequest(filtering, message.method, message.params),
          )
        : withhold("not-granted", `asks the client for ${message.method.slice(0, 64)}, which no rule allows`);
    case "answer":
      return deliverAnswer(json, message, asked, isHttpError);
    default:
      return assertNever(message);
  }
}

/** `kind`: what becomes of a fault is known as well, since it is known whose answer it is. */
function filtered(
  filtering: Filtering,
  answers: Id | undefined,
  outcome: Outcome | undefined,
  filter: (filtering: Filtering) => string | undefined,
): Delivery {
  const fault = filter(filtering);
  if (fault !== undefined) return { ...withhold("not-granted", fault, outcome && BROKEN), answers };
  const { splice, hiddenItems, listed, changedTools } = filtering;
  const found = { hiddenItems, listed, changedTools, isAcknowledgement: false };
  return { bytes: splice.bytes(), outcome, answers, ...found, fault: undefined };
}

/** Before 2026-07-28 a server could ask its client on any stream. */
function mayAsk(method: string, asked: Asked): boolean {
  if (asked.era === "modern") return false;
  if (method === "ping") return true;
  const isKnown = [...SERVER_REQUESTS, ...CLIENT_TASK_REQUESTS].some((known) => known === method);
  return isKnown && asked.isVisible(methodSubject(method));
}

/** An object that no client could take for a message, or for a result. */
function isForeign(json: Json): boolean {
  if (!isObject(json, ROOT)) return false;
  return !keysOf(json, ROOT).some((key) => MESSAGE_KEYS.has(foldCase(key)) || isListKey(key));
}

/** Its `error`, where it is one of JSON-RPC in all but name, names no more than those do. */
function deliverForeign(json: Json, asked: Asked): Delivery {
  const error = member(json, ROOT, "error");
  return filtered(new Filtering(json, asked), undefined, BROKEN, (filtering) =>
    isObject(json, error) ? filterError(filtering, error) : undefined,
  );
}

const MESSAGE_KEYS: ReadonlySet<string> = new Set(["jsonrpc", "method"]);
/** `error` is what foreign JSON is about. */
const isListKey = (key: string): boolean => foldCase(key) !== "error" && foldsToMember(key);

/** The Python SDK v1 calls a session that has ended, and the like, the error of the request "server-error". */
function deliverAnswer(
  json: Json,
  message: Message & { kind: "answer" },
  asked: Asked,
  isHttpError: boolean,
): Delivery {
  const { id, result, error } = message;
  const pending = asked.pending?.find((one) => one.id === id);
  const isNobodys = error !== ABSENT && (id === NO_ID || isHttpError);
  if (asked.pending !== undefined && pending === undefined && !isNobodys)
    return withhold("unexpected", "answers another request");
  const filtering = new Filtering(json, asked);
  if (error !== ABSENT) {
    const outcome: Outcome = { kind: "rpc_error", code: codeOf(json, error) };
    return filtered(filtering, pending?.id, outcome, () => filterError(filtering, error));
  }
  const outcome = resultOutcome(json, result);
  const fault =
    outcome === undefined ? "has a result of a type that is not known" : whyNot(json, result, outcome, pending, asked);
  if (fault !== undefined) return { ...withhold("not-granted", fault, BROKEN), answers: pending?.id };
  const ended = outcome?.kind === "task" && pending?.method.startsWith("tasks/") === true ? OK : outcome;
  return filtered(filtering, pending?.id, ended, () => filterResult(filtering, result));
}

const OK: Outcome = { kind: "ok" };

/** What a result that is not the last word needs: a method that may have such an answer, and a grant. */
function whyNot(
  json: Json,
  result: At,
  outcome: Outcome,
  pending: Pending | undefined,
  asked: Asked,
): string | undefined {
  // What a GET brings may answer anything.
  const method = pending === undefined ? undefined : findMethod(pending.method);
  const isOnStream = asked.pending === undefined;
  switch (outcome.kind) {
    case "task":
      if (pending?.method.startsWith("tasks/") === true) return undefined;
      if (!isOnStream && method?.mayBeTask !== true) return "is a task, which this method has not";
      return asked.isVisible(methodSubject("tasks/get"))
        ? undefined
        : "is a task, which needs a rule that allows tasks/get";
    case "input_required":
      if (!isOnStream && method?.mayAsk !== true) return "asks the client for input, which this method may not";
      // Without requests it only hands out its state, which the client brings back as an answer.
      return hasRequests(json, result) || asked.isVisible(ANSWERS) ? undefined : ASKS;
    default:
      return undefined;
  }
}

function hasRequests(json: Json, result: At): boolean {
  const requests = member(json, result, "inputRequests");
  return requests !== ABSENT && (!isObject(json, requests) || firstChild(requests) < endOf(json, requests));
}
