/**
 * A tap as server-sent events: `data:` lines of the decision log, `dropped` when the reader was too slow for some. It says
 * something every few seconds, so that a reader who has gone is noticed, and one who waits knows that nothing has happened.
 */
import type { ServerResponse } from "node:http";
import type { Tap, TapFilter } from "../telemetry/tap.ts";
import { json } from "./answer.ts";
import type { Answer } from "./answer.ts";

const HEARTBEAT_MS = 5_000;
/** What may wait for a reader: some hundred calls. */
const MAX_WAITING_BYTES = 256 * 1024;

/** An answer instead of the stream when there are too many already. */
export function streamTap(tap: Tap, filter: TapFilter, response: ServerResponse): Answer | undefined {
  const watched = tap.watch(filter, {
    isFull: () => response.writableLength > MAX_WAITING_BYTES,
    write: (line) => void response.write(`data: ${line}\n`),
    lost: (calls) => void response.write(`event: dropped\ndata: ${JSON.stringify({ calls })}\n\n`),
    end: () => void response.end(),
  });
  if (watched === undefined)
    return json(503, { error: "/api/tap has as many readers as it can have: try again later" });
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  const beat = (): void => void (response.writableLength === 0 && response.write(":\n\n"));
  beat();
  const heartbeat = setInterval(beat, HEARTBEAT_MS);
  response.on("close", () => {
    clearInterval(heartbeat);
    watched.stop();
  });
  return undefined;
}
