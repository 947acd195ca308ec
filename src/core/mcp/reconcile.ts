/**
 * The headers that repeat what a body says, held against it (MCP 2026-07-28, "Standard Headers" and "Custom Headers").
 * Only the body is decided on; who routes or logs by a header that says something else would be lied to.
 */
import { ABSENT, isObject, isString, kindAt, member, sliceAt, span, textAt, valuesOf } from "../jsonrpc/json.ts";
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
  const said = claim.params.map(([header, value]) => [header, decodeHeaderText(value)] as const);
  const args = message.params === ABSENT ? ABSENT : member(json, message.params, "arguments");
  const told = new Told(said.flatMap(([, text]) => (text === undefined ? [] : [text])));
  if (isObject(json, args)) told.read(json, args);
  for (const [header, text] of said) {
    if (message.method !== "tools/call") return mismatch(header, "known for this method");
    if (text === undefined) return mismatch(header, "in canonical form");
    if (!told.has(text)) return mismatch(header, "one of the arguments");
  }
  return undefined;
}

/** Which of some texts the arguments have: looked for together, in one walk, since a caller chooses how many of each. */
class Told {
  readonly #wanted: ReadonlySet<string>;
  readonly #shortest: number;
  readonly #longest: number;
  readonly #texts = new Set<string>();
  readonly #numbers = new Set<string>();

  constructor(wanted: readonly string[]) {
    this.#wanted = new Set(wanted);
    this.#shortest = Math.min(...wanted.map(({ length }) => length));
    this.#longest = Math.max(...wanted.map(({ length }) => length));
  }

  /** Strings, integers and booleans among the properties of `object`, at any depth. Not inside arrays. */
  read(json: Json, object: At): void {
    for (const value of valuesOf(json, object)) {
      if (isObject(json, value)) this.read(json, value);
      else if (isString(json, value)) this.#readText(json, value);
      else this.#readLiteral(json, value);
    }
  }

  has(text: string): boolean {
    return this.#texts.has(text) || (INTEGER.test(text) && this.#numbers.has(numberOf(text)));
  }

  /** An escape is six bytes for one character at most, and a text is not made where it cannot be one of them. */
  #readText(json: Json, at: At): void {
    const [start, end] = span(json, at);
    const bytes = end - start - 2;
    if (bytes < this.#shortest || bytes > 6 * this.#longest) return;
    const text = textAt(json, at);
    if (this.#wanted.has(text)) this.#texts.add(text);
  }

  #readLiteral(json: Json, at: At): void {
    switch (kindAt(json, at)) {
      case NUMBER:
        this.#numbers.add(numberOf(String.fromCharCode(...sliceAt(json, at))));
        return;
      case TRUE:
        this.#texts.add("true");
        return;
      case FALSE:
        this.#texts.add("false");
        return;
      default:
    }
  }
}

/** `42.0` and `4.2e1` are 42 (specification: integers are compared as numbers). */
const numberOf = (lexeme: string): string => {
  const value = Number(lexeme);
  return Number.isSafeInteger(value) ? String(value) : lexeme;
};

const INTEGER = /^-?[0-9]{1,16}(?:\.0{1,16})?$/;
