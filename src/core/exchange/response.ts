/**
 * The response half: whether an answer has to be read, and what of it is delivered. JSON is held until the document is
 * complete, server-sent events one by one. Nothing is released on "end of stream", which trailers and aborts never tell.
 *
 * awaitingHeaders -> readingJson -> draining | followingEvents | passing. After the headers have gone, a fault becomes a
 * JSON-RPC error in the body: an immediate response there would only cut the connection.
 */
import { concat, EMPTY, Held } from "../bytes.ts";
import { NO_ID } from "../jsonrpc/message.ts";
import { ValueEnd } from "../jsonrpc/value-end.ts";
import { deliver, unreadable, withhold } from "../mcp/answer.ts";
import type { Asked, Delivery } from "../mcp/answer.ts";
import type { Listed } from "../mcp/list-result.ts";
import type { HeaderList } from "../mcp/headers.ts";
import { errorBody, localReply } from "../mcp/local-reply.ts";
import { refusal } from "../mcp/refusal.ts";
import { assertNever } from "../result.ts";
import { encodeEvent } from "../sse/encode.ts";
import { SseParser } from "../sse/parse.ts";
import type { SseEvent } from "../sse/parse.ts";
import type { ResponseEvent } from "./event.ts";
import type { Outcome } from "../mcp/outcome.ts";
import type { Reply } from "./reply.ts";
import { ProtocolViolation } from "./violation.ts";

export const MAX_ANSWER_BYTES = 16_777_216;
export const MAX_EVENT_BYTES = 4_194_304;

/** What the answer has shown so far. */
export type Seen = {
  readonly outcome: Outcome | undefined;
  readonly hiddenItems: number;
  readonly listed: Listed | undefined;
  /** Why the answer, or a message that may have been it, was not delivered. */
  readonly lost: string | undefined;
};

export const NOTHING_SEEN: Seen = {
  outcome: undefined,
  hiddenItems: 0,
  listed: undefined,
  lost: undefined,
};

export type ResponseState = { readonly seen: Seen } & (
  | { readonly at: "awaitingHeaders" }
  | {
      readonly at: "readingJson";
      /** Grows in place: a copy for each chunk would cost the square of their number. */
      readonly held: Held;
      readonly isHttpError: boolean;
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

export function stepResponse(asked: Asked, state: ResponseState, event: ResponseEvent): ResponseStep {
  const [next, reply] = stepWithin(asked, state, event);
  const isLast = event.kind === "responseTrailers" || (event.kind === "responseBody" && event.endOfStream);
  return [isLast ? { at: "ended", seen: next.seen } : next, reply];
}

function stepWithin(asked: Asked, state: ResponseState, event: ResponseEvent): ResponseStep {
  if (event.kind === "responseTrailers") return onTrailers(state);
  switch (state.at) {
    case "awaitingHeaders":
      if (event.kind !== "responseHeaders") throw new ProtocolViolation(`${event.kind} before responseHeaders`);
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

const JSON_TYPE = /^application\/json[ \t]*(?:;|$)/i;
const SSE_TYPE = /^text\/event-stream[ \t]*(?:;|$)/i;
/** A client that honours it would read other text than we did. */
const OTHER_CHARSET = /;[ \t]*charset[ \t]*=(?![ \t]*"?utf-?8(?:[";\s]|$))/i;

/** A client may go by the other one. */
const SINGLE = ["content-type", "content-encoding"];

function onHeaders(asked: Asked, event: ResponseEvent & { kind: "responseHeaders" }): ResponseStep {
  const status = Number(header(event.headers, ":status") ?? "0");
  const failed = status < 200 || status > 299;
  const pass = (outcome: Outcome | undefined): ResponseStep => [
    { at: "passing", seen: { ...NOTHING_SEEN, outcome } },
    { kind: "responseHeaders", readBody: false },
  ];
  const { codeDetails } = event;
  const isLocal = codeDetails !== undefined && codeDetails !== "via_upstream";
  if (event.endOfStream) return pass(isLocal ? localOutcome(codeDetails) : failed ? BROKEN : { kind: "ok" });
  // Envoy itself could not reach the server, or a filter refused. An answer that a filter behind us makes is read.
  if (isLocal && failed) return pass(localOutcome(codeDetails));
  const twice = SINGLE.find((name) => event.headers.filter(([key]) => key === name).length > 1);
  if (twice !== undefined && !failed) return refuse(asked, `has two headers ${twice}`);
  const type = header(event.headers, "content-type") ?? "";
  const isJson = JSON_TYPE.test(type);
  const isSse = SSE_TYPE.test(type);
  // An error page of a proxy is not a message of MCP, and no client takes it for one.
  if (failed && !isJson && !isSse) return pass(BROKEN);
  // A body of an accepted notification, or of a session's end, is nobody's answer.
  if (!isJson && !isSse && header(event.headers, "content-length") === "0") return pass({ kind: "ok" });
  const coding = header(event.headers, "content-encoding");
  if (coding !== undefined && coding.toLowerCase() !== "identity")
    return refuse(asked, `is encoded (${coding.slice(0, 32)}), so it could not be read`);
  if (!isJson && !isSse) return refuse(asked, "is neither JSON nor an event stream");
  if (OTHER_CHARSET.test(type)) return refuse(asked, "is not in UTF-8");
  // A stream that a GET opened has no answer to wait for: that it is open is how the call ended.
  const seen: Seen = { ...NOTHING_SEEN, outcome: asked.id === undefined && !failed ? { kind: "ok" } : undefined };
  const state: ResponseState = isSse
    ? { at: "followingEvents", seen, parser: new SseParser(MAX_EVENT_BYTES) }
    : { at: "readingJson", seen, held: new Held(), isHttpError: failed, end: new ValueEnd() };
  return [state, { kind: "responseHeaders", readBody: true }];
}

const header = (headers: HeaderList, name: string): string | undefined => headers.find(([key]) => key === name)?.[1];

const localOutcome = (codeDetails: string): Outcome => ({
  kind: codeDetails.includes("timeout") ? "timeout" : "transport_error",
});

function refuse(asked: Asked, fault: string): ResponseStep {
  const why = refusal("unsafe-answer", sentence(fault));
  const reply = localReply(why, {
    id: asked.id,
    era: "legacy",
    method: "unknown",
    revision: undefined,
    needsUser: false,
  });
  const seen: Seen = { ...NOTHING_SEEN, outcome: BROKEN, lost: fault };
  return [
    { at: "refused", seen },
    { kind: "immediateResponse", reply, details: "toolgate_unsafe-answer", metadata: undefined },
  ];
}

function onJson(asked: Asked, state: ResponseState & { at: "readingJson" }, event: BodyEvent): ResponseStep {
  const { body, endOfStream } = event;
  const end = state.end.feed(body);
  if (state.held.length + body.length > MAX_ANSWER_BYTES) {
    return settleJson(asked, state, body, unreadable(`is larger than ${MAX_ANSWER_BYTES} bytes`));
  }
  if (end === -1 && !endOfStream) {
    state.held.push(body);
    return [state, { kind: "responseBody", body: EMPTY }];
  }
  // What follows the closing brace is dropped, in this chunk as in the next ones.
  const whole = state.held.take(end === -1 || end === body.length ? body : body.subarray(0, end));
  return settleJson(asked, state, body, deliver(withoutMark(whole), asked, state.isHttpError));
}

/** Clients differ on a byte order mark before JSON: those that drop it and those that fail get the same. */
const withoutMark = (bytes: Uint8Array): Uint8Array =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;

function settleJson(
  asked: Asked,
  state: ResponseState & { at: "readingJson" },
  body: Uint8Array,
  delivery: Delivery,
): ResponseStep {
  const bytes = delivery.bytes ?? errorBody(asked.id ?? NO_ID, faultSentence(delivery));
  return [
    { at: "draining", seen: merge(state.seen, delivery, BROKEN) },
    { kind: "responseBody", body: bytes === body ? undefined : bytes },
  ];
}

const faultSentence = (delivery: Delivery): string => sentence(delivery.fault ?? "is empty");
const sentence = (fault: string): string => `The server's answer was not delivered: it ${fault}.`;

const BROKEN: Outcome = { kind: "transport_error" };

/** `otherwise`: the outcome of a delivery that is the only one, when it was no answer. */
function merge(seen: Seen, delivery: Delivery, otherwise?: Outcome): Seen {
  return {
    outcome: seen.outcome ?? delivery.outcome ?? otherwise,
    hiddenItems: seen.hiddenItems + delivery.hiddenItems,
    listed: delivery.listed ?? seen.listed,
    lost: delivery.isUnreadable || delivery.outcome !== undefined ? (delivery.fault ?? seen.lost) : seen.lost,
  };
}

function onEvents(asked: Asked, state: ResponseState & { at: "followingEvents" }, event: BodyEvent): ResponseStep {
  const { parser } = state;
  const heldBefore = parser.heldBytes;
  const events = parser.feed(event.body);
  const last = event.endOfStream && !parser.isOverLimit ? parser.end() : undefined;
  if (last !== undefined) events.push(last);
  const slices: Uint8Array[] = [];
  let { seen } = state;
  let untouched = heldBefore === 0 && parser.heldBytes === 0;
  let bytes = 0;
  for (const one of events) {
    const [delivered, next] = deliverEvent(asked, seen, one);
    if (delivered !== one.raw) untouched = false;
    slices.push(delivered);
    bytes += delivered.length;
    seen = next;
  }
  if (parser.isOverLimit) return breakOff(asked, seen, slices);
  const lost = event.endOfStream ? lostAnswer(asked, seen) : [];
  if (lost.length > 0) untouched = false;
  const body = untouched && bytes === event.body.length ? undefined : concat([...slices, ...lost]);
  return [
    { ...state, seen },
    { kind: "responseBody", body },
  ];
}

/** An event that is not delivered keeps its id: a client resumes after it. */
function deliverEvent(asked: Asked, seen: Seen, event: SseEvent): readonly [Uint8Array, Seen] {
  const { data, type, id, retry } = event;
  if (data === undefined) return [event.plain ? event.raw : encodeEvent({ type, id, retry, data }), seen];
  const delivery = type === "" || type === "message" ? deliver(data, asked) : withhold(UNKNOWN_EVENT, undefined);
  const isAnswer = asked.id !== undefined && delivery.outcome !== undefined;
  // One answer to one request: whoever gets a second one cannot know which to believe.
  if (isAnswer && seen.outcome !== undefined) return [encodeEvent({ type, id, retry, data: undefined }), seen];
  const next = merge(seen, delivery);
  if (delivery.bytes === data && event.plain) return [event.raw, next];
  const instead = isAnswer ? errorBody(asked.id, faultSentence(delivery)) : undefined;
  return [encodeEvent({ type, id, retry, data: delivery.bytes ?? instead }), next];
}

const UNKNOWN_EVENT = "has an event of a type that is not known";

/** The stream has ended without an answer that could be read: say so, or the client waits for ever. */
function lostAnswer(asked: Asked, seen: Seen): readonly Uint8Array[] {
  if (asked.id === undefined || seen.outcome !== undefined || seen.lost === undefined) return [];
  return [errorEvent(asked, seen.lost)];
}

function errorEvent(asked: Asked, fault: string): Uint8Array {
  const data = errorBody(asked.id ?? NO_ID, sentence(fault));
  return encodeEvent({ type: "message", id: undefined, retry: undefined, data });
}

/** After an event over the limit nothing can be read any more. Who has the answer already is told nothing. */
function breakOff(asked: Asked, seen: Seen, delivered: readonly Uint8Array[]): ResponseStep {
  const fault = `holds an event larger than ${MAX_EVENT_BYTES} bytes`;
  const body = concat(seen.outcome === undefined ? [...delivered, errorEvent(asked, fault)] : delivered);
  return [
    { at: "draining", seen: merge(seen, unreadable(fault), BROKEN) },
    { kind: "responseBody", body },
  ];
}

/** What is held when the trailers come is lost: Envoy takes no body any more. */
function onTrailers(state: ResponseState): ResponseStep {
  if (state.at === "awaitingHeaders") throw new ProtocolViolation("responseTrailers before responseHeaders");
  const isLost = state.at === "readingJson";
  const seen: Seen = isLost ? { ...state.seen, outcome: BROKEN } : state.seen;
  return [{ at: "ended", seen }, { kind: "responseTrailers" }];
}

/** While an answer has to be read, an OK close would deliver the rest of it unread. */
export function responseCloseStatus(state: ResponseState): "OK" | "ABORTED" {
  switch (state.at) {
    case "passing":
    case "ended":
    case "refused":
      return "OK";
    case "awaitingHeaders":
    case "readingJson":
    case "followingEvents":
    case "draining":
      return "ABORTED";
    default:
      return assertNever(state);
  }
}
