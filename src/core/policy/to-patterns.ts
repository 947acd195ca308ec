/** The `to` of a rule, as the subjects that it is about. */
import { GRANTABLE_METHODS } from "../mcp/methods.ts";
import type { KnownMethod } from "../mcp/methods.ts";
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

/** Methods that a name alone grants, and of which kind. */
export const GRANTED_BY_NAME: ReadonlyMap<string, SubjectKind> = new Map<KnownMethod, SubjectKind>([
  ["tools/call", "tool"],
  ["prompts/get", "prompt"],
  ["resources/read", "resource"],
]);

/** The same of a Deny rule: one of such a method is about all that it could name. */
export const deniedBy = (to: ToEntry): (readonly [SubjectKind, Pattern])[] => [
  ...patternsOf(to),
  ...(to.methods ?? []).flatMap(methodsOf).flatMap(({ text }) => {
    const kind = GRANTED_BY_NAME.get(text);
    return kind === undefined ? [] : [[kind, EVERYTHING] as const];
  }),
];

const EVERYTHING = parsePattern("*");

/** The methods that a pattern is about. Kept one by one: a pattern must not match words of ours that are no methods. */
export function methodsOf(text: string): Pattern[] {
  const pattern = parsePattern(text);
  return GRANTABLE_METHODS.map(parsePattern).filter((method) => covers(pattern, method));
}
