/**
 * What of a tool's entry in a list makes models call it as they do: its name, its descriptions and its schemas, in
 * canonical form. A policy may pin its digest, so that a server cannot change a tool after somebody has approved it.
 */
import { concat, utf8 } from "../bytes.ts";
import { foldCase } from "../fold-case.ts";
import { canonicalValue } from "../jsonrpc/canonical.ts";
import { ABSENT, keysOf, member } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import type { Json } from "../jsonrpc/scan.ts";

const MEMBERS = ["name", "title", "description", "inputSchema", "outputSchema", "annotations"];

const FOLDED: ReadonlySet<string> = new Set(MEMBERS.map(foldCase));

/** A JSON object of the members that are there, in this order; what is inside them keeps its own. */
export function definitionOf(json: Json, tool: At): Uint8Array {
  const members = MEMBERS.map((key) => [key, member(json, tool, key)] as const).filter(([, at]) => at !== ABSENT);
  // A reader who ignores case may take these for the ones above: they are part of what is approved.
  const variants = keysOf(json, tool).filter((key) => !MEMBERS.includes(key) && FOLDED.has(foldCase(key)));
  for (const key of variants) members.push([key, member(json, tool, key)]);
  const parts = members.flatMap(([key, at], i) => [
    utf8(`${i === 0 ? "" : ","}${JSON.stringify(key)}:`),
    canonicalValue(json, at),
  ]);
  return concat([utf8("{"), ...parts, utf8("}")]);
}
