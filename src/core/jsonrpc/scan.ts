/**
 * HOT: the strict JSON scanner. One pass over the bytes of a whole document: RFC 8259 without any leniency, valid UTF-8
 * (RFC 3629), no duplicate key at any depth, no lone surrogate, no `__proto__`, within limits. What two parsers could
 * read differently is a fault here; what is left has one meaning.
 * Twin: test/oracle/scan.ts. Bench: bench/scan.bench.ts; docs/performance.md has its figures.
 */
import { assertNever } from "../result.ts";
import { KeyStack } from "./keys.ts";
import type { KeyFault } from "./keys.ts";
import {
  ARRAY,
  ESCAPED,
  FALSE,
  finishTape,
  growTape,
  LOOSE,
  NULL,
  NUMBER,
  OBJECT,
  STRING,
  takeTape,
  TRUE,
  WIDTH,
} from "./tape.ts";
import type { Tape } from "./tape.ts";

export type ScanLimits = {
  readonly maxDepth: number;
  /** Keys of all objects together: bounds the work of finding duplicates. */
  readonly maxKeys: number;
  readonly maxNumberBytes: number;
};

export const REQUEST_SCAN: ScanLimits = { maxDepth: 64, maxKeys: 2_000, maxNumberBytes: 64 };
export const ANSWER_SCAN: ScanLimits = { maxDepth: 64, maxKeys: 1_000_000, maxNumberBytes: 64 };

export type Json = {
  readonly kind: "json";
  readonly bytes: Uint8Array;
  readonly tape: Tape;
  /** The bytes are the canonical form already: no white space, each string in its one shortest form. */
  readonly canonical: boolean;
};

export type Fault = {
  readonly kind: "fault";
  readonly reason: "malformed-json" | "too-deep" | "too-many-keys";
  readonly message: string;
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** 0 for a byte that a string may hold as it is: one table look-up a byte instead of three comparisons (30 % faster). */
const SPECIAL = new Uint8Array(256);
SPECIAL.fill(1, 0, 0x20);
SPECIAL.fill(1, 0x80, 0x100);
SPECIAL[QUOTE] = 1;
SPECIAL[BACKSLASH] = 1;

class ScanError extends Error {
  readonly reason: Fault["reason"];
  constructor(message: string, reason: Fault["reason"] = "malformed-json") {
    super(message);
    this.reason = reason;
  }
}

/** Reads one whole document. Never throws. */
export function scan(bytes: Uint8Array, limits: ScanLimits): Json | Fault {
  try {
    const scanner = new Scanner(bytes, limits);
    scanner.document();
    finishTape(scanner.tape, scanner.size);
    return { kind: "json", bytes, tape: scanner.tape, canonical: scanner.canonical };
  } catch (error) {
    if (error instanceof ScanError) return { kind: "fault", reason: error.reason, message: error.message };
    throw error;
  }
}

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Where the first byte is that is no white space. */
export function skipSpace(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length && isSpace(bytes[at]!)) at++;
  return at;
}

class Scanner {
  tape: Tape;
  canonical = true;
  size = 0;
  readonly #bytes: Uint8Array;
  readonly #limits: ScanLimits;
  readonly #keys: KeyStack;
  #at = 0;
  /** Flags of the string read last. */
  #flags = 0;

  constructor(bytes: Uint8Array, limits: ScanLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.tape = takeTape(bytes.length);
    this.#keys = new KeyStack(bytes, this.tape, limits.maxKeys);
  }

  document(): void {
    const bytes = this.#bytes;
    /** Tape indexes of the containers that are open. */
    const open: number[] = [];
    let inObject = false;
    this.#space();
    for (;;) {
      // A value begins here.
      const byte = this.#at < bytes.length ? bytes[this.#at]! : -1;
      if (byte === QUOTE) {
        this.#at++;
        const start = this.#at;
        const end = this.#string();
        this.#put(STRING | this.#flags, start, end);
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (open.length === this.#limits.maxDepth)
          throw new ScanError(`nested deeper than ${open.length} levels`, "too-deep");
        open.push(this.size);
        inObject = byte === OPEN_OBJECT;
        this.#put(inObject ? OBJECT : ARRAY, this.#at, 0);
        this.#at++;
        this.#space();
        if (inObject) this.#keys.open();
        if (this.#at < bytes.length && bytes[this.#at] !== (inObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
          if (inObject) this.#key();
          continue;
        }
      } else if (byte === MINUS || (byte >= ZERO && byte <= NINE)) {
        const start = this.#at;
        this.#number();
        this.#put(NUMBER, start, this.#at);
      } else {
        this.#literal(byte);
      }
      // A value has ended: close what closes, then a comma or the end of the document.
      for (;;) {
        this.#space();
        if (open.length === 0) {
          if (this.#at !== bytes.length) throw this.#unexpected("the end of the document");
          return;
        }
        const next = this.#at < bytes.length ? bytes[this.#at]! : -1;
        this.#at++;
        if (next === COMMA) {
          this.#space();
          if (inObject) this.#key();
          break;
        }
        if (next !== (inObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
          this.#at--;
          throw this.#unexpected(inObject ? "',' or '}'" : "',' or ']'");
        }
        if (inObject) this.#keys.close();
        const closed = open.pop()!;
        this.tape[closed + 2] = this.#at;
        this.tape[closed + 3] = this.size;
        inObject = open.length > 0 && this.tape[open[open.length - 1]!] === OBJECT;
      }
    }
  }

  #put(kind: number, start: number, end: number): void {
    const at = this.size;
    if (at + WIDTH > this.tape.length) this.tape = growTape(this.tape);
    const tape = this.tape;
    tape[at] = kind;
    tape[at + 1] = start;
    tape[at + 2] = end;
    tape[at + 3] = at + WIDTH;
    this.size = at + WIDTH;
  }

  #space(): void {
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    while (at < bytes.length && bytes[at]! <= 0x20 && isSpace(bytes[at]!)) at++;
    if (at !== start) {
      this.#at = at;
      this.canonical = false;
    }
  }

  #key(): void {
    const bytes = this.#bytes;
    if (this.#at >= bytes.length || bytes[this.#at] !== QUOTE) throw this.#unexpected("a key");
    this.#at++;
    const start = this.#at;
    const end = this.#string();
    const index = this.size;
    this.#put(STRING | this.#flags, start, end);
    const fault = this.#keys.add(this.tape, index);
    if (fault !== undefined) throw this.#keyFault(fault, start);
    this.#space();
    if (this.#at >= bytes.length || bytes[this.#at] !== COLON) throw this.#unexpected("':'");
    this.#at++;
    this.#space();
  }

  #keyFault(fault: KeyFault, start: number): ScanError {
    switch (fault) {
      case "too-many":
        return new ScanError(`more than ${this.#limits.maxKeys} keys`, "too-many-keys");
      case "duplicate":
        return new ScanError(`a key stands twice in one object at byte ${start}`);
      case "proto":
        return new ScanError('the key "__proto__" is not accepted');
      default:
        return assertNever(fault);
    }
  }

  /** From after the opening quote to after the closing one; answers where the text ends and leaves `#flags`. */
  #string(): number {
    const bytes = this.#bytes;
    const length = bytes.length;
    let at = this.#at;
    this.#flags = 0;
    for (;;) {
      while (at < length && SPECIAL[bytes[at]!] === 0) at++;
      if (at >= length) throw new ScanError("a string does not end");
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.#at = at + 1;
        if ((this.#flags & LOOSE) !== 0) this.canonical = false;
        return at;
      }
      if (byte === BACKSLASH) at = this.#escape(at);
      else if (byte >= 0x80) at = this.#multibyte(at);
      else throw new ScanError(`a control character stands unescaped in a string at byte ${at}`);
    }
  }

  #escape(at: number): number {
    const bytes = this.#bytes;
    this.#flags |= ESCAPED;
    switch (bytes[at + 1]) {
      case QUOTE:
      case BACKSLASH:
      case 0x62: // b
      case 0x66: // f
      case 0x6e: // n
      case 0x72: // r
      case 0x74: // t
        return at + 2;
      case 0x2f: // /
        this.#flags |= LOOSE;
        return at + 2;
      case 0x75: // u
        return this.#unicodeEscape(at);
      default:
        throw new ScanError(`an escape at byte ${at} is not one of JSON's`);
    }
  }

  #unicodeEscape(at: number): number {
    const unit = this.#hex4(at + 2);
    // Canonical only for a control character without a short form, with lower-case digits.
    const short = unit === 0x08 || unit === 0x09 || unit === 0x0a || unit === 0x0c || unit === 0x0d;
    const upper = this.#bytes[at + 5]! >= 0x41 && this.#bytes[at + 5]! <= 0x46;
    if (unit >= 0x20 || short || upper) this.#flags |= LOOSE;
    if (unit < 0xd800 || unit > 0xdfff) return at + 6;
    const low = this.#bytes[at + 6] === BACKSLASH && this.#bytes[at + 7] === 0x75 ? this.#hex4(at + 8) : 0;
    if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) throw new ScanError(`a surrogate stands alone at byte ${at}`);
    return at + 12;
  }

  #hex4(at: number): number {
    let unit = 0;
    for (let i = at; i < at + 4; i++) {
      const byte = this.#bytes[i] ?? 0;
      const digit = byte <= NINE ? byte - ZERO : (byte | 0x20) - 0x57;
      if (digit < 0 || digit > 15 || (byte > NINE && digit < 10))
        throw new ScanError(`an escape at byte ${at} needs four hexadecimal digits`);
      unit = (unit << 4) | digit;
    }
    return unit;
  }

  /** Well-formed byte sequences, Unicode table 3-7: no overlong form, no surrogate, nothing above U+10FFFF. */
  #multibyte(at: number): number {
    const bytes = this.#bytes;
    const lead = bytes[at]!;
    const second = bytes[at + 1] ?? 0;
    const tail = (i: number): boolean => ((bytes[i] ?? 0) & 0xc0) === 0x80;
    if (lead >= 0xc2 && lead <= 0xdf && tail(at + 1)) return at + 2;
    if (lead >= 0xe0 && lead <= 0xef && tail(at + 1) && tail(at + 2)) {
      if ((lead !== 0xe0 || second >= 0xa0) && (lead !== 0xed || second <= 0x9f)) return at + 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4 && tail(at + 1) && tail(at + 2) && tail(at + 3)) {
      if ((lead !== 0xf0 || second >= 0x90) && (lead !== 0xf4 || second <= 0x8f)) return at + 4;
    }
    throw new ScanError(`byte ${at} is not UTF-8`);
  }

  #number(): void {
    const start = this.#at;
    if (this.#bytes[this.#at] === MINUS) this.#at++;
    if (this.#bytes[this.#at] === ZERO) this.#at++;
    else this.#digits();
    if (this.#bytes[this.#at] === 0x2e) {
      this.#at++;
      this.#digits();
    }
    const exponent = this.#bytes[this.#at];
    const hasExponent = exponent === 0x65 || exponent === 0x45;
    if (hasExponent) {
      this.#at++;
      const sign = this.#bytes[this.#at];
      if (sign === 0x2b || sign === MINUS) this.#at++;
      this.#digits();
    }
    if (this.#at - start > this.#limits.maxNumberBytes) {
      throw new ScanError(`the number at byte ${start} is longer than ${this.#limits.maxNumberBytes} bytes`);
    }
    // Without an exponent, so short a number is in a double's range.
    const lexeme = hasExponent ? String.fromCharCode(...this.#bytes.subarray(start, this.#at)) : "0";
    if (!Number.isFinite(Number(lexeme))) throw new ScanError(`the number at byte ${start} is out of range`);
  }

  #digits(): void {
    const start = this.#at;
    while (this.#at < this.#bytes.length && this.#bytes[this.#at]! >= ZERO && this.#bytes[this.#at]! <= NINE)
      this.#at++;
    if (this.#at === start) throw this.#unexpected("a digit");
  }

  #literal(byte: number): void {
    const [kind, word] = byte === 0x74 ? [TRUE, "true"] : byte === 0x66 ? [FALSE, "false"] : [NULL, "null"];
    for (let i = 0; i < word.length; i++) {
      if (this.#bytes[this.#at + i] !== word.charCodeAt(i)) throw this.#unexpected("a value");
    }
    this.#put(kind, this.#at, this.#at + word.length);
    this.#at += word.length;
  }

  #unexpected(expected: string): ScanError {
    const found = this.#at >= this.#bytes.length ? "the document ends" : `byte ${this.#at} is unexpected`;
    return new ScanError(`${found}: expected ${expected}`);
  }
}
