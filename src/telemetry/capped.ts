/**
 * HOT: counters and histograms whose label sets are ours: capped, expiring, found without confusion. A label set is written
 * out once, when it is made, so that a scrape only puts numbers behind it; an increment is a look-up and an addition.
 */
import { formatLabels } from "./exposition.ts";
import type { Family } from "./exposition.ts";
import { createLabelSets } from "./label-sets.ts";
import type { Labels, LabelSetOptions, LabelSets } from "./label-sets.ts";

type Options<Name extends string> = Pick<LabelSetOptions<Name, unknown>, "names" | "closed" | "cap" | "onOverflow"> &
  Pick<Family, "name" | "help">;

/** Lets go of what was last used at that time or before. */
export type CappedSeries = Family & { expire(idleSinceMs: number): void };

type Capped<Name extends string> = CappedSeries & {
  /** Shows these labels at zero, or what is counted under them, however idle; while there is room for it. */
  hold(labels: Labels<Name>, nowMs: number): void;
};

export type CappedCounter<Name extends string> = Capped<Name> & {
  add(labels: Labels<Name>, nowMs: number, by?: number): void;
};

export type CappedHistogram<Name extends string> = Capped<Name> & {
  /** `example`: the call that this is about, when it is traced. */
  observe(labels: Labels<Name>, nowMs: number, value: number, example?: Example): void;
  /** To observe under labels that are held at each scrape, without looking for them. */
  bind(labels: Labels<Name>, nowMs: number): (value: number) => void;
};

export function createCounter<Name extends string>({ name, help, ...options }: Options<Name>): CappedCounter<Name> {
  const create = (labels: Labels<Name>) => ({ labels: formatLabels(labels), value: 0 });
  const sets = createLabelSets({ ...options, create });
  return {
    ...cappedBy(sets),
    name,
    help,
    type: "counter",
    add(labels, nowMs, by = 1) {
      sets.at(labels, nowMs).value += by;
    },
    *texts() {
      for (const { item } of sets.values()) yield `${name}{${item.labels}} ${item.value}\n`;
    },
  };
}

/** A call that can be looked up as a trace. `atMs`: since 1970, when it has ended. */
type Example = { readonly traceId: string; readonly atMs: number };

/** The last one that fell between two bounds. */
type Exemplar = Example & { readonly value: number };

type Distribution = {
  readonly labels: string;
  /** One more than there are bounds. */
  readonly counts: number[];
  sum: number;
  /** Most label sets never have one. */
  exemplars: (Exemplar | undefined)[] | undefined;
};

type HistogramOptions<Name extends string> = Options<Name> & { readonly bounds: readonly number[] };

export function createHistogram<Name extends string>(options: HistogramOptions<Name>): CappedHistogram<Name> {
  const { name, help, bounds, ...rest } = options;
  const create = (labels: Labels<Name>): Distribution => ({
    labels: formatLabels(labels),
    counts: Array.from({ length: bounds.length + 1 }, () => 0),
    sum: 0,
    exemplars: undefined,
  });
  const sets = createLabelSets({ ...rest, create });
  const les = [...bounds.map(String), "+Inf"];
  const count = (item: Distribution, value: number): number => {
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    item.counts[bucket] = (item.counts[bucket] as number) + 1;
    item.sum += value;
    return bucket;
  };
  return {
    ...cappedBy(sets),
    name,
    help,
    type: "histogram",
    observe(labels, nowMs, value, example) {
      const item = sets.at(labels, nowMs);
      const bucket = count(item, value);
      if (example !== undefined) (item.exemplars ??= [])[bucket] = { ...example, value };
    },
    bind(labels, nowMs) {
      const item = sets.at(labels, nowMs);
      return (value) => void count(item, value);
    },
    *texts(format) {
      for (const { item } of sets.values()) {
        let text = "";
        let total = 0;
        for (const [bucket, le] of les.entries()) {
          total += item.counts[bucket] as number;
          const exemplar = format === "openmetrics" ? formatExemplar(item.exemplars?.[bucket]) : "";
          text += `${name}_bucket{${item.labels},le="${le}"} ${total}${exemplar}\n`;
        }
        yield `${text}${name}_sum{${item.labels}} ${item.sum}\n${name}_count{${item.labels}} ${total}\n`;
      }
    },
  };
}

const formatExemplar = (exemplar: Exemplar | undefined): string =>
  exemplar === undefined ? "" : ` # {trace_id="${exemplar.traceId}"} ${exemplar.value} ${exemplar.atMs / 1_000}`;

const cappedBy = <Name extends string, Item>(sets: LabelSets<Name, Item>): Pick<Capped<Name>, "hold" | "expire"> => ({
  hold: (labels, nowMs) => sets.hold(labels, nowMs),
  expire: (idleSinceMs) => sets.expire(idleSinceMs),
});
