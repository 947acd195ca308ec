/**
 * Lines that vouch for those before them: each ends with its number and a hash of itself and of the hash before. What was
 * changed, taken out, moved or put in is found by `verify-chain.ts`. With a key nobody else can make up such a hash.
 * docs/decision-log.md, "The chain", has the format.
 */
import { createHash, createHmac, createSecretKey, hash } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";

/** Undefined: a plain hash, which anybody can compute. As an object: made once, it costs a sixth of its bytes. */
export type ChainKey = KeyObject | undefined;

const MIN_KEY_BYTES = 32;

/** A key is all the bytes of its file. Throws when that is too short for one. */
export function readChainKey(path: string): KeyObject {
  const key = readFileSync(path);
  if (key.length >= MIN_KEY_BYTES) return createSecretKey(key);
  throw new Error(`${path}: expected a key of at least ${MIN_KEY_BYTES} bytes, not ${key.length}`);
}

/** `before`: the hash of the line before, empty for the first; `body`: the line up to and without its `chain`. */
export function chainOf(before: string, body: string | Uint8Array, key: ChainKey): string {
  if (key !== undefined) return createHmac("sha256", key).update(before).update(body).digest("hex");
  return typeof body === "string"
    ? hash("sha256", before + body)
    : createHash("sha256").update(before).update(body).digest("hex");
}

/** Where a chain is now: kept elsewhere, it shows that nothing before it was cut off. */
export type Head = { readonly segment: string; readonly seq: number; readonly chain: string };

/** The lines that one process writes. */
export class Segment {
  readonly name: string;
  readonly #key: ChainKey;
  #seq = 0;
  #chain = "";

  constructor(name: string, key: ChainKey) {
    this.name = name;
    this.#key = key;
  }

  get isKeyed(): boolean {
    return this.#key !== undefined;
  }

  get head(): Head {
    return { segment: this.name, seq: this.#seq - 1, chain: this.#chain };
  }

  /** An object as text, linked to the one before. */
  link(object: string): string {
    const body = `${object.slice(0, -1)},"seq":${this.#seq++}`;
    this.#chain = chainOf(this.#chain, body, this.#key);
    return `${body},"chain":"${this.#chain}"}`;
  }
}
