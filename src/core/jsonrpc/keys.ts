/** Finds keys that stand twice in one object, by what they mean and not by how they are written. Part of `scan.ts`. */
import { ESCAPED, stringText } from "./tape.ts";
import type { Tape } from "./tape.ts";

export type KeyFault = "too-many" | "duplicate" | "proto";

/** Few keys are compared one by one, many through a set: one by one is quadratic, a set costs an allocation. */
const MANY_KEYS = 16;

export class KeyStack {
  readonly #bytes: Uint8Array;
  #tape: Tape;
  readonly #maxKeys: number;
  #count = 0;
  /** Of all open objects, innermost last. */
  readonly #hashes: number[] = [];
  readonly #indexes: number[] = [];
  /** Where in the two above the innermost object begins, and its set once it has many keys; then those of the outer ones. */
  #start = 0;
  #set: Set<string> | undefined;
  readonly #starts: number[] = [];
  readonly #sets: (Set<string> | undefined)[] = [];

  constructor(bytes: Uint8Array, tape: Tape, maxKeys: number) {
    this.#bytes = bytes;
    this.#tape = tape;
    this.#maxKeys = maxKeys;
  }

  open(): void {
    this.#starts.push(this.#start);
    this.#sets.push(this.#set);
    this.#start = this.#hashes.length;
    this.#set = undefined;
  }

  close(): void {
    while (this.#hashes.length > this.#start) {
      this.#hashes.pop();
      this.#indexes.pop();
    }
    this.#start = this.#starts.pop()!;
    this.#set = this.#sets.pop();
  }

  /** The tape moves when it grows. Answers what is wrong with the key at `index`, if anything is. */
  add(tape: Tape, index: number): KeyFault | undefined {
    this.#tape = tape;
    if (++this.#count > this.#maxKeys) return "too-many";
    if (this.#set !== undefined) return this.#addToSet(this.#set, index);
    const hash = this.#hash(index);
    const hashes = this.#hashes;
    const start = this.#start;
    for (let i = start; i < hashes.length; i++) {
      if (hashes[i] === hash && this.#text(this.#indexes[i]!) === this.#text(index)) return "duplicate";
    }
    if (hash === PROTO_HASH && this.#text(index) === PROTO) return "proto";
    hashes.push(hash);
    this.#indexes.push(index);
    if (hashes.length - start === MANY_KEYS) {
      this.#set = new Set(this.#indexes.slice(start).map((i) => this.#setKey(i)));
    }
    return undefined;
  }

  #addToSet(set: Set<string>, index: number): KeyFault | undefined {
    const key = this.#setKey(index);
    if (set.has(key)) return "duplicate";
    set.add(key);
    return key === `.${PROTO}` ? "proto" : undefined;
  }

  /** With a dot before it, so that a flood of integer-like keys does not meet V8's array-index hash. */
  #setKey(index: number): string {
    return `.${this.#text(index)}`;
  }

  #text(index: number): string {
    return stringText(this.#bytes, this.#tape, index);
  }

  #hash(index: number): number {
    const tape = this.#tape;
    if ((tape[index]! & ESCAPED) !== 0) return hashText(this.#text(index));
    const bytes = this.#bytes;
    const end = tape[index + 2]!;
    let hash = 0;
    for (let i = tape[index + 1]!; i < end; i++) {
      const byte = bytes[i]!;
      if (byte >= 0x80) return hashText(this.#text(index));
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    return hash;
  }
}

function hashText(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

const PROTO = "__proto__";
const PROTO_HASH = hashText(PROTO);
