/**
 * All that the generative tests know of our API: what a client sends goes in and a verdict comes out; what a server
 * answers goes in, in pieces, and what the client gets comes out. When the core changes, this file does, and no property.
 */
import { concat } from "../../src/core/bytes.ts";
import type { ExchangeEvent } from "../../src/core/exchange/event.ts";
import { beginExchange, recordsOf, stepExchange } from "../../src/core/exchange/exchange.ts";
import type { Exchange } from "../../src/core/exchange/exchange.ts";
import type { Reply } from "../../src/core/exchange/reply.ts";
import type { Identity } from "../../src/core/identity/identity.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import type { HeaderList } from "../../src/core/mcp/headers.ts";
import type { PolicySet } from "../../src/core/policy/policy-set.ts";

export type Ask = {
  readonly policies: PolicySet;
  readonly identity: Identity;
  readonly headers: HeaderList;
  /** Empty: the headers end the request. */
  readonly body: Uint8Array;
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
  readonly type: string;
  readonly body: Uint8Array;
  /** How the calls ended, or why their answers were not delivered: in a few words, for counting. */
  readonly ending: string;
};

export const judge = (ask: Ask): Verdict => play(ask)[1];

/** What the client gets of the answer; undefined when there is none to wait for, since the request was blocked. */
export function deliver(ask: Ask, answer: Answer): Delivered | undefined {
  const [asked, verdict] = play(ask);
  return verdict.kind === "blocked" || verdict.isSealed ? undefined : new Client(asked).receive(answer);
}

function play({ policies, identity, headers, body }: Ask): readonly [Exchange, Verdict] {
  const begun = beginExchange({ policies, unmatched: "refuse", limits: DEFAULT_LIMITS });
  const endOfStream = body.length === 0;
  const [held, first] = stepExchange(begun, {
    kind: "requestHeaders",
    headers,
    endOfStream,
    identity,
    route: undefined,
  });
  if (first.kind !== "requestHeaders" || !("awaits" in first)) return [held, verdictOn(held, first, headers, body)];
  const [decided, second] = stepExchange(held, { kind: "requestBody", body, endOfStream: true });
  return [decided, verdictOn(decided, second, headers, body)];
}

function verdictOn({ request }: Exchange, reply: Reply, headers: HeaderList, body: Uint8Array): Verdict {
  if (reply.kind === "immediateResponse") {
    return { kind: "blocked", status: reply.reply.status, reason: reply.details.replace("toolgate_", "") };
  }
  if (!("permit" in reply)) throw new Error(`${reply.kind} decides nothing`);
  const { set, remove } = reply.changes;
  const gone = new Set([...remove, ...set.map(([name]) => name)]);
  const judged = request.at === "permitted" ? request.judged : [];
  return {
    kind: "forwarded",
    headers: [...headers.filter(([name]) => !gone.has(name)), ...set],
    body: reply.kind === "requestBody" ? (reply.body ?? body) : body,
    said: judged.flatMap((one) =>
      one.verdict === "permitted" ? [{ method: one.call.method, name: one.call.target?.name }] : [],
    ),
    isSealed: request.at === "refused",
  };
}

/** Puts together what Envoy passes on. */
class Client {
  #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  receive({ headers, pieces, trailers }: Answer): Delivered {
    const bodiless = pieces.every((piece) => piece.length === 0) && !trailers;
    const first = this.#step({ kind: "responseHeaders", headers, endOfStream: bodiless, codeDetails: "via_upstream" });
    if (first.kind === "immediateResponse") {
      const { status, body, headers: ours } = first.reply;
      return { status, type: valueOf(ours, "content-type"), body, ending: this.#ending() };
    }
    const slices = bodiless ? [] : pieces.map((body, i) => this.#piece(body, !trailers && i === pieces.length - 1));
    if (trailers) this.#step({ kind: "responseTrailers" });
    return {
      status: Number(valueOf(headers, ":status")),
      type: valueOf(headers, "content-type"),
      body: concat(slices),
      ending: this.#ending(),
    };
  }

  #piece(body: Uint8Array, endOfStream: boolean): Uint8Array {
    const reply = this.#step({ kind: "responseBody", body, endOfStream });
    if (reply.kind !== "responseBody") throw new Error(`${reply.kind} for a piece of the body`);
    return reply.body ?? body;
  }

  #step(event: ExchangeEvent): Reply {
    const [next, reply] = stepExchange(this.#exchange, event);
    this.#exchange = next;
    return reply;
  }

  #ending(): string {
    const [record] = recordsOf(this.#exchange, true);
    const fault = record?.answerFault?.message.split(/:|\d|"/, 1)[0];
    return [record?.outcome.kind, ...(fault === undefined ? [] : [fault.trim()])].join(": ");
  }
}

const valueOf = (headers: HeaderList, name: string): string => headers.find(([key]) => key === name)?.[1] ?? "";
