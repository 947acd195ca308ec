/**
 * A text that was cut between the two halves of an emoji: JavaScript writes the half that is left as an escape
 * (well-formed JSON.stringify, ECMA-262), so servers send it. Readers differ: JavaScript keeps it, pydantic and serde
 * refuse the document. All of them read the same once U+FFFD, which means just that, stands in its place.
 */
import { scan } from "./scan.ts";
import type { Fault, Json, ScanLimits } from "./scan.ts";

/** As `scan`, of the document without lone surrogates: `bytes` of the result are then others than came. */
export function scanMended(bytes: Uint8Array, limits: ScanLimits): Json | Fault {
  const json = scan(bytes, limits);
  if (json.kind === "json") return json;
  const mended = withoutLoneSurrogates(bytes);
  return mended === bytes ? json : scan(mended, limits);
}

const BACKSLASH = 0x5c;
const U = 0x75;
const REPLACEMENT = [BACKSLASH, U, 0x66, 0x66, 0x66, 0x64]; // \ufffd

/** The same bytes when there is none. Where no string stands there is no backslash either, or it is no JSON. */
function withoutLoneSurrogates(bytes: Uint8Array): Uint8Array {
  let mended = bytes;
  for (let at = bytes.indexOf(BACKSLASH); at !== -1; at = bytes.indexOf(BACKSLASH, at)) {
    const unit = unitAt(bytes, at);
    if (!isSurrogate(unit)) at += 2;
    else if (unit < 0xdc00 && isLow(unitAt(bytes, at + 6))) at += 12;
    else {
      if (mended === bytes) mended = bytes.slice();
      mended.set(REPLACEMENT, at);
      at += 6;
    }
  }
  return mended;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** Of an escape `\uXXXX`; no surrogate for anything else: fewer digits are too small a number. */
function unitAt(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== BACKSLASH || bytes[at + 1] !== U) return -1;
  return Number.parseInt(String.fromCharCode(...bytes.subarray(at + 2, at + 6)), 16);
}
