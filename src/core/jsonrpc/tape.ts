/**
 * What the scanner leaves behind: not a tree but a tape, four numbers a value in document order, so that a body costs one
 * array and strings are made only for what policy asks for. `json.ts` reads it by meaning.
 */

/** What stands at a value's index: its kind, with flags for strings. */
export const OBJECT = 0;
export const ARRAY = 1;
export const STRING = 2;
export const NUMBER = 3;
export const TRUE = 4;
export const FALSE = 5;
export const NULL = 6;
export const KIND = 7;
/** The string holds escapes: its bytes are not its text. */
export const ESCAPED = 8;
/** The string is not in its canonical form. */
export const LOOSE = 16;

/** Numbers a value: kind and flags, first byte, byte after the last (strings: without quotes), index of what follows it. */
export const WIDTH = 4;

export type Tape = Int32Array;

/**
 * Small tapes are cut from blocks: an Int32Array of its own costs 0.8 us, more than scanning a usual call. Measured on a
 * call of 137 bytes: 1.6 us with one array each, 0.95 us with a plain array, 0.7 us like this.
 */
const BLOCK = 16_384;
const SMALL = 512;
let block = new Int32Array(BLOCK);
let used = 0;

/** A tape to write to. What is needed of it is kept by `finishTape`, before the next one is taken. */
export function takeTape(documentBytes: number): Tape {
  if (documentBytes > 4 * SMALL) return new Int32Array((documentBytes >> 4) * WIDTH);
  if (used + SMALL > BLOCK) {
    block = new Int32Array(BLOCK);
    used = 0;
  }
  return block.subarray(used, used + SMALL);
}

export function growTape(tape: Tape): Tape {
  const larger = new Int32Array(tape.length * 2);
  larger.set(tape);
  return larger;
}

export function finishTape(tape: Tape, size: number): void {
  if (tape.buffer === block.buffer) used += size;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const SHORT_BYTES = 16;

/** The text of the string at `at`. */
export function stringText(bytes: Uint8Array, tape: Tape, at: number): string {
  const start = tape[at + 1]!;
  const end = tape[at + 2]!;
  if ((tape[at]! & ESCAPED) !== 0) {
    // The scanner has checked it: JSON.parse of one string literal cannot fail or mean anything else.
    return JSON.parse(decoder.decode(bytes.subarray(start - 1, end + 1))) as string;
  }
  const short = end - start <= SHORT_BYTES ? asciiText(bytes, start, end) : undefined;
  return short ?? decoder.decode(bytes.subarray(start, end));
}

/** Short names without a call into the decoder, which costs 0.2 us: as much as making 16 characters one by one. */
function asciiText(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
