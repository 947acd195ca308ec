/** core/sse: 1,000 events parsed, and followed as an answer: 999 notifications and the result. */
import { stepExchange } from "../src/core/exchange/exchange.ts";
import type { Exchange } from "../src/core/exchange/exchange.ts";
import { SseParser } from "../src/core/sse/parse.ts";
import { EVENTS } from "./documents.ts";
import { permittedExchange } from "./exchange.bench.ts";
import type { Micro } from "./micro.ts";

const stream = Buffer.from(EVENTS.join(""));
const CHUNK_BYTES = 16_384;
const chunks = Array.from({ length: Math.ceil(stream.length / CHUNK_BYTES) }, (_, i) =>
  stream.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES),
);

function parse(): number {
  const parser = new SseParser(1 << 20);
  let events = 0;
  for (const chunk of chunks) events += parser.feed(chunk).length;
  return events;
}

function follow(): Exchange {
  let exchange = permittedExchange("text/event-stream");
  for (const body of chunks) [exchange] = stepExchange(exchange, { kind: "responseBody", body, endOfStream: false });
  return exchange;
}

if (parse() !== 1_000) throw new Error("1000 events must be found");
if (follow().response.seen.answered[0]?.outcome.kind !== "ok")
  throw new Error("the answer must be found in the stream");

export const sseBenches: readonly Micro[] = [
  { name: "parse 1000 events, chunks of 16 KiB", bytes: stream.length, run: parse },
  { name: "follow 1000 events as an answer", bytes: stream.length, run: follow },
];
