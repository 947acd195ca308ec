/**
 * What of a tool's entry in a list makes models call it as they do: its name, its descriptions and its schemas, in
 * canonical form. A policy may pin its digest, so that a server cannot change a tool after somebody has approved it.
 */
import { concat, utf8 } from "../bytes.ts";
import { canonicalValue } from "../jsonrpc/canonical.ts";
import { ABSENT, member } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import type { Json } from "../jsonrpc/scan.ts";

const MEMBERS = ["name", "title", "description", "inputSchema", "outputSchema", "annotations"];

/** A JSON object of the members that are there, in this order; what is inside them keeps its own. */
export function definitionOf(json: Json, tool: At): Uint8Array {
  const members = MEMBERS.map((key) => [key, member(json, tool, key)] as const).filter(([, at]) => at !== ABSENT);
  const parts = members.flatMap(([key, at], i) => [utf8(`${i === 0 ? "" : ","}"${key}":`), canonicalValue(json, at)]);
  return concat([utf8("{"), ...parts, utf8("}")]);
}
