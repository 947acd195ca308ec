/**
 * All that the generative tests know of our API: what a client sends goes in and a verdict comes out; what a server
 * answers goes in, in pieces, and what the client gets comes out. When the core changes, this file does, and no property.
 */
import { hash } from "node:crypto";
import { concat } from "../../src/core/bytes.ts";
import type { ExchangeEvent } from "../../src/core/exchange/event.ts";
import { beginExchange, recordsOf, stepExchange } from "../../src/core/exchange/exchange.ts";
import type { Exchange } from "../../src/core/exchange/exchange.ts";
import { FullDuplex } from "../../src/core/exchange/full-duplex.ts";
import type { Piece } from "../../src/core/exchange/full-duplex.ts";
import type { Reply } from "../../src/core/exchange/reply.ts";
import type { Identity } from "../../src/core/identity/identity.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { CANCELLED } from "../../src/core/mcp/outcome.ts";
import { NO_CHANGES } from "../../src/core/mcp/headers.ts";
import type { HeaderList } from "../../src/core/mcp/headers.ts";
import type { PolicySet } from "../../src/core/policy/policy-set.ts";

export type Ask = {
  readonly policies: PolicySet;
  readonly identity: Identity;
  readonly headers: HeaderList;
  /** Empty: the headers end the request. */
  readonly body: Uint8Array;
  /** With limits so small that generated answers reach them. */
  readonly isNarrow?: boolean;
};

export type Verdict =
  | {
      readonly kind: "forwarded";
      readonly headers: HeaderList;
      readonly body: Uint8Array;
      /** What we say was decided on, in metadata and logs: of a batch, of each message that goes on. */
      readonly said: readonly { readonly method: string; readonly name: string | undefined }[];
      /** A ping goes on in place of what was refused, and brings the refusal back (HTTP with SSE). */
      readonly isSealed: boolean;
    }
  | { readonly kind: "blocked"; readonly status: number; readonly reason: string };

export type Answer = {
  readonly headers: HeaderList;
  readonly pieces: readonly Uint8Array[];
  readonly trailers: boolean;
};

export type Delivered = {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  /** How the calls ended, or why their answers were not delivered: in a few words, for counting. */
  readonly ending: string;
};

/** Envoy collects the body, and asks once. */
export const judge = (ask: Ask): Verdict => new Envoy(ask, undefined).ask([ask.body]);

/** In full duplex Envoy sends the body as it comes, and sends on what it gets back. */
export const judgeInPieces = (ask: Ask, pieces: readonly Uint8Array[]): Verdict =>
  new Envoy(ask, new FullDuplex(BOTH)).ask(pieces);

/** What the client gets of the answer; undefined when there is none to wait for, since the request was blocked. */
export const deliver = (ask: Ask, answer: Answer): Delivered | undefined => new Envoy(ask, undefined).exchange(answer);
export const deliverInDuplex = (ask: Ask, answer: Answer): Delivered | undefined =>
  new Envoy(ask, new FullDuplex(BOTH)).exchange(answer);

const NARROW = { ...DEFAULT_LIMITS, maxAnswerBytes: 300, maxEventBytes: 300 };
const BOTH = { request: true, answer: true };

/** Envoy's half: it tells what comes, and puts together what goes on. */
class Envoy {
  readonly #ask: Ask;
  readonly #duplex: FullDuplex | undefined;
  #exchange: Exchange;

  constructor(ask: Ask, duplex: FullDuplex | undefined) {
    this.#ask = ask;
    this.#duplex = duplex;
    const sha256 = (bytes: Uint8Array): string => hash("sha256", bytes);
    const { policies, isNarrow } = ask;
    const limits = isNarrow === true ? NARROW : DEFAULT_LIMITS;
    this.#exchange = beginExchange({ policies, unmatched: "refuse", limits, sha256 });
  }

  ask(pieces: readonly Uint8Array[]): Verdict {
    const { headers, identity, body } = this.#ask;
    const endOfStream = body.length === 0;
    const from = { identity, forwarded: NO_CHANGES, isFixed: false, route: undefined };
    const replies = this.#step({ kind: "requestHeaders", headers, endOfStream, ...from });
    for (const [i, piece] of (endOfStream ? [] : pieces).entries()) {
      if (replies.some(isLast)) break;
      replies.push(...this.#step({ kind: "requestBody", body: piece, endOfStream: i === pieces.length - 1 }));
    }
    return this.#verdictOn(replies);
  }

  #verdictOn(replies: readonly (Reply | Piece)[]): Verdict {
    const { headers, body } = this.#ask;
    const decided = replies.find(isLast);
    if (decided?.kind === "immediateResponse")
      return { kind: "blocked", status: decided.reply.status, reason: decided.details.replace("toolgate_", "") };
    if (decided === undefined) throw new Error("nothing is decided");
    const { set, remove } = decided.changes;
    const gone = new Set([...remove, ...set.map(([name]) => name)]);
    const { request } = this.#exchange;
    const judged = request.at === "permitted" ? request.judged : [];
    const sent = replies.flatMap((one) => (one.kind === "requestPiece" ? [one.body] : []));
    return {
      kind: "forwarded",
      headers: [...headers.filter(([name]) => !gone.has(name)), ...set],
      body: decided.kind === "requestBody" ? (decided.body ?? body) : concat(sent),
      said: judged.flatMap((one) =>
        one.verdict === "permitted" ? [{ method: one.call.method, name: one.call.target?.name }] : [],
      ),
      isSealed: request.at === "refused",
    };
  }

  exchange({ headers, pieces, trailers }: Answer): Delivered | undefined {
    const verdict = this.ask([this.#ask.body]);
    if (verdict.kind === "blocked" || verdict.isSealed) return undefined;
    const endOfStream = pieces.every((piece) => piece.length === 0) && !trailers;
    const [first] = this.#step({ kind: "responseHeaders", headers, endOfStream, codeDetails: "via_upstream" });
    if (first?.kind === "immediateResponse") {
      const { status, body, headers: ours } = first.reply;
      return { status, headers: ours, body, ending: this.#ending() };
    }
    if (first?.kind !== "responseHeaders") throw new Error(`${first?.kind} for the headers of an answer`);
    const kept = headers.filter(([name]) => !first.remove.includes(name));
    const slices = endOfStream
      ? []
      : pieces.flatMap((body, i) => this.#piece(body, !trailers && i === pieces.length - 1));
    if (trailers) this.#step({ kind: "responseTrailers" });
    return { status: statusIn(headers), headers: kept, body: concat(slices), ending: this.#ending() };
  }

  #piece(body: Uint8Array, endOfStream: boolean): readonly Uint8Array[] {
    return this.#step({ kind: "responseBody", body, endOfStream }).map((reply) => {
      if (reply.kind !== "responseBody" && reply.kind !== "responsePiece")
        throw new Error(`${reply.kind} for a piece of the body`);
      return reply.body ?? body;
    });
  }

  #step(event: ExchangeEvent): (Reply | Piece)[] {
    if (this.#duplex === undefined) {
      const [next, reply] = stepExchange(this.#exchange, event);
      this.#exchange = next;
      return [reply];
    }
    const [next, replies] = this.#duplex.step(this.#exchange, event);
    this.#exchange = next;
    return [...replies];
  }

  #ending(): string {
    const [record] = recordsOf(this.#exchange, CANCELLED);
    const fault = record?.answerFault?.message.split(/:|\d|"/, 1)[0];
    return [record?.outcome.kind, ...(fault === undefined ? [] : [fault.trim()])].join(": ");
  }
}

type Last = Extract<Reply, { readonly kind: "immediateResponse" } | { readonly permit: object }>;
const isLast = (reply: Reply | Piece): reply is Last => reply.kind === "immediateResponse" || "permit" in reply;

const statusIn = (headers: HeaderList): number => Number(headers.find(([name]) => name === ":status")?.[1]);
