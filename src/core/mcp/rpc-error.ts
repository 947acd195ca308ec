/**
 * Errors on their way to a client. Code and message go on; `data` only in the forms that MCP gives a meaning to, or to
 * callers from whom nothing is hidden: what else stands there may name what others may use.
 */
import { ABSENT, isObject, keysOf, kindAt, member, sliceAt, textAt } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import type { Json } from "../jsonrpc/scan.ts";
import { NUMBER } from "../jsonrpc/tape.ts";
import { ASKS } from "./filtering.ts";
import type { Filtering } from "./filtering.ts";
import { methodSubject } from "./subject.ts";

/** 0 when there is none that every parser holds exactly. */
export function codeOf(json: Json, error: At): number {
  const code = member(json, error, "code");
  const value =
    code !== ABSENT && kindAt(json, code) === NUMBER ? Number(String.fromCharCode(...sliceAt(json, code))) : 0;
  return Number.isSafeInteger(value) ? value : 0;
}

/** The members that `data` may have, by code. */
const KNOWN_DATA: ReadonlyMap<number, readonly string[]> = new Map([
  [-32021, ["requiredCapabilities"]],
  [-32022, ["supported", "requested"]],
  [-32042, ["elicitations"]],
  [-32602, ["uri"]],
  [-32002, ["uri"]],
]);
const URL_ELICITATION_REQUIRED = -32042;

/** Answers what about it cannot be delivered. */
export function filterError(filtering: Filtering, error: At): string | undefined {
  const { json, asked, splice } = filtering;
  const data = member(json, error, "data");
  const code = codeOf(json, error);
  if (code === URL_ELICITATION_REQUIRED && !asked.isVisible(methodSubject("elicitation/create"))) return ASKS;
  if (asked.seesAll()) return undefined;
  const keepsData = isKnown(filtering, code, data);
  splice.keep(error, (key) => {
    const name = textAt(json, key);
    return name === "code" || name === "message" || (name === "data" && keepsData);
  });
  return undefined;
}

function isKnown(filtering: Filtering, code: number, data: At): boolean {
  const { json } = filtering;
  const known = KNOWN_DATA.get(code);
  if (known === undefined || !isObject(json, data)) return false;
  const keys = keysOf(json, data);
  return keys.every((key) => known.includes(key)) && (!keys.includes("uri") || filtering.isReadable(data, "uri"));
}
