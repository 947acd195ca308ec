/** Reads what `scan.ts` found: values by their index in the tape, members by key, strings as text. */
import { ESCAPED, KIND, OBJECT, STRING, stringText, WIDTH } from "./tape.ts";
import type { Json } from "./scan.ts";

/** The index of a value in the tape. */
export type At = number;

export const ROOT: At = 0;
export const ABSENT: At = -1;

export const kindAt = (json: Json, at: At): number => json.tape[at]! & KIND;
export const isObject = (json: Json, at: At): boolean => at !== ABSENT && kindAt(json, at) === OBJECT;
export const isString = (json: Json, at: At): boolean => at !== ABSENT && kindAt(json, at) === STRING;

/** The text of a string. */
export const textAt = (json: Json, at: At): string => stringText(json.bytes, json.tape, at);

/** The bytes of a number, a literal or a container as they stand. */
export const sliceAt = (json: Json, at: At): Uint8Array => json.bytes.subarray(json.tape[at + 1], json.tape[at + 2]);

/** The first child of a container; equal to `endOf` when it is empty. Children of an object: key, value, key, value. */
export const firstChild = (at: At): At => at + WIDTH;
/** The index after a value and all that is in it. */
export const endOf = (json: Json, at: At): At => json.tape[at + 3]!;

/** The value of a key that is plain ASCII, or ABSENT. */
export function member(json: Json, object: At, key: string): At {
  const end = endOf(json, object);
  for (let at = firstChild(object); at < end;) {
    const value = at + WIDTH;
    if (keyIs(json, at, key)) return value;
    at = endOf(json, value);
  }
  return ABSENT;
}

/** Whether the string at `at` is `key`, without making a string of it. */
export function keyIs(json: Json, at: At, key: string): boolean {
  if ((json.tape[at]! & ESCAPED) !== 0) return textAt(json, at) === key;
  const start = json.tape[at + 1]!;
  if (json.tape[at + 2]! - start !== key.length) return false;
  for (let i = 0; i < key.length; i++) if (json.bytes[start + i] !== key.charCodeAt(i)) return false;
  return true;
}

/** As `keyIs`, whatever the case of ASCII letters. Undefined for a key that has more than ASCII: its text says it. */
export function keyIsInAnyCase(json: Json, at: At, key: string): boolean | undefined {
  if ((json.tape[at]! & ESCAPED) !== 0) return undefined;
  const { bytes } = json;
  const start = json.tape[at + 1]!;
  const end = json.tape[at + 2]!;
  for (let i = start; i < end; i++) if (bytes[i]! >= 0x80) return undefined;
  if (end - start !== key.length) return false;
  for (let i = 0; i < key.length; i++) if (lower(bytes[start + i]!) !== lower(key.charCodeAt(i))) return false;
  return true;
}

const lower = (code: number): number => (code >= 0x41 && code <= 0x5a ? code | 0x20 : code);

/** Whether that holds of each key of an object, without making strings of them. */
export function everyKey(json: Json, object: At, holds: (key: At) => boolean): boolean {
  const end = endOf(json, object);
  for (let at = firstChild(object); at < end; at = endOf(json, at + WIDTH)) if (!holds(at)) return false;
  return true;
}

/** Whether the string at `at` is one of these, without making a string of it. */
export function isOneOf(json: Json, at: At, keys: readonly string[]): boolean {
  for (const key of keys) if (keyIs(json, at, key)) return true;
  return false;
}

/** All keys of an object, as text. */
export function keysOf(json: Json, object: At): string[] {
  const keys: string[] = [];
  const end = endOf(json, object);
  for (let at = firstChild(object); at < end; at = endOf(json, at + WIDTH)) keys.push(textAt(json, at));
  return keys;
}

/** All values of an object. */
export function valuesOf(json: Json, object: At): At[] {
  const values: At[] = [];
  const end = endOf(json, object);
  for (let at = firstChild(object); at < end; at = endOf(json, at + WIDTH)) values.push(at + WIDTH);
  return values;
}

/** The elements of an array. */
export function elementsOf(json: Json, array: At): At[] {
  const elements: At[] = [];
  const end = endOf(json, array);
  for (let at = firstChild(array); at < end; at = endOf(json, at)) elements.push(at);
  return elements;
}

/** A member's text when it is a string, else undefined. */
export function memberText(json: Json, object: At, key: string): string | undefined {
  const at = member(json, object, key);
  return isString(json, at) ? textAt(json, at) : undefined;
}

/** The bytes of a whole value in the document, with the quotes of a string. */
export function span(json: Json, at: At): readonly [start: number, end: number] {
  const start = json.tape[at + 1]!;
  const end = json.tape[at + 2]!;
  return kindAt(json, at) === STRING ? [start - 1, end + 1] : [start, end];
}
