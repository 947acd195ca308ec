/** The last minutes slot by slot, for charts. */
import { quantile } from "./latency.ts";
import { groupBy, isError, merge } from "./signals.ts";
import type { History, TrafficSeries } from "./traffic.ts";

export type Chart = {
  readonly slotSeconds: number;
  /** When each began, in seconds since 1970. */
  readonly slots: readonly number[];
  readonly series: readonly {
    readonly server: string;
    readonly method: string;
    readonly name: string;
    readonly requests: readonly number[];
    /** What the server, or the tool itself, could not do. */
    readonly errors: readonly number[];
    readonly denied: readonly number[];
    /** Seconds. */
    readonly p95: readonly (number | null)[];
  }[];
};

export function chart({ slotSeconds, slots, series }: History): Chart {
  const groups = groupBy(series, ({ server, method, name }) => ({ server, method, name }));
  const bySlot = <T>(read: (slot: number) => T): readonly T[] => slots.map((_, slot) => read(slot));
  return {
    slotSeconds,
    slots,
    series: groups.map(({ key, rows }) => ({
      ...key,
      requests: bySlot((slot) => sum(rows, slot)),
      errors: bySlot((slot) => sum(rows.filter(isError), slot)),
      denied: bySlot((slot) =>
        sum(
          rows.filter(({ result }) => result === "denied"),
          slot,
        ),
      ),
      p95: bySlot((slot) => quantile(0.95, merge(rows.flatMap(({ slots: own }) => own[slot]?.latency ?? [])))),
    })),
  };
}

const sum = (rows: readonly TrafficSeries[], slot: number): number =>
  rows.reduce((total, { slots }) => total + (slots[slot]?.requests ?? 0), 0);
