/** Latencies as counts between bounds, and the quantiles that can be read off them, as Prometheus reads its own. */

/**
 * Six in each power of ten, from 1 ms to 300 s: a quantile is then at most half as large again as what it stands for, where
 * the bounds of `/metrics` allow two and a half times.
 */
export const BOUNDS_SECONDS: readonly number[] = [0.001, 0.01, 0.1, 1, 10, 100]
  .flatMap((decade) => [1, 1.5, 2, 3, 5, 7].map((step) => Number((step * decade).toPrecision(2))))
  .filter((bound) => bound <= 300);

const BOUNDS_MS = Float64Array.from(BOUNDS_SECONDS, (bound) => Number((bound * 1_000).toPrecision(2)));
/** One more than there are bounds: the last is for what is over all of them. */
export const BUCKETS = BOUNDS_MS.length + 1;

/** The first whose bound is not less. */
export function bucketOf(durationMs: number): number {
  let low = 0;
  let high = BOUNDS_MS.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((BOUNDS_MS[middle] as number) < durationMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many were between each bound and the one before. */
export type Latency = { readonly bounds: readonly number[]; readonly counts: ArrayLike<number> };

/**
 * In seconds; null when there is nothing to say. Between two bounds all are taken to be spread evenly; of what is over the
 * last bound, only that it is over is known.
 */
export function quantile(q: number, { bounds, counts }: Latency): number | null {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i] ?? 0;
  if (total === 0) return null;
  const rank = q * total;
  let below = 0;
  for (const [i, bound] of bounds.entries()) {
    const here = counts[i] ?? 0;
    if (here > 0 && below + here >= rank) {
      const from = bounds[i - 1] ?? 0;
      return from + ((bound - from) * (rank - below)) / here;
    }
    below += here;
  }
  return bounds.at(-1) ?? null;
}
