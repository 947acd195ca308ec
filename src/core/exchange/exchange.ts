/**
 * One exchange as ext_proc sees it: the two halves, and the three questions that are asked of them together: what is
 * answered to this message, may the stream end now, and how did the call end.
 */
import { deliverable } from "./asked.ts";
import type { Decided } from "./metadata.ts";
import type { ExchangeEvent, ResponseEvent } from "./event.ts";
import type { Outcome } from "../mcp/outcome.ts";
import type { ExchangeRecord } from "./record.ts";
import type { Reply } from "./reply.ts";
import { requestCloseStatus, stepRequest } from "./request.ts";
import type { Options, RequestState } from "./request.ts";
import { NOTHING_SEEN, responseCloseStatus, stepResponse } from "./response.ts";
import type { ResponseState } from "./response.ts";
import { ProtocolViolation } from "./violation.ts";

export type Exchange = {
  readonly options: Options;
  readonly request: RequestState;
  readonly response: ResponseState;
};

export const beginExchange = (options: Options): Exchange => ({
  options,
  request: { at: "awaitingHeaders" },
  response: { at: "awaitingHeaders", seen: NOTHING_SEEN },
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
    const [response, reply] = stepResponse(deliverable(request), exchange.response, event);
    return [{ ...exchange, response }, reply];
  }
  // While the headers are held, only Envoy itself can have answered: 413 over its limit, 401 of a filter before us. Before
  // them it has to say so.
  const isLocalReply = event.kind === "responseHeaders" && event.codeDetails !== "via_upstream";
  if (
    isLocalReply &&
    (request.at === "awaitingBody" || (request.at === "awaitingHeaders" && event.codeDetails !== undefined))
  ) {
    return [
      { ...exchange, request: { at: "answeredByEnvoy" } },
      { kind: "responseHeaders", readBody: false },
    ];
  }
  throw new ProtocolViolation(
    `${event.kind} while the request is ${request.at}: set processing_mode.request_header_mode to SEND`,
  );
}

/** The answer has to be read, and nothing of it has come. */
export const isUnshown = ({ request, response }: Exchange): boolean =>
  (request.at === "permitted" && request.readsAnswer && response.at === "awaitingHeaders") ||
  (response.at === "readingJson" && response.held.length === 0) ||
  (response.at === "followingEvents" && response.parser.isUnfed);

/** Whether nothing more is wanted: the driver ends the stream with OK, which frees it while a long answer runs. */
export function isFinal({ request, response }: Exchange): boolean {
  switch (request.at) {
    case "refused":
    case "unmatched":
    case "answeredByEnvoy":
      return true;
    case "permitted":
      return !request.readsAnswer || responseCloseStatus(response) === "OK";
    default:
      return false;
  }
}

/** Total: whatever happens, this is what the stream may be ended with. */
export function closeStatus(exchange: Exchange): "OK" | "ABORTED" {
  return isFinal(exchange) && requestCloseStatus(exchange.request) === "OK" ? "OK" : "ABORTED";
}

type Summary = Omit<ExchangeRecord, "requestId" | "startedAtMs" | "durationMs">;

/** The record of a call that has ended; undefined while it has not, and for what was no call of MCP. */
export function recordOf(exchange: Exchange): Summary | undefined {
  const { request, response } = exchange;
  if (request.at === "refused") return summary(exchange, request.decided, request.call?.revision, { kind: "denied" });
  if (request.at !== "permitted") return undefined;
  const outcome: Outcome | undefined = request.readsAnswer ? answerOutcome(response) : { kind: "unread" };
  return outcome && summary(exchange, request.decided, request.call.revision, outcome);
}

/** The server has ended its answer: what has not come by then will not. */
const answerOutcome = ({ at, seen }: ResponseState): Outcome | undefined =>
  seen.outcome ?? (at === "ended" ? { kind: "transport_error" } : undefined);

/** The same when the stream is over without an end: the caller or the server has left. */
export function abandonedRecord(exchange: Exchange): Summary | undefined {
  const { request } = exchange;
  if (request.at !== "permitted") return undefined;
  return recordOf(exchange) ?? summary(exchange, request.decided, request.call.revision, { kind: "cancelled" });
}

function summary({ response }: Exchange, decided: Decided, revision: string | undefined, outcome: Outcome): Summary {
  const { server, identity, call, decision, mode, rule, reason } = decided;
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
    outcome,
    listed: response.seen.listed,
    hiddenItems: response.seen.hiddenItems,
    answerFault: response.seen.lost,
    revision,
  };
}
