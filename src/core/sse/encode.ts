/** An event to bytes, in the one form that all clients read alike: LF, one data line, a blank line at its end. */
import { concat, utf8 } from "../bytes.ts";
import { hasLineSeparator } from "./parse.ts";

export type Fields = {
  readonly type: string;
  readonly id: Uint8Array | undefined;
  readonly retry: Uint8Array | undefined;
  /** JSON text; undefined keeps only the id and the retry time. */
  readonly data: Uint8Array | undefined;
};

const [EVENT, ID, RETRY, DATA, NEWLINE] = ["event: ", "id: ", "retry: ", "data: ", "\n"].map(utf8) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

export function encodeEvent({ type, id, retry, data }: Fields): Uint8Array {
  const slices: Uint8Array[] = [];
  if (type !== "") slices.push(EVENT, utf8(type), NEWLINE);
  if (id !== undefined) slices.push(ID, id, NEWLINE);
  if (retry !== undefined) slices.push(RETRY, retry, NEWLINE);
  if (data !== undefined)
    slices.push(DATA, hasLineSeparator(data) ? escapeSeparators(oneLine(data)) : oneLine(data), NEWLINE);
  return concat([...slices, NEWLINE]);
}

/** A line end in JSON is white space between its tokens. */
const oneLine = (json: Uint8Array): Uint8Array =>
  json.includes(LF) || json.includes(CR) ? json.map((byte) => (byte === LF || byte === CR ? SPACE : byte)) : json;

const [LF, CR, SPACE] = [0x0a, 0x0d, 0x20];

/** In JSON they stand in strings only, where an escape means the same. */
function escapeSeparators(json: Uint8Array): Uint8Array {
  const text = new TextDecoder("utf-8").decode(json);
  return utf8(text.replaceAll(/[\u0085\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`));
}
