/** A line of a chain, read as bytes: what is hashed of it, and what it says of itself. */
import type { MarkLine } from "./mark-line.ts";

export type ChainedLine = {
  readonly body: Uint8Array;
  readonly seq: number;
  readonly chain: string;
  readonly time: string;
  readonly mark: MarkLine | undefined;
};

const END = /,"seq":(0|[1-9][0-9]{0,14}),"chain":"([0-9a-f]{64})"\}$/;
const CHAIN_BYTES = ',"chain":""}'.length + 64;
/** Longer than the end of any line can be. */
const END_BYTES = 128;
const START = /^\{"v":1,"time":"([^"]*)"(,"event":")?/;
const START_BYTES = 64;

/**
 * Undefined: it is none, or not all of one. No part of a line has its end: only this `seq` is followed by a `chain`, since
 * in strings the quotes have a backslash, and arguments are strings.
 */
export function readChained(line: Buffer): ChainedLine | undefined {
  const end = END.exec(line.toString("latin1", Math.max(0, line.length - END_BYTES)));
  const start = START.exec(line.toString("latin1", 0, START_BYTES));
  if (end === null || start === null) return undefined;
  const [, seq = "", chain = ""] = end;
  const [, time = "", event] = start;
  const mark = event === undefined ? undefined : readMark(line);
  return { body: line.subarray(0, line.length - CHAIN_BYTES), seq: Number(seq), chain, time, mark };
}

/** What is changed in a mark is found by its hash; here it need only be JSON. */
function readMark(line: Buffer): MarkLine | undefined {
  try {
    return JSON.parse(line.toString()) as MarkLine;
  } catch {
    return undefined;
  }
}
