/** The lines of a decision log that are about the log itself: where a chain begins and ends, and where lines were lost. */
import type { LINE_VERSION } from "./decision-line.ts";

/** What was in the file before, where a process goes on writing to one: all of it is vouched for. */
export type Before = {
  /** The chain of the last line that has one. */
  readonly follows?: string | undefined;
  /** What stands after that line, and is no line of a chain: half of one that a killed process left, or others. */
  readonly unchained?: Unchained | undefined;
};
export type Unchained = { readonly bytes: number; readonly sha256: string };

export type Mark =
  /** Each process that writes a chain begins a segment of its own. */
  | ({ readonly event: "begin"; readonly segment: string; readonly keyed: boolean } & Before)
  | { readonly event: "gap"; readonly lost: number }
  | { readonly event: "end" };

export type MarkLine = { readonly v: typeof LINE_VERSION; readonly time: string } & Mark;

/** What a line of a chain ends with. */
export type Link = { readonly seq: number; readonly chain: string };
