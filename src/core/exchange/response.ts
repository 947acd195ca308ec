/**
 * The response half: whether an answer has to be read, and what of it is delivered. JSON is held until the document is
 * complete, server-sent events one by one. Nothing is released on "end of stream", which trailers and aborts never tell.
 *
 * awaitingHeaders -> readingJson -> draining | followingEvents | passing. After the headers have gone, a fault becomes a
 * JSON-RPC error in the body: an immediate response there would only cut the connection.
 */
import { EMPTY, Held } from "../bytes.ts";
import { NO_ID } from "../jsonrpc/message.ts";
import { skipSpace } from "../jsonrpc/scan.ts";
import { ValueEnd } from "../jsonrpc/value-end.ts";
import { answeredBy, withhold } from "../mcp/answer.ts";
import type { Delivery } from "../mcp/answer.ts";
import type { Asked } from "../mcp/asked.ts";
import { alone, deliverEach, joinBatch, splitBatch } from "../mcp/batch.ts";
import type { Deliveries } from "../mcp/batch.ts";
import { jsonReply, localReply } from "../mcp/local-reply.ts";
import { BROKEN } from "../mcp/outcome.ts";
import { refusal } from "../mcp/refusal.ts";
import { assertNever } from "../result.ts";
import { SseParser } from "../sse/parse.ts";
import type { ResponseEvent } from "./event.ts";
import { followEvents } from "./follow-events.ts";
import { hasFailed, isAccepted, readAnswerHeaders, statusOf, strayHeaders, waitingOf } from "./answer-headers.ts";
import { errorInstead, merge, NOTHING_SEEN, sentence, unanswered, withoutRest } from "./seen.ts";
import type { Seen } from "./seen.ts";
import type { Reply } from "./reply.ts";
import { ProtocolViolation } from "./violation.ts";

export type ResponseState = { readonly seen: Seen } & (
  | { readonly at: "awaitingHeaders" }
  | {
      readonly at: "readingJson";
      /** Grows in place: a copy for each chunk would cost the square of their number. */
      readonly held: Held;
      readonly mayBeForeign: boolean;
      /** Nothing but white space has come, and what comes may be an error page. */
      readonly mayBePage: boolean;
      readonly end: ValueEnd;
    }
  | { readonly at: "followingEvents"; readonly parser: SseParser }
  /** The answer was delivered: what still comes is not part of it. */
  | { readonly at: "draining" }
  /** Nothing to read: no body, or none that could hold an answer. */
  | { readonly at: "passing" }
  /** All of the body has been answered. */
  | { readonly at: "ended" }
  | { readonly at: "refused" }
);

export type ResponseStep = readonly [next: ResponseState, reply: Reply];

export const AWAITING_ANSWER: ResponseState = { at: "awaitingHeaders", seen: NOTHING_SEEN };

export function stepResponse(asked: Asked, state: ResponseState, event: ResponseEvent): ResponseStep {
  const [next, reply] = stepWithin(asked, state, event);
  const isLast = event.kind === "responseBody" && event.endOfStream;
  return [isLast ? { at: "ended", seen: next.seen } : next, reply];
}

function stepWithin(asked: Asked, state: ResponseState, event: ResponseEvent): ResponseStep {
  if (event.kind === "responseTrailers") return onTrailers(state);
  switch (state.at) {
    case "awaitingHeaders":
      if (event.kind !== "responseHeaders")
        throw new ProtocolViolation(
          `${event.kind} before responseHeaders: set processing_mode.response_header_mode to SEND, or ask for what envoy-config/two-message.yaml asks for (response_attributes)`,
        );
      return onHeaders(asked, event);
    case "readingJson":
      return onJson(asked, state, bodyOf(event));
    case "followingEvents":
      return onEvents(asked, state, bodyOf(event));
    case "draining":
      return [state, { kind: "responseBody", body: bodyOf(event).body.length === 0 ? undefined : EMPTY }];
    case "passing":
      bodyOf(event);
      return [state, { kind: "responseBody", body: undefined }];
    case "ended":
    case "refused":
      throw new ProtocolViolation(`${event.kind} after the end`);
    default:
      return assertNever(state);
  }
}

type BodyEvent = ResponseEvent & { kind: "responseBody" };
function bodyOf(event: ResponseEvent): BodyEvent {
  if (event.kind !== "responseBody") throw new ProtocolViolation(`${event.kind} while a body is read`);
  return event;
}

function onHeaders(asked: Asked, event: ResponseEvent & { kind: "responseHeaders" }): ResponseStep {
  // The server had nothing to answer, but we have: what went on of a batch were notifications.
  const waiting = waitingOf(asked);
  if (asked.refused.length > 0 && waiting === "nobody" && isAccepted(event)) return answerRefused(asked.refused);
  const said = readAnswerHeaders(event, waiting);
  const remove = strayHeaders(event.headers, asked);
  const seen = { ...NOTHING_SEEN, httpStatus: hasFailed(event) ? statusOf(event.headers) : undefined };
  switch (said.kind) {
    case "refuse":
      return refuse(asked, said.fault);
    case "pass":
      // A batch of which a part was refused has an answer in any case.
      if (asked.refused.length > 0 && !hasFailed(event)) return refuse(asked, "is empty");
      return [
        { at: "passing", seen: { ...seen, rest: said.outcome } },
        { kind: "responseHeaders", readBody: false, remove },
      ];
    case "events":
      return [
        {
          at: "followingEvents",
          seen: { ...seen, rest: said.rest },
          parser: new SseParser(asked.limits.maxEventBytes),
        },
        { kind: "responseHeaders", readBody: true, remove },
      ];
    case "json":
    case "page":
      return [
        {
          at: "readingJson",
          seen: { ...seen, rest: said.rest },
          held: new Held(),
          mayBeForeign: said.mayBeForeign,
          mayBePage: said.kind === "page",
          end: new ValueEnd(),
        },
        { kind: "responseHeaders", readBody: true, remove },
      ];
    default:
      return assertNever(said);
  }
}

function refuse(asked: Asked, fault: string): ResponseStep {
  const why = refusal("unsafe-answer", sentence(fault));
  const known = { era: "legacy", method: "unknown", revision: undefined, needsUser: false } as const;
  const replies = (asked.pending ?? []).map(({ id }) => localReply(why, { ...known, id }));
  const [only = localReply(why, { ...known, id: undefined })] = replies;
  const bodies = [...replies.map(({ body }) => body), ...asked.refused];
  const reply = asked.takesBatches && bodies.length > 0 ? { ...only, body: joinBatch(bodies) } : only;
  const seen: Seen = { ...withoutRest(NOTHING_SEEN, asked), lost: { reason: "unreadable", message: fault } };
  return [
    { at: "refused", seen },
    { kind: "immediateResponse", reply, details: "toolgate_unsafe-answer", metadata: undefined },
  ];
}

function answerRefused(refused: readonly Uint8Array[]): ResponseStep {
  const reply = jsonReply(joinBatch(refused));
  return [
    { at: "refused", seen: NOTHING_SEEN },
    { kind: "immediateResponse", reply, details: "toolgate_batch", metadata: undefined },
  ];
}

function onJson(asked: Asked, state: ResponseState & { at: "readingJson" }, event: BodyEvent): ResponseStep {
  if (state.mayBePage) return onPage(asked, state, event);
  const { body, endOfStream } = event;
  // The type of JSON, and nothing of it, for what gets no answer.
  if (endOfStream && state.held.length + body.length === 0 && waitingOf(asked) === "nobody")
    return [
      { at: "passing", seen: state.seen },
      { kind: "responseBody", body: undefined },
    ];
  const { maxAnswerBytes } = asked.limits;
  const end = state.end.feed(body);
  const answerBytes = state.held.length + (end === -1 ? body.length : end);
  if (answerBytes > maxAnswerBytes) {
    return settle(asked, state, body, alone(withhold("too-large", `is larger than ${maxAnswerBytes} bytes`)));
  }
  if (end === -1 && !endOfStream) {
    state.held.push(body);
    return [state, { kind: "responseBody", body: EMPTY }];
  }
  // What follows the closing brace is dropped, in this chunk as in the next ones.
  const whole = withoutMark(state.held.take(end === -1 || end === body.length ? body : body.subarray(0, end)));
  const framing = { mayBeForeign: state.mayBeForeign, isHttpError: state.seen.httpStatus !== undefined };
  return settle(asked, state, body, deliverEach(whole, asked, { ...framing, answered: [] }, errorInstead));
}

/** Its first byte says what it is: a client that reads a page as JSON reads nothing in another one. */
function onPage(asked: Asked, state: ResponseState & { at: "readingJson" }, event: BodyEvent): ResponseStep {
  const soFar = state.held.take(event.body);
  const first = firstOf(soFar);
  if (first === undefined && !event.endOfStream) {
    state.held.push(soFar);
    return [state, { kind: "responseBody", body: EMPTY }];
  }
  if (first === OPEN_OBJECT || first === OPEN_ARRAY)
    return onJson(asked, { ...state, mayBePage: false }, { ...event, body: soFar });
  const seen: Seen = { ...state.seen, rest: state.seen.rest ?? BROKEN };
  return [
    { at: "passing", seen },
    { kind: "responseBody", body: soFar === event.body ? undefined : soFar },
  ];
}

const [OPEN_OBJECT, OPEN_ARRAY] = [0x7b, 0x5b];
const MARK = [0xef, 0xbb, 0xbf];

/** The first byte that is neither JSON's white space nor of a byte order mark; undefined when there is none yet. */
function firstOf(bytes: Uint8Array): number | undefined {
  const isPartOfMark = bytes.length < MARK.length && bytes.every((byte, i) => byte === MARK[i]);
  if (isPartOfMark) return undefined;
  const text = withoutMark(bytes);
  return text[skipSpace(text)];
}

/** Clients differ on a byte order mark before JSON: those that drop it and those that fail get the same. */
const withoutMark = (bytes: Uint8Array): Uint8Array =>
  MARK.every((byte, i) => bytes[i] === byte) ? bytes.subarray(MARK.length) : bytes;

function settle(
  asked: Asked,
  state: ResponseState & { at: "readingJson" },
  body: Uint8Array,
  deliveries: Deliveries,
): ResponseStep {
  let seen = state.seen;
  for (const delivery of deliveries.each) seen = merge(seen, asked, delivery);
  const delivered = deliveredOf(asked, seen, deliveries);
  return [
    // The only document there is: what did not come in it, does not come.
    { at: "draining", seen: withoutRest(seen, asked) },
    { kind: "responseBody", body: delivered === body ? undefined : (delivered ?? EMPTY) },
  ];
}

/** What goes on of an answer, with our own answers to what was refused of a batch. */
function deliveredOf(asked: Asked, seen: Seen, { bytes, each }: Deliveries): Uint8Array | undefined {
  if (bytes !== undefined && asked.refused.length === 0) return bytes;
  const own =
    bytes === undefined
      ? each.slice(0, 1).flatMap((delivery) => errorsInstead(asked, seen, delivery))
      : (splitBatch(bytes, asked) ?? [bytes]);
  const all = [...own, ...asked.refused];
  return asked.takesBatches ? joinBatch(all) : all[0];
}

/** To each request that waits, or to nobody in particular where none does. */
function errorsInstead(asked: Asked, seen: Seen, delivery: Delivery): readonly Uint8Array[] {
  const waiting = unanswered(seen, asked.pending ?? []);
  // Whose answer it was that is withheld is known, and that it has come: it gets the error all the same.
  const ids = waiting.length > 0 ? waiting : [answeredBy(asked, delivery)];
  return ids.map((id) => errorInstead(id ?? NO_ID, delivery));
}

function onEvents(asked: Asked, state: ResponseState & { at: "followingEvents" }, event: BodyEvent): ResponseStep {
  const { seen, body, isBroken } = followEvents(asked, state.seen, state.parser, event);
  const reply: Reply = { kind: "responseBody", body };
  if (isBroken) return [{ at: "draining", seen: withoutRest(seen, asked) }, reply];
  return [seen === state.seen ? state : { ...state, seen }, reply];
}

/** What is held when the trailers come is lost: Envoy takes no body any more. */
function onTrailers(state: ResponseState): ResponseStep {
  if (state.at === "awaitingHeaders") throw new ProtocolViolation("responseTrailers before responseHeaders");
  const isLost = state.at === "readingJson";
  return [{ at: "ended", seen: isLost ? { ...state.seen, rest: BROKEN } : state.seen }, { kind: "responseTrailers" }];
}

/** Whether nothing of an answer that has to be read is left. */
export function isOver(state: ResponseState): boolean {
  switch (state.at) {
    case "passing":
    case "ended":
    case "refused":
      return true;
    case "awaitingHeaders":
    case "readingJson":
    case "followingEvents":
    case "draining":
      return false;
    default:
      return assertNever(state);
  }
}
