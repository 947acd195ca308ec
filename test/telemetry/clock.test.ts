/** What depends on time in the metrics is measured by a clock that does not jump. */
import { expect, onTestFinished, test, vi } from "vitest";
import { record } from "./records.ts";
import { create, samples } from "./samples.ts";

const DAY_MS = 86_400_000;

test("no series is taken for idle when the clock on the wall jumps", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const metrics = create();
  metrics.record(record());
  for (const days of [1, -2]) {
    vi.setSystemTime(Date.now() + days * DAY_MS);
    expect(await samples(metrics, "toolgate_requests_total")).toMatchObject([{ value: 1 }]);
  }
});
