/**
 * The canonical form of a document, made from the tokens just read: no insignificant white space, each string with its
 * one shortest escape form, numbers as their lexemes, keys in their order. Never through JSON.stringify(JSON.parse()),
 * which rounds 9007199254740993 and reorders integer-like keys.
 */
import { utf8 } from "../bytes.ts";
import { ARRAY, KIND, LOOSE, OBJECT, STRING, stringText, WIDTH } from "./tape.ts";
import { ROOT, span } from "./json.ts";
import type { At } from "./json.ts";
import type { Json } from "./scan.ts";

/** The bytes that were read, where they are the canonical form already. */
export function canonical(json: Json): Uint8Array {
  if (json.canonical) return json.bytes;
  return canonicalValue(json, ROOT);
}

/** The canonical form of the value at `at`. */
export function canonicalValue(json: Json, at: At): Uint8Array {
  const [start, end] = span(json, at);
  // It is never longer than what it was read from.
  const writer = new Writer(json, end - start);
  writer.value(at);
  return writer.written();
}

class Writer {
  readonly #json: Json;
  readonly #out: Uint8Array;
  #length = 0;

  constructor(json: Json, maxBytes: number) {
    this.#json = json;
    this.#out = new Uint8Array(maxBytes);
  }

  written(): Uint8Array {
    return this.#out.subarray(0, this.#length);
  }

  /** Recursive: the scanner has limited the depth. Answers the index of what follows. */
  value(at: number): number {
    const { tape, bytes } = this.#json;
    const kind = tape[at]! & KIND;
    if (kind === STRING) return this.#string(at);
    if (kind !== OBJECT && kind !== ARRAY) {
      this.#put(bytes.subarray(tape[at + 1], tape[at + 2]));
      return at + WIDTH;
    }
    const end = tape[at + 3]!;
    this.#byte(kind === OBJECT ? 0x7b : 0x5b);
    for (let child = at + WIDTH, first = true; child < end; first = false) {
      if (!first) this.#byte(0x2c);
      if (kind === OBJECT) {
        child = this.#string(child);
        this.#byte(0x3a);
      }
      child = this.value(child);
    }
    this.#byte(kind === OBJECT ? 0x7d : 0x5d);
    return end;
  }

  #string(at: number): number {
    const { tape, bytes } = this.#json;
    const loose = (tape[at]! & LOOSE) !== 0;
    if (loose) {
      // JSON.stringify writes exactly the canonical form of a string without lone surrogates (ECMA-262, QuoteJSONString).
      this.#put(utf8(JSON.stringify(stringText(bytes, tape, at))));
    } else {
      this.#put(bytes.subarray(tape[at + 1]! - 1, tape[at + 2]! + 1));
    }
    return at + WIDTH;
  }

  #byte(byte: number): void {
    this.#out[this.#length++] = byte;
  }

  #put(slice: Uint8Array): void {
    this.#out.set(slice, this.#length);
    this.#length += slice.length;
  }
}
