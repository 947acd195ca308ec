/** The `to` of a rule, as the subjects that it is about. */
import { GRANTABLE_METHODS } from "../mcp/methods.ts";
import type { ToEntry } from "./document.ts";
import { covers, parsePattern } from "./pattern.ts";
import type { Pattern } from "./pattern.ts";
import type { SubjectKind } from "./policy-set.ts";

export const patternsOf = (to: ToEntry): (readonly [SubjectKind, Pattern])[] => [
  ...(to.tools ?? []).map((text) => ["tool", parsePattern(text)] as const),
  ...(to.prompts ?? []).map((text) => ["prompt", parsePattern(text)] as const),
  ...(to.resources ?? []).map((text) => ["resource", parsePattern(text)] as const),
  ...(to.methods ?? []).flatMap(methodsOf).map((method) => ["method", method] as const),
];

/** The methods that a pattern is about. Kept one by one: a pattern must not match words of ours that are no methods. */
export function methodsOf(text: string): Pattern[] {
  const pattern = parsePattern(text);
  return GRANTABLE_METHODS.map(parsePattern).filter((method) => covers(pattern, method));
}
