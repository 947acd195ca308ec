/**
 * Spans on their way to the collector: in batches, one batch at a time. Nobody waits for it. While it is slow or gone the
 * queue fills, and then spans are lost, and counted.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { SpanCounts } from "../span-metrics.ts";

/** Sends a batch; rejects when it was not taken. */
export type Exporter = {
  send(spans: readonly ReadableSpan[]): Promise<void>;
  close(): Promise<void>;
};

export type SpanQueueOptions = {
  readonly exporter: Exporter;
  /** Hears of each batch that was not taken. */
  readonly onFault: (error: Error) => void;
  readonly maxQueued?: number;
  readonly delayMs?: number;
};

export type SpanQueue = {
  push(spans: readonly ReadableSpan[]): void;
  counts(): SpanCounts;
  /** Sends what is left, for at most two seconds: what is left then counts as dropped. */
  close(): Promise<void>;
};

const MAX_QUEUED = 2_048;
/** Writing down a span takes some 10 us, in one go with its batch: calls must not feel it. */
const MAX_BATCH = 128;
const DELAY_MS = 1_000;
const CLOSE_TIMEOUT_MS = 2_000;

export function createSpanQueue(options: SpanQueueOptions): SpanQueue {
  const { exporter, onFault, maxQueued = MAX_QUEUED, delayMs = DELAY_MS } = options;
  let queued: ReadableSpan[] = [];
  let exported = 0;
  let dropped = 0;
  let failed = 0;
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  let isClosing = false;

  const sendBatch = async (): Promise<void> => {
    const batch = queued.slice(0, MAX_BATCH);
    queued = queued.slice(MAX_BATCH);
    try {
      await exporter.send(batch);
      exported += batch.length;
    } catch (error: unknown) {
      failed += batch.length;
      onFault(error instanceof Error ? error : new Error(String(error)));
    }
  };
  /** A batch that is full goes at once, what is less after the delay. */
  const schedule = (): void => {
    if (sending !== undefined || queued.length === 0 || isClosing) return;
    if (queued.length >= MAX_BATCH) return send();
    timer ??= setTimeout(send, delayMs).unref();
  };
  const send = (): void => {
    clearTimeout(timer);
    timer = undefined;
    sending ??= sendBatch().finally(() => {
      sending = undefined;
      schedule();
    });
  };
  const sendAll = async (): Promise<void> => {
    await sending;
    while (queued.length > 0) await sendBatch();
  };

  return {
    push(spans) {
      const room = isClosing ? 0 : maxQueued - queued.length;
      if (spans.length > room) {
        dropped += spans.length;
        return;
      }
      queued.push(...spans);
      schedule();
    },
    counts: () => ({ exported, dropped, failed }),
    async close() {
      isClosing = true;
      clearTimeout(timer);
      await Promise.race([sendAll(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
      dropped += queued.length;
      queued = [];
      await exporter.close();
    },
  };
}
