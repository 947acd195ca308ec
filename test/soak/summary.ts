/** What a soak has done, for people. */
import type { SoakOptions, SoakReport } from "./soak.ts";

const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

export function summaryOf({ seed, seconds }: SoakOptions, report: SoakReport): string {
  const { calls, kinds, stretches, edits, stops, kills, unanswered, unlogged, heap } = report;
  const [longest] = heap.toSorted((one, other) => other.calls - one.calls);
  return [
    `soak of ${seconds} s with seed ${seed}: ${calls} calls in ${stretches} stretches`,
    ...Object.entries(kinds).map(([kind, count]) => `${String(count).padStart(9)}  ${kind}`),
    `${edits} policy files written, ${stops} stops (SIGTERM), ${kills} kills (SIGKILL)`,
    `${unanswered} calls unanswered around them; ${unlogged} answered whose lines went with a killed process`,
    `heap and buffers of the longest process: ${megabytes(longest?.atFirst ?? 0)} MB in its first stretches, ` +
      `${megabytes(longest?.atLast ?? 0)} MB after ${longest?.calls} calls`,
  ].join("\n");
}
