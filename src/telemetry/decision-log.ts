/**
 * One JSON object a line for each decision. The lines of one turn of the event loop go out in one write; a reader that is
 * too slow costs lines, counted, and neither time nor memory.
 */
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Head, Segment } from "./chain.ts";
import { decisionOf, formatLine, LINE_VERSION } from "./decision-line.ts";
import type { Before, Mark, MarkLine } from "./mark-line.ts";
import type { Telemetry } from "./telemetry.ts";

export type DecisionLogOptions = {
  /** Default: stdout. */
  readonly out?: Writable;
  /** Hears once that nothing can be written any more (the reader has gone). */
  readonly onError?: (error: Error) => void;
  /** Lines that wait for a slow reader. */
  readonly maxQueuedCharacters?: number;
  /**
   * With a chain: what links the lines, and what `out` had before the first of them. That is asked for when there is a
   * line to write, so that a process which does not come so far leaves nothing.
   */
  readonly chain?: { readonly segment: Segment; readonly before: () => Before };
};

export type DecisionLog = Telemetry & {
  /** Whether what is written now will be kept: the reader is there, and not more than half a queue behind. */
  isKept(): boolean;
  /** Of lines that wait for their reader. */
  queuedBytes(): number;
  /** Decisions lost so far. */
  dropped(): number;
  /** The last link of the chain, where there is one and it has begun. */
  head(): Head | undefined;
  /** Writes what is left, and nothing more after that. Gives up after a second: what is left then counts as lost. */
  close(): Promise<void>;
};

const MAX_QUEUED_CHARACTERS = 8 * 1024 * 1024;
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * Costs 2.0 us a record with its share of the write (Node 24); 0.65 of it is `JSON.stringify`, and a line put together
 * by hand takes no less. A chain adds 0.2 us, one with a key 2.7.
 */
export function createDecisionLog(options: DecisionLogOptions = {}): DecisionLog {
  const { out = process.stdout, maxQueuedCharacters = MAX_QUEUED_CHARACTERS, chain } = options;
  let lines: string[] = [];
  let marks = 0;
  let characters = 0;
  let dropped = 0;
  /** Not told of yet. */
  let lost = 0;
  let scheduled = false;
  let ended = false;
  let hasBegun = false;

  const drop = (): void => {
    dropped += lines.length - marks;
    clear();
  };
  const clear = (): void => {
    lines = [];
    marks = 0;
    characters = 0;
  };
  /** While `out` has more than it can take, lines wait here, where they are counted. */
  const flush = (): void => {
    scheduled = false;
    if (ended) drop();
    if (lines.length === 0 || out.writableNeedDrain) return;
    const batch = lines.join("");
    clear();
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
  /** What is linked has to be written: nothing is dropped after it but all that follows, too. */
  const add = (object: string): void => {
    begin();
    const line = `${chain === undefined ? object : chain.segment.link(object)}\n`;
    lines.push(line);
    characters += line.length;
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  };
  const mark = (what: Mark): void => {
    marks++;
    add(formatLine({ v: LINE_VERSION, time: new Date().toISOString(), ...what } satisfies MarkLine));
  };
  const begin = (): void => {
    if (chain === undefined || hasBegun) return;
    hasBegun = true;
    const { segment, before } = chain;
    mark({ event: "begin", segment: segment.name, keyed: segment.isKeyed, ...before() });
  };
  const tellLost = (): void => {
    if (lost > 0) mark({ event: "gap", lost });
    lost = 0;
  };
  out.on("drain", flush);
  out.on("error", fail);

  return {
    record(record) {
      const line = formatLine(decisionOf(record));
      if (ended || characters + line.length > maxQueuedCharacters) {
        dropped++;
        lost++;
        return;
      }
      tellLost();
      add(line);
    },
    isKept: () => !ended && characters <= maxQueuedCharacters / 2,
    // Nearly all of it is ASCII.
    queuedBytes: () => characters + out.writableLength,
    dropped: () => dropped,
    head: () => (hasBegun ? chain?.segment.head : undefined),
    async close() {
      if (!ended) {
        tellLost();
        if (hasBegun) mark({ event: "end" });
      }
      await Promise.race([writeOut(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
      ended = true;
      drop();
      out.off("drain", flush);
    },
  };
}

const drainedOrFailed = (out: Writable): Promise<void> =>
  new Promise((resolve) => void out.once("drain", resolve).once("error", () => resolve()));
