import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BOUNDS_SECONDS, bucketOf, BUCKETS, quantile } from "../../src/telemetry/latency.ts";

describe("bucketOf()", () => {
  test("is the first whose bound is not less", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 400_000, noNaN: true }), (durationMs) => {
        const bucket = bucketOf(durationMs);
        const slow = BOUNDS_SECONDS.findIndex((bound) => durationMs / 1_000 <= bound);
        expect(bucket).toBe(slow === -1 ? BUCKETS - 1 : slow);
      }),
    );
  });

  test("takes a duration that is a bound into its own bucket", () => {
    expect(BOUNDS_SECONDS.map((bound) => bucketOf(bound * 1_000))).toEqual(BOUNDS_SECONDS.map((_, i) => i));
  });
});

describe("quantile()", () => {
  const latency = (counts: readonly number[]) => ({ bounds: [1, 2, 4], counts });

  test.each([
    [0.5, [0, 0, 0, 0], null],
    [0.5, [4, 0, 0, 0], 0.5],
    [0.5, [0, 4, 0, 0], 1.5],
    [0.75, [2, 2, 0, 0], 1.5],
    [0.5, [2, 0, 2, 0], 1],
    [1, [1, 1, 1, 0], 4],
    [0.99, [1, 0, 0, 9], 4],
  ])("%s of %j is %s, as histogram_quantile() has it", (q, counts, expected) => {
    expect(quantile(q, latency(counts))).toBe(expected);
  });

  test("grows with q", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(20), { minLength: 4, maxLength: 4 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (counts, one, other) => {
          const [low, high] = [Math.min(one, other), Math.max(one, other)];
          const [at, then] = [quantile(low, latency(counts)), quantile(high, latency(counts))];
          expect(at === null ? then === null : then !== null && at <= then).toBe(true);
        },
      ),
    );
  });
});
