/** How far one exchange has come, for the meter: what it has open, and how much of it has gone by. */
import type { Exchange } from "../core/exchange/exchange.ts";
import { callsInFlight, isResumption, openStream, permittedServer } from "../core/exchange/progress.ts";
import type { Sizes } from "../core/exchange/record.ts";
import type { SseParser } from "../core/sse/parse.ts";
import type { Meter, OpenExchange, StreamEnd } from "../telemetry/meter.ts";
import type { ProcessingRequest } from "./protos.ts";

export class Progress implements OpenExchange {
  readonly #meter: Meter;
  #exchange: Exchange;
  #requestBytes = 0;
  #responseBytes: number | undefined;
  #stream: { readonly parser: SseParser; readonly server: string; events: number; heardAtMs: number } | undefined;

  constructor(meter: Meter, exchange: Exchange) {
    this.#meter = meter;
    this.#exchange = exchange;
  }

  get server(): string | undefined {
    return permittedServer(this.#exchange);
  }

  get calls(): number {
    return callsInFlight(this.#exchange);
  }

  get stream(): OpenExchange["stream"] {
    return this.#stream;
  }

  /** So far: until its answer, of a call on a stream. */
  get sizes(): Sizes {
    return { requestBytes: this.#requestBytes, responseBytes: this.#responseBytes };
  }

  /** The message has led from one to the other. */
  step(message: ProcessingRequest, before: Exchange, next: Exchange, nowMs: number): void {
    this.#exchange = next;
    if (message.request === "requestBody") this.#requestBytes += message.requestBody.body.length;
    if (message.request === "responseBody")
      this.#responseBytes = (this.#responseBytes ?? 0) + message.responseBody.body.length;
    if (next.request !== before.request && isResumption(next)) this.#meter.streamResumed(this.server ?? "");
    if (this.#stream !== undefined) this.#follow(next, nowMs);
    else if (next.response !== before.response) this.#begin(next, nowMs);
  }

  /** A stream that is open now is not any more, and why. */
  end(how: StreamEnd): void {
    if (this.#stream === undefined) return;
    this.#meter.streamEnded(this.#stream.server, how);
    this.#stream = undefined;
  }

  #begin(next: Exchange, nowMs: number): void {
    const parser = openStream(next);
    const { server } = this;
    if (parser !== undefined && server !== undefined) this.#stream = { parser, server, events: 0, heardAtMs: nowMs };
  }

  #follow(next: Exchange, nowMs: number): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    const { parser, server } = stream;
    this.#meter.streamEvents(server, parser.eventCount - stream.events);
    stream.events = parser.eventCount;
    stream.heardAtMs = nowMs;
    if (openStream(next) === undefined) this.end(next.response.at === "ended" ? "complete" : "broken-off");
  }
}
