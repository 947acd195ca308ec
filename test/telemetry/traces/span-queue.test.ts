import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createSpanQueue } from "../../../src/telemetry/traces/span-queue.ts";
import type { Exporter } from "../../../src/telemetry/traces/span-queue.ts";
import { newIds } from "../../../src/telemetry/traces/sampling.ts";
import { spansOf } from "../../../src/telemetry/traces/spans.ts";
import { record } from "../records.ts";

const MAKER = { resource: resourceFromAttributes({}), instrumentationScope: { name: "toolgate" } };
const spans = (count: number): readonly ReadableSpan[] =>
  Array.from({ length: count }, () => spansOf(record(), newIds(undefined, false), MAKER)).flat();

/** A collector whose answers the test gives. */
function createCollector() {
  const batches: number[] = [];
  const answers: PromiseWithResolvers<void>[] = [];
  const exporter: Exporter = {
    send(batch) {
      batches.push(batch.length);
      const answer = Promise.withResolvers<void>();
      answers.push(answer);
      return answer.promise;
    },
    close: () => Promise.resolve(),
  };
  return { exporter, batches, answers };
}

const faults: string[] = [];
const onFault = ({ message }: Error): void => void faults.push(message);

describe("createSpanQueue()", () => {
  beforeEach(() => {
    faults.length = 0;
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  test("sends what has come together after a second, in one batch", async () => {
    const { exporter, batches, answers } = createCollector();
    const queue = createSpanQueue({ exporter, onFault });
    queue.push(spans(2));
    queue.push(spans(1));
    await vi.advanceTimersByTimeAsync(999);
    expect(batches).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect([batches, queue.counts()]).toEqual([[3], { exported: 0, dropped: 0, failed: 0 }]);
    answers[0]?.resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(queue.counts()).toEqual({ exported: 3, dropped: 0, failed: 0 });
  });

  test("sends a full batch at once, and one batch at a time", async () => {
    const { exporter, batches, answers } = createCollector();
    const queue = createSpanQueue({ exporter, onFault });
    queue.push(spans(128));
    queue.push(spans(150));
    expect(batches).toEqual([128]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(batches).toEqual([128]);
    answers[0]?.resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(batches).toEqual([128, 128]);
    answers[1]?.resolve();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(batches).toEqual([128, 128, 22]);
  });

  test("loses what is too much while the collector does not answer, and counts it", async () => {
    const { exporter, answers } = createCollector();
    const queue = createSpanQueue({ exporter, onFault, maxQueued: 4 });
    queue.push(spans(1));
    await vi.advanceTimersByTimeAsync(1_000);
    for (let i = 0; i < 10; i++) queue.push(spans(1));
    expect(queue.counts()).toEqual({ exported: 0, dropped: 6, failed: 0 });
    answers[0]?.resolve();
    await vi.advanceTimersByTimeAsync(0);
    queue.push(spans(1));
    expect(queue.counts(), "those that wait are still in the way").toEqual({ exported: 1, dropped: 7, failed: 0 });
    await vi.advanceTimersByTimeAsync(1_000);
    queue.push(spans(4));
    expect(queue.counts()).toEqual({ exported: 1, dropped: 7, failed: 0 });
  });

  test("keeps the two spans of a call together, or loses both", () => {
    const queue = createSpanQueue({ exporter: createCollector().exporter, onFault, maxQueued: 3 });
    queue.push(spans(2));
    queue.push(spans(2));
    expect(queue.counts()).toMatchObject({ dropped: 2 });
  });

  test("counts a batch that was not taken, says why, and goes on", async () => {
    const { exporter, batches, answers } = createCollector();
    const queue = createSpanQueue({ exporter, onFault });
    queue.push(spans(3));
    await vi.advanceTimersByTimeAsync(1_000);
    answers[0]?.reject(new Error("gone"));
    await vi.advanceTimersByTimeAsync(0);
    expect([queue.counts(), faults]).toEqual([{ exported: 0, dropped: 0, failed: 3 }, ["gone"]]);
    queue.push(spans(1));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(batches).toEqual([3, 1]);
  });

  test("sends what is left at the end, and takes nothing more", async () => {
    const { exporter, batches, answers } = createCollector();
    const queue = createSpanQueue({ exporter, onFault });
    queue.push(spans(5));
    const closed = queue.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(batches).toEqual([5]);
    answers[0]?.resolve();
    await closed;
    queue.push(spans(2));
    await vi.advanceTimersByTimeAsync(10_000);
    expect([batches, queue.counts()]).toEqual([[5], { exported: 5, dropped: 2, failed: 0 }]);
  });
});

test("the end waits two seconds for a collector that does not answer, and counts what is left", async () => {
  const { exporter } = createCollector();
  const queue = createSpanQueue({ exporter, onFault });
  queue.push(spans(200));
  const started = performance.now();
  await queue.close();
  expect(performance.now() - started).toBeGreaterThan(1_900);
  expect(queue.counts()).toMatchObject({ exported: 0, dropped: 72 });
});
