/**
 * Reads the lines of a decision log in their order, and says where its chain breaks. It holds one line at a time, so that a
 * log may be of any size. What cannot be found is in docs/decision-log.md, "What it proves".
 */
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { chainOf } from "./chain.ts";
import type { ChainKey } from "./chain.ts";
import { readChained } from "./chained-line.ts";
import type { ChainedLine } from "./chained-line.ts";
import type { MarkLine } from "./mark-line.ts";

/** Without its end; `isEnded`: it has one. */
export type LogLine = { readonly place: string; readonly bytes: Buffer; readonly isEnded: boolean };

export type Break = {
  readonly place: string;
  readonly what: "changed" | "missing" | "moved" | "not the key";
  readonly why: string;
};

/** What is known of the lines that one process wrote. */
export type SegmentReport = {
  /** Undefined: its beginning is not here. */
  readonly name: string | undefined;
  readonly lines: number;
  /** As the lines say it. */
  readonly first: string;
  readonly last: string;
  /** Lines that it says were lost. */
  readonly lost: number;
  /** Whether it was stopped in order. If not, it runs, was killed, or its end was cut off. */
  readonly isEnded: boolean;
  /** The first, if there is any. */
  readonly broken: Break | undefined;
  /** Of its last line. */
  readonly chain: string;
};

export type VerifyOptions = {
  readonly key: ChainKey;
  /** The chain of the line before the first; undefined: there is none. */
  readonly after: string | undefined;
  /** The chain of a line that has to be there; undefined: none is known. */
  readonly head: string | undefined;
  readonly onSegment: (report: SegmentReport) => void;
};

export type Verified = {
  /** What is left at the end: a killed process leaves half a line, and so does one that is writing. */
  readonly half: { readonly place: string; readonly bytes: number } | undefined;
  readonly isHeadFound: boolean;
};

type Begin = MarkLine & { readonly event: "begin" };
type Open = { -readonly [Member in keyof SegmentReport]: SegmentReport[Member] } & { seq: number };

/** What stands behind the last line of the chain, and is none: half a line, if it has no end. */
type Loose = { readonly place: string; bytes: number; readonly digest: Hash; half: Buffer | undefined };

export class ChainVerifier {
  readonly #options: VerifyOptions;
  readonly #names = new Set<string>();
  #open: Open | undefined;
  #loose: Loose | undefined;
  #isHeadFound = false;

  constructor(options: VerifyOptions) {
    this.#options = options;
  }

  add(line: LogLine): void {
    const found = readChained(line.bytes) ?? this.#joined(line);
    if (found === undefined) return this.#addLoose(line);
    if (found.mark?.event === "begin") this.#begin(line.place, found, found.mark);
    else this.#goOn(line.place, found);
  }

  /** No more lines come. */
  end(): Verified {
    const loose = this.#loose;
    const isHalf = loose?.half !== undefined && !WHOLE.test(loose.half.toString("latin1"));
    if (loose !== undefined && !isHalf) this.#break(loose.place, "changed", NO_LINE);
    this.#finish();
    const { head } = this.#options;
    return { half: isHalf ? loose : undefined, isHeadFound: head === undefined || this.#isHeadFound };
  }

  /** A line that a full disk has cut in two: the rest of it is in the next file. */
  #joined({ bytes }: LogLine): ChainedLine | undefined {
    const half = this.#loose?.half;
    const whole = half && readChained(Buffer.concat([half, bytes]));
    if (whole !== undefined) this.#loose = undefined;
    return whole;
  }

  #addLoose({ place, bytes, isEnded }: LogLine): void {
    if (this.#loose === undefined)
      this.#loose = { place, bytes: 0, digest: createHash("sha256"), half: isEnded ? undefined : bytes };
    else this.#loose.half = undefined;
    this.#loose.digest.update(bytes);
    if (isEnded) this.#loose.digest.update("\n");
    this.#loose.bytes += bytes.length + (isEnded ? 1 : 0);
  }

  #begin(place: string, line: ChainedLine, begin: Begin): void {
    const before = this.#open;
    const loose = this.#loose;
    this.#loose = undefined;
    const isVouchedFor = vouchesFor(begin, loose);
    if (before !== undefined && loose !== undefined && !isVouchedFor) this.#break(loose.place, "changed", NO_LINE);
    this.#finish();
    this.#start(begin.segment);
    if (!isVouchedFor && loose === undefined)
      this.#break(place, "missing", "what stood before it, as it says, is not here");
    if (!isVouchedFor && before === undefined) this.#break(loose?.place ?? place, "changed", NO_LINE);
    this.#checkFollows(place, begin.follows, before);
    if (this.#names.has(begin.segment)) this.#break(place, "moved", "its segment is here twice");
    this.#names.add(begin.segment);
    const { key } = this.#options;
    if (begin.keyed !== (key !== undefined))
      this.#break(place, "not the key", begin.keyed ? "it was made with a key" : "it was made without a key");
    this.#check(place, line, "");
  }

  /** Behind other lines a segment may follow nothing: it was written where those were not to be seen. */
  #checkFollows(place: string, followed: string | undefined, before: Open | undefined): void {
    const { after } = this.#options;
    const previous = before === undefined ? after : before.chain;
    if (followed === undefined && (before !== undefined || after === undefined)) return;
    const said =
      followed === undefined ? "it follows nothing" : `the line before it, as it says, has the chain ${followed}`;
    if (followed !== previous) this.#break(place, "missing", said);
  }

  #goOn(place: string, line: ChainedLine): void {
    const { after } = this.#options;
    const open = this.#open ?? this.#start(undefined);
    if (this.#loose !== undefined) this.#break(this.#loose.place, "changed", NO_LINE);
    this.#loose = undefined;
    const isFirst = open.lines === 0;
    if (isFirst && after === undefined)
      this.#break(place, "missing", `it is line ${line.seq} of its segment, and those before are not here`);
    const expected = isFirst ? line.seq : open.seq + 1;
    if (line.seq > expected) this.#break(place, "missing", `lines ${expected} to ${line.seq - 1} of the segment`);
    if (line.seq < expected) this.#break(place, "moved", `it is line ${line.seq} of its segment, not ${expected}`);
    this.#check(place, line, isFirst ? (after ?? "") : open.chain);
  }

  #check(place: string, line: ChainedLine, before: string): void {
    const { key, head } = this.#options;
    const open = this.#open ?? this.#start(undefined);
    if (chainOf(before, line.body, key) !== line.chain)
      this.#break(place, "changed", key === undefined ? "its hash is another" : "its hash is another, or the key is");
    this.#isHeadFound ||= line.chain === head;
    open.lines++;
    open.seq = line.seq;
    open.chain = line.chain;
    open.last = line.time;
    if (open.first === "") open.first = line.time;
    if (line.mark?.event === "gap") open.lost += line.mark.lost;
    if (line.mark?.event === "end") open.isEnded = true;
  }

  #start(name: string | undefined): Open {
    const report = { name, lines: 0, first: "", last: "", lost: 0, isEnded: false, broken: undefined, chain: "" };
    return (this.#open = { ...report, seq: -1 });
  }

  #break(place: string, what: Break["what"], why: string): void {
    const open = this.#open ?? this.#start(undefined);
    open.broken ??= { place, what, why };
  }

  #finish(): void {
    if (this.#open === undefined) return;
    const { seq: _, ...report } = this.#open;
    this.#open = undefined;
    this.#options.onSegment(report);
  }
}

/** Whether a segment that begins behind what is no line of the chain has said so. */
function vouchesFor({ unchained, follows }: Begin, loose: Loose | undefined): boolean {
  if (loose === undefined) return unchained === undefined;
  // Half a line that was killed, and its file moved away before the next process came.
  if (unchained === undefined) return loose.half !== undefined && follows === undefined;
  return unchained?.sha256 === loose.digest.digest("hex") && unchained.bytes === loose.bytes;
}

/** More than a whole line: it has been changed, and is not half of one. */
const WHOLE = /,"seq":[0-9]+,"chain":"[0-9a-f]{64}"\}/;
const NO_LINE = "it is no line of the chain";
