/**
 * One exchange as ext_proc sees it: the two halves, and the three questions that are asked of them together: what is
 * answered to this message, may the stream end now, and how did the calls end.
 */
import type { Decided } from "./metadata.ts";
import type { ExchangeEvent, ResponseEvent } from "./event.ts";
import type { Id } from "../jsonrpc/message.ts";
import { isAbsent } from "../identity/identity.ts";
import type { Fault } from "../mcp/answer.ts";
import type { Call } from "../mcp/call.ts";
import { CANCELLED, withStatus } from "../mcp/outcome.ts";
import type { Outcome } from "../mcp/outcome.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import { assertNever } from "../result.ts";
import { permittedCalls } from "./judge.ts";
import type { Judged } from "./judge.ts";
import type { ExchangeRecord } from "./record.ts";
import type { Reply } from "./reply.ts";
import { reconsider, stepRequest } from "./request.ts";
import type { Options, RequestState } from "./request.ts";
import { AWAITING_ANSWER, isOver, stepResponse } from "./response.ts";
import type { ResponseState } from "./response.ts";
import { isSubscribed, NOTHING_SEEN, outcomeOf } from "./seen.ts";
import type { Seen } from "./seen.ts";
import { ProtocolViolation } from "./violation.ts";

export type Exchange = {
  readonly options: Options;
  readonly request: RequestState;
  readonly response: ResponseState;
  /** Requests that the caller has taken back, in another exchange. */
  readonly cancelled: readonly Id[];
};

export const beginExchange = (options: Options): Exchange => ({
  options,
  request: { at: "awaitingHeaders" },
  response: AWAITING_ANSWER,
  cancelled: [],
});

/** "For every received ProcessingRequest exactly one ProcessingResponse" (proto): hence a pair. */
export function stepExchange(exchange: Exchange, event: ExchangeEvent): readonly [next: Exchange, reply: Reply] {
  if (isResponse(event)) return onResponse(exchange, event);
  const [request, reply] = stepRequest(exchange.options, exchange.request, event);
  return [{ ...exchange, request }, reply];
}

const isResponse = (event: ExchangeEvent): event is ResponseEvent => event.kind.startsWith("response");

function onResponse(exchange: Exchange, event: ResponseEvent): readonly [Exchange, Reply] {
  const { request } = exchange;
  if (request.at === "permitted") {
    const [response, reply] = stepResponse(request.asked, exchange.response, event);
    return [{ ...exchange, response }, reply];
  }
  // Before a decision Envoy itself can have answered: 413 over its limit, 401 of a filter before us. It says so; a server, to
  // which it has sent what has trailers in place of a body, can have answered too.
  const isLocalReply =
    event.kind === "responseHeaders" && event.codeDetails !== undefined && event.codeDetails !== "via_upstream";
  if (isLocalReply && (request.at === "awaitingBody" || request.at === "awaitingHeaders"))
    return [{ ...exchange, request: { at: "answeredByEnvoy" } }, asItCame(event)];
  // In full duplex the stream stays until all of it has been sent back.
  if (request.at === "unmatched" || request.at === "answeredByEnvoy") return [exchange, asItCame(event)];
  throw new ProtocolViolation(
    `${event.kind} while the request is ${request.at}: Envoy has sent it on without a decision. Set processing_mode.request_header_mode and request_trailer_mode to SEND on its route, and response_attributes to [response.code_details]`,
  );
}

function asItCame(event: ResponseEvent): Reply {
  switch (event.kind) {
    case "responseHeaders":
      return { kind: "responseHeaders", readBody: false, remove: [] };
    case "responseBody":
      return { kind: "responseBody", body: undefined };
    case "responseTrailers":
      return { kind: "responseTrailers" };
    default:
      return assertNever(event);
  }
}

/** The answer has to be read, and nothing of it has come. */
export const isUnshown = ({ request, response }: Exchange): boolean =>
  (request.at === "permitted" && request.readsAnswer && response.at === "awaitingHeaders") ||
  (response.at === "readingJson" && response.held.length === 0) ||
  (response.at === "followingEvents" && response.parser.isUnfed);

/**
 * Whether nothing is owed and nothing more wanted: the driver ends the stream with OK, which frees it while a long answer
 * runs. Before that, OK would tell Envoy to go on without us (proto, step 6).
 */
export function isFinal({ request, response }: Exchange): boolean {
  switch (request.at) {
    case "refused":
    case "unmatched":
    case "answeredByEnvoy":
      return true;
    case "permitted":
      return !request.readsAnswer || isOver(response);
    case "awaitingHeaders":
    case "awaitingBody":
      return false;
    default:
      return assertNever(request);
  }
}

/** Bytes of an answer that wait for more. */
export function heldBytes({ response }: Exchange): number {
  if (response.at === "readingJson") return response.held.length;
  return response.at === "followingEvents" ? response.parser.heldBytes : 0;
}

/** The calls that wait for an answer, in the order of the records. */
export function openCalls({ request }: Exchange): readonly Call[] {
  if (request.at !== "permitted" || !request.readsAnswer) return [];
  return permittedCalls(request.judged).filter(({ id }) => id !== undefined);
}

/** The requests that the caller takes back with this one. */
export function cancelledBy({ request }: Exchange): readonly Id[] {
  if (request.at !== "permitted") return [];
  return permittedCalls(request.judged).flatMap(({ cancels }) => (cancels === undefined ? [] : [cancels]));
}

/** Within what the id of a request means one request: its server, its session and its caller. */
export function scopeOf({ request }: Exchange): string | undefined {
  if (request.at !== "permitted") return undefined;
  const [first] = request.judged;
  const { session } = request.asked;
  if (first === undefined) return undefined;
  const { workload, user } = first.decided.identity;
  return JSON.stringify([
    first.decided.server,
    session.id,
    isAbsent(workload) ? undefined : workload.uri,
    ...(isAbsent(user) ? [] : [user.issuer, user.subject]),
  ]);
}

/**
 * The exchange under policies that have come since. `isGranted`: false when they would not let it go on, and then nothing
 * more of it may be delivered.
 */
export function withPolicies(
  exchange: Exchange,
  policies: PolicySet,
): { readonly exchange: Exchange; readonly isGranted: boolean } {
  const options = { ...exchange.options, policies };
  const request = reconsider(policies, exchange.request);
  if (request !== undefined) return { exchange: { ...exchange, options, request }, isGranted: true };
  const { response } = exchange;
  return {
    exchange: { ...exchange, response: { ...response, seen: { ...response.seen, lost: REVOKED } } },
    isGranted: false,
  };
}

const REVOKED: Fault = { reason: "not-granted", message: "is to a call that policies, as they are now, do not grant" };

/** The caller has taken a request back: when no answer comes, that is why. */
export const cancelCall = (exchange: Exchange, id: Id): Exchange =>
  exchange.cancelled.includes(id) ? exchange : { ...exchange, cancelled: [...exchange.cancelled, id] };

export type Summary = Omit<
  ExchangeRecord,
  "requestId" | "startedAtMs" | "durationMs" | "decidedMs" | "sourceAddress" | "sizes"
>;

/**
 * The records of the calls, in their order: one, but for a batch; undefined for a call that has not ended. None for what
 * was no call of MCP. `unfinished`: how those have ended that the exchange did not see end, once it is over.
 */
export function recordsOf(exchange: Exchange, unfinished?: Outcome): readonly (Summary | undefined)[] {
  const { request } = exchange;
  if (request.at !== "refused" && request.at !== "permitted") return [];
  const carrier = request.judged.length === 1 ? request.judged[0] : carrierOf(request.judged);
  return request.judged.map((one) => {
    if (one.verdict === "refused")
      return summary(NOTHING_SEEN, one.decided, { ...one, client: undefined }, { kind: "denied" });
    const { seen } = exchange.response;
    const known = callOutcome(exchange, one.call);
    const ended = known === undefined ? unfinished : withStatus(known, seen.httpStatus);
    const ofCall = one === carrier ? seen : { ...NOTHING_SEEN, httpStatus: seen.httpStatus };
    return ended && summary(ofCall, one.decided, one.call, ended);
  });
}

/** What was seen of a batch as a whole is counted once: with the list, or what is hidden would be on record before it. */
function carrierOf(judged: readonly Judged[]): Judged | undefined {
  const permitted = judged.flatMap((one) => (one.verdict === "permitted" ? [one] : []));
  return (
    permitted.find(({ call }) => call.method.endsWith("/list")) ??
    permitted.find(({ call }) => call.id !== undefined) ??
    permitted[0]
  );
}

/** The server has ended its answer: what has not come by then will not, unless on a stream that the client resumes. */
function callOutcome({ request, response, cancelled }: Exchange, call: Call): Outcome | undefined {
  if (request.at !== "permitted" || !request.readsAnswer) return { kind: "unread" };
  const { pending } = request.asked;
  if (pending !== undefined && !pending.some(({ id }) => id === call.id)) return receiptOutcome(response);
  const outcome = outcomeOf(response.seen, call.id);
  if (outcome === undefined && isSubscribed(response.seen, call.method)) return { kind: "ok" };
  if (outcome !== undefined || response.at !== "ended") return outcome;
  if (call.id !== undefined && cancelled.includes(call.id)) return CANCELLED;
  return { kind: response.seen.isResumable && call.era === "legacy" ? "unread" : "transport_error" };
}

/** Of what gets no answer, or gets it on another stream: all there is to know is that it has arrived. */
function receiptOutcome({ at, seen: { rest } }: ResponseState): Outcome | undefined {
  if (at === "awaitingHeaders") return undefined;
  return rest === undefined || rest.kind === "ok" ? { kind: "unread" } : rest;
}

type Spoken = Pick<Call, "revision" | "client">;

function summary(seen: Seen, decided: Decided, { revision, client }: Spoken, outcome: Outcome): Summary {
  const { server, identity, call, decision, mode, rule, reason, sentence, id, session, trace } = decided;
  const target = call?.target;
  return {
    server,
    method: call?.method ?? "unknown",
    target:
      target?.kind === "method" || target === undefined
        ? undefined
        : { kind: target.kind === "template" ? "resource" : target.kind, name: target.name },
    identity,
    decision,
    mode,
    rule,
    reason,
    sentence,
    outcome,
    listed: seen.listed,
    changedTools: seen.changedTools,
    hiddenItems: seen.hiddenItems,
    answerFault: seen.lost,
    httpStatus: seen.httpStatus,
    revision,
    id,
    session,
    trace,
    client,
    arguments: decided.arguments,
  };
}
