/**
 * What of a call's arguments goes on record: the values that an operator has asked for by key, short, and nothing that
 * looks like a secret. Of the other keys not even the names are told, since callers choose them.
 */
import { ABSENT, endOf, firstChild, isObject, kindAt, member, sliceAt, textAt } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import type { Json } from "../jsonrpc/scan.ts";
import { ARRAY, OBJECT, STRING, WIDTH } from "../jsonrpc/tape.ts";
import { isSecretName, looksSecret, REDACTED } from "./secret.ts";

export type LoggedArguments = {
  /** What is no string is JSON. */
  readonly values: Readonly<Record<string, string>>;
  /** How many others there were. */
  readonly withheld: number;
};

export const MAX_ARGUMENT_LENGTH = 256;

/** Undefined: nothing is asked for, or the call has no arguments. */
export function loggedArguments(json: Json, params: At, keys: readonly string[]): LoggedArguments | undefined {
  if (keys.length === 0 || params === ABSENT) return undefined;
  const args = member(json, params, "arguments");
  if (!isObject(json, args)) return undefined;
  const values: (readonly [string, string])[] = [];
  let withheld = 0;
  const end = endOf(json, args);
  for (let at = firstChild(args); at < end; at = endOf(json, at + WIDTH)) {
    const key = textAt(json, at);
    if (!keys.includes(key)) withheld++;
    else values.push([key, cut(isSecretName(key) ? REDACTED : valueText(json, at + WIDTH))]);
  }
  return { values: Object.fromEntries(values), withheld };
}

const valueText = (json: Json, at: At): string =>
  kindAt(json, at) === STRING ? withoutSecret(textAt(json, at)) : jsonText(json, at, MAX_ARGUMENT_LENGTH);

/** No more of it than fills the room, and a little. */
function jsonText(json: Json, at: At, room: number): string {
  switch (kindAt(json, at)) {
    case STRING:
      return JSON.stringify(withoutSecret(textAt(json, at)).slice(0, room));
    case OBJECT: {
      let text = "";
      const end = endOf(json, at);
      for (let key = firstChild(at); key < end && text.length < room; key = endOf(json, key + WIDTH)) {
        const name = textAt(json, key);
        const value = isSecretName(name) ? `"${REDACTED}"` : jsonText(json, key + WIDTH, room - text.length);
        text += `${text === "" ? "" : ","}${JSON.stringify(withoutSecret(name).slice(0, room))}:${value}`;
      }
      return `{${text}}`;
    }
    case ARRAY: {
      let text = "";
      const end = endOf(json, at);
      for (let element = firstChild(at); element < end && text.length < room; element = endOf(json, element))
        text += `${text === "" ? "" : ","}${jsonText(json, element, room - text.length)}`;
      return `[${text}]`;
    }
    default:
      return String.fromCharCode(...sliceAt(json, at));
  }
}

const withoutSecret = (text: string): string => (looksSecret(text) ? REDACTED : text);

const cut = (text: string): string =>
  text.length <= MAX_ARGUMENT_LENGTH ? text : `${text.slice(0, MAX_ARGUMENT_LENGTH - 1)}…`;
