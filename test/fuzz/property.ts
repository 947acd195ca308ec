/** One promise of the product (docs/fuzzing.md, P1 to P9): what it is asked about, and how to see that it is kept. */
import type { Arbitrary } from "fast-check";
import type { ReaderName, Readers } from "./readers/readers.ts";

export type Property<Case = unknown> = {
  /** Names files and table rows. */
  readonly name: string;
  /** A sentence without its end: the name of the test. */
  readonly promise: string;
  /** The foreign readers without which it says nothing. */
  readonly needs: readonly ReaderName[];
  readonly cases: Arbitrary<Case>;
  /** Opens what all checks of a hunt share, and that costs too much for each. */
  open?(): Disposable;
  /** Throws when the promise is broken; else says what the case has reached, in words that can be counted. */
  check(one: Case, readers: Readers): string | Promise<string>;
};
