/**
 * The headers that repeat what a body says, held against it (MCP 2026-07-28, "Standard Headers" and "Custom Headers").
 * Only the body is decided on; who routes or logs by a header that says something else would be lied to.
 */
import {
  ABSENT,
  endOf,
  firstChild,
  isObject,
  isString,
  kindAt,
  member,
  sliceAt,
  span,
  textAt,
  valuesOf,
} from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import type { Message } from "../jsonrpc/message.ts";
import type { Json } from "../jsonrpc/scan.ts";
import { FALSE, NUMBER, TRUE } from "../jsonrpc/tape.ts";
import type { HeaderClaim } from "./classify.ts";
import { decodeHeaderText } from "./headers.ts";
import { refusal } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";

const mismatch = (header: string, expected: string): Refusal =>
  refusal("header-mismatch", `the header ${header} is not ${expected}`);

export const versionMismatch = (): Refusal => mismatch("MCP-Protocol-Version", "the version in _meta");

type Asking = Message & { kind: "request" | "notification" };

/** `name`: what `Mcp-Name` may repeat, and whether it has to. */
export function reconcileHeaders(
  json: Json,
  message: Asking,
  name: { readonly text: string; readonly isRequired: boolean } | undefined,
  claim: HeaderClaim,
): Refusal | undefined {
  // Header rules for notifications are undefined.
  if (message.kind === "notification" && claim.method === undefined && claim.name === undefined)
    return reconcileParams(json, message, claim);
  if (claim.method !== message.method) return mismatch("Mcp-Method", "the method");
  if (claim.name === undefined) {
    if (name?.isRequired === true) return mismatch("Mcp-Name", "what the body names");
  } else {
    const said = decodeHeaderText(claim.name);
    if (said === undefined) return mismatch("Mcp-Name", "a name in canonical form");
    // Clients up to 2.0.0 of the TypeScript SDK sent it for every method with a name: true, so harmless.
    if (said !== name?.text) return mismatch("Mcp-Name", "what the body names");
  }
  return reconcileParams(json, message, claim);
}

/**
 * `Mcp-Param-*` repeats one argument of a tool. Which one is written in the tool's schema, which is the server's to hold
 * it against; here it must be one of the arguments at least, so that no header says what no argument does.
 */
function reconcileParams(json: Json, message: Asking, claim: HeaderClaim): Refusal | undefined {
  if (claim.params.length === 0) return undefined;
  const args = message.params === ABSENT ? ABSENT : member(json, message.params, "arguments");
  for (const [header, value] of claim.params) {
    if (message.method !== "tools/call") return mismatch(header, "known for this method");
    const said = decodeHeaderText(value);
    if (said === undefined) return mismatch(header, "in canonical form");
    if (args === ABSENT || !isArgument(json, args, said)) return mismatch(header, "one of the arguments");
  }
  return undefined;
}

/** Whether some string, integer or boolean among the properties, at any depth, reads as `said`. Not inside arrays. */
function isArgument(json: Json, object: At, said: string): boolean {
  return valuesOf(json, object).some((value) => {
    if (isObject(json, value)) return firstChild(value) < endOf(json, value) && isArgument(json, value, said);
    if (isString(json, value)) return isText(json, value, said);
    switch (kindAt(json, value)) {
      case NUMBER:
        return isInteger(String.fromCharCode(...sliceAt(json, value)), said);
      case TRUE:
        return said === "true";
      case FALSE:
        return said === "false";
      default:
        return false;
    }
  });
}

/** An escape is six bytes for one character at most, and a text is not made where it cannot be the same. */
function isText(json: Json, at: At, said: string): boolean {
  const [start, end] = span(json, at);
  const bytes = end - start - 2;
  return bytes >= said.length && bytes <= 6 * said.length && textAt(json, at) === said;
}

/** `42.0` is 42 (specification: integers are compared as numbers). */
const isInteger = (lexeme: string, said: string): boolean =>
  INTEGER.test(said) && (lexeme === said || (Number.isSafeInteger(Number(said)) && Number(said) === Number(lexeme)));

const INTEGER = /^-?[0-9]{1,16}(?:\.0{1,16})?$/;
