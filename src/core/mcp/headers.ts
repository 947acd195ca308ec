/**
 * The request's headers, read once into what matters. What two readers could take differently is refused: a header that
 * stands twice, an underscore where a dash belongs, a header that tells a hop to drop or override another.
 */
import { err, ok } from "../result.ts";
import type { Result } from "../result.ts";
import { malformed } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import { parseTraceContext, TRACEPARENT, TRACESTATE } from "./trace-context.ts";
import type { TraceContext } from "./trace-context.ts";

/** In order, names in lower case, values byte for byte (one character a byte). Pseudo headers are among them. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** What another hop gets to see of them. */
export type HeaderChanges = {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
};

export const NO_CHANGES: HeaderChanges = { set: [], remove: [] };

/** What a proxy says of who its caller is. */
export const XFCC = "x-forwarded-client-cert";
export const L5D_CLIENT_ID = "l5d-client-id";

const SINGLE = [
  ":method",
  ":path",
  ":authority",
  "content-type",
  "content-encoding",
  "content-length",
  "authorization",
  "accept-encoding",
  "mcp-protocol-version",
  "mcp-method",
  "mcp-name",
  "mcp-session-id",
  "last-event-id",
] as const;
type Single = (typeof SINGLE)[number];

export type RequestHeaders = { readonly [name in Single]: string | undefined } & {
  /** Headers that ask the server for something we could not read back: they are removed on the way. */
  readonly selective: readonly string[];
  /** `Mcp-Param-*`, each once. */
  readonly params: readonly (readonly [name: string, value: string])[];
  /** Two of them are as good as none (W3C Trace Context, section 3.2.2). */
  readonly trace: TraceContext | undefined;
};

const SINGLE_SET: ReadonlySet<string> = new Set(SINGLE);
const SELECTIVE: ReadonlySet<string> = new Set([
  "range",
  "if-range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
]);
const OVERRIDES: ReadonlySet<string> = new Set([
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
  "x-original-url",
  "x-rewrite-url",
]);
const CONNECTION_TOKENS: ReadonlySet<string> = new Set(["keep-alive", "close", "te"]);
/** Those that some servers take for another header, with an underscore for a dash. */
const RESEMBLED: ReadonlySet<string> = new Set([...SINGLE, ...OVERRIDES, XFCC, L5D_CLIENT_ID]);
const AUTHORITY = /^[A-Za-z0-9._~-]*(?::[0-9]{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?$/;

/** Where a request goes: all that is read of one that may be for somebody else. */
export function readAddress(
  list: HeaderList,
): Result<{ readonly path: string; readonly host: string | undefined }, Refusal> {
  let path: string | undefined;
  let host: string | undefined;
  for (const [name, value] of list) {
    if (name !== ":path" && name !== ":authority") continue;
    if ((name === ":path" ? path : host) !== undefined) return err(malformed(`the header ${name} stands twice`));
    if (name === ":path") path = value;
    else host = value;
  }
  return ok({ path: path ?? "", host });
}

/** One shape for all requests: cheaper to fill than a map, 1 us a call. */
type Found = { [name in Single]: string | undefined };
const NOTHING_FOUND = Object.fromEntries(SINGLE.map((name) => [name, undefined])) as Found;
const isSingle = (name: string): name is Single => SINGLE_SET.has(name);

/** Of headers that stand twice and were made one with a comma: of those that may stand once, each part is one again. */
export const apart = ([name, value]: HeaderList[number]): HeaderList =>
  isSingle(name) && name !== "accept-encoding" && !name.startsWith(":")
    ? value.split(",").map((part) => [name, part] as const)
    : [[name, value]];

export function readHeaders(list: HeaderList): Result<RequestHeaders, Refusal> {
  const found = { ...NOTHING_FOUND };
  const selective: string[] = [];
  const params: (readonly [string, string])[] = [];
  let traceparent: string | undefined;
  let tracestate: string | undefined;
  for (const [name, value] of list) {
    if (isSingle(name)) {
      if (found[name] !== undefined) return err(malformed(`the header ${name} stands twice`));
      found[name] = value;
    } else if (SELECTIVE.has(name)) {
      selective.push(name);
    } else if (name.startsWith(PARAM)) {
      if (params.some(([other]) => other === name)) return err(malformed(`the header ${name} stands twice`));
      params.push([name, value]);
    } else if (name === TRACEPARENT) {
      traceparent = traceparent === undefined ? value : "";
    } else if (name === TRACESTATE) {
      tracestate = tracestate === undefined ? value : `${tracestate},${value}`;
    } else {
      const fault = suspicious(name, value);
      if (fault !== undefined) return err(malformed(fault));
    }
  }
  const authority = found[":authority"];
  if (authority !== undefined && !AUTHORITY.test(authority)) return err(malformed("the host is not a host name"));
  const trace = traceparent === undefined ? undefined : parseTraceContext(traceparent, tracestate);
  return ok({ ...found, selective, params, trace });
}

const PARAM = "mcp-param-";

/** Whether a header of this name can change what a request is, so that who judges has to see it. */
export const isJudged = (name: string): boolean =>
  RESEMBLED.has(name) || SELECTIVE.has(name) || name.startsWith("mcp-") || name === "upgrade" || name === "connection";

function suspicious(name: string, value: string): string | undefined {
  if (name === "upgrade") return "the connection cannot be upgraded";
  if (name === "connection") {
    const tokens = value.toLowerCase().split(",");
    const odd = tokens.some((token) => !CONNECTION_TOKENS.has(token.trim()));
    return odd ? "the header connection names other headers" : undefined;
  }
  if (OVERRIDES.has(name)) return `the header ${name} is not accepted`;
  if (!name.includes("_")) return undefined;
  const dashed = name.replaceAll("_", "-");
  return RESEMBLED.has(dashed) || dashed.startsWith("mcp-") ? `the header ${name} resembles ${dashed}` : undefined;
}

const SENTINEL = "=?base64?";
const SENTINEL_END = "?=";
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The text that a value of `Mcp-Name` or `Mcp-Param-*` stands for, or undefined when it is not canonical (MCP 2026-07-28,
 * "Custom Headers"): plain, or Base64 of UTF-8 between exact markers. Surrounding white space does not count (RFC 9110,
 * section 5.5).
 */
export function decodeHeaderText(value: string): string | undefined {
  const text = trim(value);
  const encoded =
    text.length >= SENTINEL.length + SENTINEL_END.length && text.startsWith(SENTINEL) && text.endsWith(SENTINEL_END);
  const bytes = encoded
    ? fromBase64(text.slice(SENTINEL.length, -SENTINEL_END.length))
    : Uint8Array.from(text, (c) => c.charCodeAt(0));
  if (bytes === undefined) return undefined;
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined; // not UTF-8
  }
}

/** Not with a regular expression: `[ \t]+$` tries every run of spaces again from each of its bytes. */
function trim(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Canonical Base64 only (RFC 4648, section 3.5): full padding, no unused bits set, no other alphabet, no white space. */
function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < text.length - padding; i++) {
    const digit = ALPHABET.indexOf(text.charAt(i));
    if (digit === -1) return undefined;
    bits = ((bits << 6) | digit) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at++] = (bits >> held) & 0xff;
    }
  }
  return (bits & ((1 << held) - 1)) === 0 ? bytes : undefined;
}
