/**
 * JSON-RPC 2.0 envelopes as MCP uses them. Exactly one shape, or it is not a message: the key sets are closed, so a
 * `Method` beside the `method`, or a `result` beside it, is refused rather than read one way here and another way there.
 */
import { utf8Length } from "../bytes.ts";
import { ABSENT, endOf, firstChild, isObject, isString, keyIs, kindAt, ROOT, sliceAt, textAt } from "./json.ts";
import type { At } from "./json.ts";
import { NULL, NUMBER, OBJECT, STRING, WIDTH } from "./tape.ts";
import type { Json } from "./scan.ts";

declare const idText: unique symbol;
/** An `id`, as the JSON text it is echoed with: type and value compare at once. */
export type Id = string & { readonly [idText]: true };

export const NO_ID = "null" as Id;
const MAX_ID_BYTES = 256;
const INTEGER = /^(?:0|-?[1-9][0-9]*)$/;

export type Message =
  | { readonly kind: "request"; readonly id: Id; readonly method: string; readonly params: At }
  | { readonly kind: "notification"; readonly method: string; readonly params: At }
  | { readonly kind: "answer"; readonly id: Id; readonly result: At; readonly error: At };

/** `id` is set when it could be read, so that the error can be told to whom it belongs. */
export type InvalidMessage = { readonly kind: "invalid"; readonly message: string; readonly id: Id };

type Members = { jsonrpc: At; id: At; method: At; params: At; result: At; error: At };
const MEMBERS = ["jsonrpc", "id", "method", "params", "result", "error"] as const;

/** `at`: where the message stands in the document; another place than the root in a batch. */
export function readMessage(json: Json, at: At = ROOT): Message | InvalidMessage {
  if (kindAt(json, at) !== OBJECT) return { kind: "invalid", message: "a message must be one JSON object", id: NO_ID };
  const found: Members = { jsonrpc: ABSENT, id: ABSENT, method: ABSENT, params: ABSENT, result: ABSENT, error: ABSENT };
  let unknown: string | undefined;
  const end = endOf(json, at);
  for (let key = firstChild(at); key < end; key = endOf(json, key + WIDTH)) {
    const name = memberAt(json, key);
    if (name === undefined) unknown ??= textAt(json, key);
    else found[name] = key + WIDTH;
  }
  const id = found.id === ABSENT ? undefined : readId(json, found.id);
  const invalid = (message: string): InvalidMessage => ({ kind: "invalid", message, id: id ?? NO_ID });
  if (unknown !== undefined) return invalid(`a message has no member ${JSON.stringify(unknown.slice(0, 64))}`);
  if (!isString(json, found.jsonrpc) || !keyIs(json, found.jsonrpc, "2.0")) return invalid('"jsonrpc" must be "2.0"');
  if (found.method !== ABSENT) return readCall(json, found, id, invalid);
  return readAnswer(json, found, id, invalid);
}

function memberAt(json: Json, key: At): (typeof MEMBERS)[number] | undefined {
  for (const member of MEMBERS) if (keyIs(json, key, member)) return member;
  return undefined;
}

type Invalid = (message: string) => InvalidMessage;

function readCall(json: Json, found: Members, id: Id | undefined, invalid: Invalid): Message | InvalidMessage {
  const { method: methodAt, params } = found;
  if (!isString(json, methodAt)) return invalid('"method" must be a string');
  if (found.result !== ABSENT || found.error !== ABSENT)
    return invalid("a message with a method has no result and no error");
  if (params !== ABSENT && !isObject(json, params)) return invalid('"params" must be an object');
  const method = textAt(json, methodAt);
  if (found.id === ABSENT) return { kind: "notification", method, params };
  if (id === undefined || id === NO_ID) return invalid('"id" must be a string or an integer');
  return { kind: "request", id, method, params };
}

function readAnswer(json: Json, found: Members, id: Id | undefined, invalid: Invalid): Message | InvalidMessage {
  const { result, error, params } = found;
  if (params !== ABSENT) return invalid('"params" needs a "method"');
  if ((result === ABSENT) === (error === ABSENT)) return invalid('a message has a "method", a "result" or an "error"');
  if (result !== ABSENT && !isObject(json, result)) return invalid('"result" must be an object');
  if (error !== ABSENT && !isObject(json, error)) return invalid('"error" must be an object');
  // An error may be about a message whose id nobody could read: null (JSON-RPC 2.0, section 5), or left out (MCP).
  const about = found.id === ABSENT && error !== ABSENT ? NO_ID : id;
  if (about === undefined || (about === NO_ID && error === ABSENT))
    return invalid('"id" must be a string or an integer');
  return { kind: "answer", id: about, result, error };
}

/** A string of at most 256 bytes without control characters, or an integer that every parser holds exactly; `null` as it is. */
export function readId(json: Json, at: At): Id | undefined {
  switch (kindAt(json, at)) {
    case STRING: {
      const text = textAt(json, at);
      return utf8Length(text) <= MAX_ID_BYTES && !hasControl(text) ? (JSON.stringify(text) as Id) : undefined;
    }
    case NUMBER: {
      const slice = sliceAt(json, at);
      if (slice.length > 17) return undefined;
      const lexeme = String.fromCharCode(...slice);
      return INTEGER.test(lexeme) && Number.isSafeInteger(Number(lexeme)) ? (lexeme as Id) : undefined;
    }
    case NULL:
      return NO_ID;
    default:
      return undefined;
  }
}

/** C0, DEL and C1: what a log line, a terminal or an SSE frame could take for something else. */
export function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || (unit >= 0x7f && unit <= 0x9f)) return true;
  }
  return false;
}
