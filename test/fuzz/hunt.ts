/** Tries a property on generated cases, in batches so that foreign readers are asked about many at once. */
import * as fc from "fast-check";
import type { Property } from "./property.ts";
import type { Readers } from "./readers/readers.ts";

/** The case that breaks the property, as small as it could be made. */
export type Failure = { readonly seed: number; readonly case: unknown; readonly message: string };

export type Report = {
  readonly tried: number;
  /** How often each end was reached. */
  readonly reached: ReadonlyMap<string, number>;
  readonly failure: Failure | undefined;
};

const BATCH = 64;
const BATCHES_A_SEED = 40;

/** `excused`: messages of breaks that are known. */
export type Plan = { readonly runs: number; readonly seed: number; readonly excused: ReadonlySet<string> };

/** At least `runs` cases. The same seed tries the same ones. */
export async function hunt(property: Property, readers: Readers, { runs, seed, excused }: Plan): Promise<Report> {
  using _ = property.open?.();
  const tally: { tried: number; reached: Map<string, number> } = { tried: 0, reached: new Map() };
  let failed = false;
  const batches = fc.array(property.cases, { minLength: 1, maxLength: BATCH, size: "max" });
  const isKept = fc.asyncProperty(batches, async (batch) => {
    const ends = await Promise.all(batch.map((one) => endOf(property, readers, one)));
    const broken = ends.find((end) => isNews(end, excused));
    failed ||= broken !== undefined;
    if (broken !== undefined) throw new Error(broken.text);
    // While a failure shrinks, nothing new is tried.
    if (failed) return;
    tally.tried += ends.length;
    for (const { text, isBroken } of ends) {
      const end = isBroken ? `known: ${text}` : text;
      tally.reached.set(end, (tally.reached.get(end) ?? 0) + 1);
    }
  });
  for (let next = seed; tally.tried < runs; next++) {
    const numRuns = Math.max(1, Math.min(BATCHES_A_SEED, Math.ceil((runs - tally.tried) / (BATCH / 2))));
    const { counterexample } = await fc.check(isKept, { numRuns, seed: next });
    for (const one of counterexample?.[0] ?? []) {
      const end = await endOf(property, readers, one);
      if (isNews(end, excused)) return { ...tally, failure: { seed: next, case: one, message: end.text } };
    }
    if (counterexample !== null) throw new Error(`${property.name} with the seed ${next} breaks once and not again`);
  }
  return { ...tally, failure: undefined };
}

type End = { readonly text: string; readonly isBroken: boolean };

const isNews = ({ text, isBroken }: End, excused: ReadonlySet<string>): boolean => isBroken && !excused.has(text);

/** What one case comes to. */
export async function endOf(property: Property, readers: Readers, one: unknown): Promise<End> {
  try {
    return { text: await property.check(one, readers), isBroken: false };
  } catch (error: unknown) {
    // An assertion puts the difference on lines of its own: the first says which promise it is, for every case.
    return { text: String(error instanceof Error ? error.message : error).split("\n", 1)[0] ?? "", isBroken: true };
  }
}
