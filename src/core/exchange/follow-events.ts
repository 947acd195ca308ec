/** A stream of events on its way to a client: each event is delivered as soon as it is complete, and held no longer. */
import { concat } from "../bytes.ts";
import { NO_ID } from "../jsonrpc/message.ts";
import { scan } from "../jsonrpc/scan.ts";
import { answeredBy, PLAIN, withhold } from "../mcp/answer.ts";
import type { Delivery, Fault } from "../mcp/answer.ts";
import type { Asked } from "../mcp/asked.ts";
import { alone, deliverEach } from "../mcp/batch.ts";
import type { Deliveries } from "../mcp/batch.ts";
import { errorBody } from "../mcp/local-reply.ts";
import { unsealDenial } from "../mcp/sealed-denial.ts";
import { encodeEvent } from "../sse/encode.ts";
import { TOO_LARGE } from "../sse/parse.ts";
import type { SseEvent, SseParser } from "../sse/parse.ts";
import { answeredIds, errorInstead, merge, sentence, unanswered } from "./seen.ts";
import type { Seen } from "./seen.ts";

/** `body` undefined: as it came. `isBroken`: nothing that still comes can be read. */
export type Followed = { readonly seen: Seen; readonly body: Uint8Array | undefined; readonly isBroken: boolean };

type Chunk = { readonly body: Uint8Array; readonly endOfStream: boolean };

export function followEvents(asked: Asked, seenBefore: Seen, parser: SseParser, chunk: Chunk): Followed {
  const heldBefore = parser.heldBytes;
  const isFirst = parser.isUnfed;
  const events = parser.feed(chunk.body);
  const last = chunk.endOfStream ? parser.end() : undefined;
  if (last !== undefined) events.push(last);
  // What we answer in a batch ourselves goes first: nothing may come after the server's last answer.
  const begins = isFirst && (chunk.body.length > 0 || chunk.endOfStream);
  const slices: Uint8Array[] = begins ? asked.refused.map(messageEvent) : [];
  let untouched = slices.length === 0 && heldBefore === 0 && parser.heldBytes === 0;
  let seen = seenBefore;
  let bytes = 0;
  for (const one of events) {
    if (one === TOO_LARGE) {
      if (asked.pending !== undefined) return breakOff(asked, seen, slices);
      seen = { ...seen, lost: tooLarge(asked) };
      slices.push(messageEvent(errorBody(NO_ID, sentence(tooLarge(asked).message))));
      continue;
    }
    const [delivered, next] = deliverEvent(asked, seen, one);
    if (delivered !== one.raw) untouched = false;
    slices.push(delivered);
    bytes += delivered.length;
    seen = next;
  }
  const lost = chunk.endOfStream ? lostAnswers(asked, seen) : [];
  if (lost.length > 0) untouched = false;
  const body = untouched && bytes === chunk.body.length ? undefined : concat([...slices, ...lost]);
  return { seen, body, isBroken: false };
}

/** An event that is not delivered keeps its id: a client resumes after it. */
function deliverEvent(asked: Asked, seen: Seen, event: SseEvent): readonly [Uint8Array, Seen] {
  const { data, type, id, retry } = event;
  const encode = (instead: Uint8Array | undefined): Uint8Array => encodeEvent({ type, id, retry, data: instead });
  let next = id === undefined || seen.isResumable ? seen : { ...seen, isResumable: true };
  if (data === undefined) return [event.plain ? event.raw : encode(undefined), next];
  const { bytes, each } = deliverData(asked, seen, type, data);
  for (const delivery of each) next = merge(next, asked, delivery);
  if (bytes === data && event.plain) return [event.raw, next];
  const [only] = each;
  return [encode(bytes ?? (only && errorFor(asked, only))), next];
}

/** To whom a delivery is the answer. */
function errorFor(asked: Asked, delivery: Delivery): Uint8Array | undefined {
  const id = answeredBy(asked, delivery);
  return id === undefined ? undefined : errorInstead(id, delivery);
}

function deliverData(asked: Asked, seen: Seen, type: string, data: Uint8Array): Deliveries {
  if (type === "endpoint" && asked.messages !== undefined) return deliverEndpoint(data, asked.messages);
  if (type !== "" && type !== "message")
    return alone(withhold("unexpected", "has an event of a type that is not known"));
  const message = asked.messages === undefined ? data : unsealed(asked, data);
  return deliverEach(message, asked, { ...PLAIN, answered: answeredIds(seen) }, errorInstead);
}

function unsealed(asked: Asked, data: Uint8Array): Uint8Array {
  const json = scan(data, asked.limits.answer);
  return json.kind === "json" ? (unsealDenial(json) ?? data) : data;
}

/** Where a client of 2024-11-05 is told to send its messages: not past the place where they are decided on. */
function deliverEndpoint(data: Uint8Array, { host, path }: NonNullable<Asked["messages"]>): Deliveries {
  const uri = new TextDecoder().decode(data);
  const [, authority, where] = /^(?:https?:\/\/([^/?#]*))?(\/(?!\/)[^?#\\]*)(?:\?[!-~]*)?$/.exec(uri) ?? [];
  const isHere = where === path && (authority === undefined || authority === host);
  return isHere
    ? { bytes: data, each: [] }
    : alone(withhold("unexpected", "sends its client to another place than policy knows"));
}

/** The stream has ended without an answer that could be read: say so, or the client waits for ever. */
function lostAnswers(asked: Asked, seen: Seen): readonly Uint8Array[] {
  const { lost } = seen;
  return lost === undefined ? [] : errorsFor(asked, seen, lost);
}

const errorsFor = (asked: Asked, seen: Seen, { message }: Fault): readonly Uint8Array[] =>
  unanswered(seen, asked.pending ?? []).map((id) => messageEvent(errorBody(id ?? NO_ID, sentence(message))));

const messageEvent = (data: Uint8Array): Uint8Array =>
  encodeEvent({ type: "message", id: undefined, retry: undefined, data });

const tooLarge = (asked: Asked): Fault => ({
  reason: "too-large",
  message: `holds an event larger than ${asked.limits.maxEventBytes} bytes`,
});

/** It may have been the answer. Who has that already is told nothing. */
function breakOff(asked: Asked, seen: Seen, delivered: readonly Uint8Array[]): Followed {
  const fault = tooLarge(asked);
  return {
    seen: { ...seen, lost: fault },
    body: concat([...delivered, ...errorsFor(asked, seen, fault)]),
    isBroken: true,
  };
}
