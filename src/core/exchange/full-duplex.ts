/**
 * FULL_DUPLEX_STREAMED around an exchange: Envoy sends a body as it comes and keeps nothing of it, so that what goes on is
 * what we send back, in as many pieces as we like. A request is held here until it is whole and judged; each piece of an
 * answer goes back as soon as it is, and none may be forgotten (processing_mode.proto; seen on Envoy 1.36 and 1.40).
 */
import { EMPTY, Held } from "../bytes.ts";
import { withoutLength } from "./changes.ts";
import type { ExchangeEvent } from "./event.ts";
import { isFinal, stepExchange } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import type { Reply } from "./reply.ts";
import { ProtocolViolation } from "./violation.ts";

/** Which of the two bodies come in this mode. */
export type DuplexModes = { readonly request: boolean; readonly answer: boolean };

/** A piece of a body, in `streamed_response`. */
export type Piece = {
  readonly kind: "requestPiece" | "responsePiece";
  readonly body: Uint8Array;
  readonly endOfStream: boolean;
};

/** Envoy takes larger ones too; a frame of gRPC that long holds up nobody else. */
const MAX_PIECE_BYTES = 65_536;

export class FullDuplex {
  readonly #modes: DuplexModes;
  /** The request's body until it is whole; undefined before its headers and after its end. */
  #request: Held | undefined;
  /** A request that is not ours, and an answer, whose ends have not come: every piece has to be sent back. */
  #isPassingRequest = false;
  #isPassingAnswer = false;

  constructor(modes: DuplexModes) {
    this.#modes = modes;
  }

  /** Bytes of a request that wait for more. */
  get heldBytes(): number {
    return this.#request?.length ?? 0;
  }

  /** None, one or several answers to a message. */
  step(exchange: Exchange, event: ExchangeEvent): readonly [next: Exchange, replies: readonly (Reply | Piece)[]] {
    if (this.#modes.request && event.kind.startsWith("request")) return this.#onRequest(exchange, event);
    const [next, reply] = stepExchange(exchange, event);
    return [next, this.#modes.answer ? this.#onAnswer(event, reply) : [reply]];
  }

  /** As `isFinal` of the exchange; but a body that has begun to come is lost when it is not sent back to its end. */
  isFinal(exchange: Exchange): boolean {
    return isFinal(exchange) && !this.#isPassingRequest && !this.#isPassingAnswer;
  }

  #onRequest(exchange: Exchange, event: ExchangeEvent): readonly [Exchange, readonly (Reply | Piece)[]] {
    switch (event.kind) {
      case "requestHeaders": {
        const [next, reply] = stepExchange(exchange, event);
        const isHeld = reply.kind === "requestHeaders" && "awaits" in reply;
        if (isHeld) this.#request = new Held();
        this.#isPassingRequest = next.request.at === "unmatched" && !event.endOfStream;
        return [next, isHeld ? [] : [reply]];
      }
      case "requestBody": {
        const held = this.#request;
        if (held === undefined) return [exchange, this.#passOn(event)];
        held.push(event.body);
        const isTooLarge = held.length > exchange.options.limits.maxBodyBytes;
        return event.endOfStream || isTooLarge ? this.#judge(exchange, held, event.endOfStream) : [exchange, []];
      }
      case "requestTrailers": {
        const held = this.#request;
        this.#isPassingRequest = false;
        const [next, replies] = held === undefined ? [exchange, []] : this.#judge(exchange, held, false);
        return isRefused(replies) ? [next, replies] : [next, [...replies, { kind: "requestTrailers" }]];
      }
      default:
        throw new ProtocolViolation(`${event.kind} is no part of a request`);
    }
  }

  /** Let through unseen, by configuration. */
  #passOn(event: ExchangeEvent & { kind: "requestBody" }): readonly Piece[] {
    if (!this.#isPassingRequest) throw new ProtocolViolation("requestBody after the decision");
    this.#isPassingRequest = !event.endOfStream;
    return [{ kind: "requestPiece", body: event.body, endOfStream: event.endOfStream }];
  }

  #judge(exchange: Exchange, held: Held, endOfStream: boolean): readonly [Exchange, readonly (Reply | Piece)[]] {
    this.#request = undefined;
    const body = held.take(EMPTY);
    const [next, reply] = stepExchange(exchange, { kind: "requestBody", body, endOfStream });
    if (reply.kind !== "requestBody") return [next, [reply]];
    const { permit, changes, metadata } = reply;
    // Envoy has taken the length away, and the body says it now.
    const headers: Reply = { kind: "requestHeaders", permit, changes: withoutLength(changes), metadata };
    return [next, [headers, ...pieces("requestPiece", reply.body ?? body, endOfStream)]];
  }

  #onAnswer(event: ExchangeEvent, reply: Reply): readonly (Reply | Piece)[] {
    if (event.kind === "responseHeaders")
      this.#isPassingAnswer = !event.endOfStream && reply.kind === "responseHeaders";
    if (event.kind === "responseTrailers") this.#isPassingAnswer = false;
    if (event.kind !== "responseBody" || reply.kind !== "responseBody") return [reply];
    if (event.endOfStream) this.#isPassingAnswer = false;
    return pieces("responsePiece", reply.body ?? event.body, event.endOfStream);
  }
}

const isRefused = (replies: readonly (Reply | Piece)[]): boolean =>
  replies.some(({ kind }) => kind === "immediateResponse");

/** None for no bytes, unless they are the end. */
function pieces(kind: Piece["kind"], body: Uint8Array, endOfStream: boolean): Piece[] {
  const found: Piece[] = [];
  for (let at = 0; at < body.length; at += MAX_PIECE_BYTES) {
    const piece = body.subarray(at, at + MAX_PIECE_BYTES);
    found.push({ kind, body: piece, endOfStream: endOfStream && at + MAX_PIECE_BYTES >= body.length });
  }
  if (body.length === 0 && endOfStream) found.push({ kind, body, endOfStream });
  return found;
}
