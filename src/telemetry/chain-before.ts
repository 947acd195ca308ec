/** How a file ends that a chain goes on in: what its last line is, and what a killed process has left behind that. */
import { hash } from "node:crypto";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { readChained } from "./chained-line.ts";
import type { Before } from "./mark-line.ts";

/** Larger than any line. What is not found so far back is not vouched for. */
const MAX_BEFORE_BYTES = 1_048_576;
const NEWLINE = 0x0a;

/** Of a file that is not there, or that cannot be read, nothing: neither can it be written. */
export function readBefore(path: string): Before {
  try {
    const found = statSync(path);
    return found.isFile() ? beforeOf(readTail(path, found.size), found.size > MAX_BEFORE_BYTES) : {};
  } catch {
    return {};
  }
}

/** `isCut`: the tail does not begin where a line does. */
export function beforeOf(tail: Buffer, isCut: boolean): Before {
  for (let end = tail.length; end > 0;) {
    const start = tail.lastIndexOf(NEWLINE, end - 1) + 1;
    const line = readChained(tail.subarray(start, end));
    if (line !== undefined) return { follows: line.chain, unchained: unchained(tail.subarray(end + 1)) };
    end = start - 1;
  }
  return isCut ? {} : { unchained: unchained(tail) };
}

function readTail(path: string, size: number): Buffer {
  const tail = Buffer.alloc(Math.min(size, MAX_BEFORE_BYTES));
  const descriptor = openSync(path, "r");
  try {
    return tail.subarray(0, readSync(descriptor, tail, 0, tail.length, size - tail.length));
  } finally {
    closeSync(descriptor);
  }
}

/** As it will stand in the file: `LogFile` ends half a line before it goes on. */
function unchained(rest: Buffer): Before["unchained"] {
  if (rest.length === 0) return undefined;
  const bytes = rest.at(-1) === NEWLINE ? rest : Buffer.concat([rest, Buffer.of(NEWLINE)]);
  return { bytes: bytes.length, sha256: hash("sha256", bytes) };
}
