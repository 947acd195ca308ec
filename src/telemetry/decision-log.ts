/**
 * One JSON object a line for each decision. The lines of one turn of the event loop go out in one write; a reader that is
 * too slow costs lines, counted, and neither time nor memory.
 */
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { formatDecision } from "./decision-line.ts";
import type { Telemetry } from "./telemetry.ts";

export type DecisionLogOptions = {
  /** Default: stdout. */
  readonly out?: Writable;
  /** Hears once that nothing can be written any more (the reader has gone). */
  readonly onError?: (error: Error) => void;
  /** Lines that wait for a slow reader. */
  readonly maxQueuedCharacters?: number;
};

export type DecisionLog = Telemetry & {
  /** Whether what is written now will be kept: the reader is there, and not more than half a queue behind. */
  isKept(): boolean;
  /** Lines lost so far. */
  dropped(): number;
  /** Writes what is left, and nothing more after that. Gives up after a second: what is left then counts as lost. */
  close(): Promise<void>;
};

const MAX_QUEUED_CHARACTERS = 8 * 1024 * 1024;
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * Costs 2.0 us a record with its share of the write (Node 24); 0.65 of it is `JSON.stringify`, and a line put together
 * by hand takes no less.
 */
export function createDecisionLog(options: DecisionLogOptions = {}): DecisionLog {
  const { out = process.stdout, maxQueuedCharacters = MAX_QUEUED_CHARACTERS } = options;
  let lines: string[] = [];
  let characters = 0;
  let dropped = 0;
  let scheduled = false;
  let ended = false;

  const drop = (): void => {
    dropped += lines.length;
    lines = [];
    characters = 0;
  };
  /** While `out` has more than it can take, lines wait here, where they are counted. */
  const flush = (): void => {
    scheduled = false;
    if (ended) drop();
    if (lines.length === 0 || out.writableNeedDrain) return;
    const batch = lines.join("");
    lines = [];
    characters = 0;
    out.write(batch);
  };
  const fail = (error: Error): void => {
    if (!ended) options.onError?.(error);
    ended = true;
    drop();
  };
  const writeOut = async (): Promise<void> => {
    while (lines.length > 0) {
      if (out.writableNeedDrain) await drainedOrFailed(out);
      flush();
    }
    await new Promise<void>((resolve) => out.write("", () => resolve()));
  };
  out.on("drain", flush);
  out.on("error", fail);

  return {
    record(record) {
      const line = formatDecision(record);
      if (ended || characters + line.length > maxQueuedCharacters) {
        dropped++;
        return;
      }
      lines.push(line);
      characters += line.length;
      if (scheduled) return;
      scheduled = true;
      setImmediate(flush);
    },
    isKept: () => !ended && characters <= maxQueuedCharacters / 2,
    dropped: () => dropped,
    async close() {
      await Promise.race([writeOut(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
      ended = true;
      drop();
      out.off("drain", flush);
    },
  };
}

const drainedOrFailed = (out: Writable): Promise<void> =>
  new Promise((resolve) => void out.once("drain", resolve).once("error", () => resolve()));
