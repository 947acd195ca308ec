/**
 * Every function of src/ begins with a call of `globalThis.seam`, in the tests of this folder only: a function that is new
 * is a seam without anybody's doing, and nothing of it is in the product. The functions are found by the parser that runs
 * the tests anyway; all that is changed of a file is what is inserted, and no line moves.
 */
import { join, relative } from "node:path";
import { parseAst } from "vitest/node";
import type { Plugin } from "vitest/config";

const ROOT = join(import.meta.dirname, "..", "..");

export const instrument = (): Plugin => ({
  name: "seams",
  // Before the types are taken out, so that a seam's line is the file's.
  enforce: "pre",
  transform(source, id) {
    const path = relative(ROOT, id);
    return path.startsWith("src/") && path.endsWith(".ts") ? { code: withSeams(source, path), map: null } : undefined;
  },
});

type Insertion = { readonly at: number; readonly text: string };

function withSeams(source: string, path: string): string {
  const insertions: Insertion[] = [];
  visit(parseAst(source, { lang: "ts" }), (node) => {
    const { body } = node;
    if (!FUNCTIONS.has(node.type) || !isNode(body)) return;
    const call = `globalThis.seam?.("${path}:${lineOf(source, node.start)}")`;
    if (body.type === "BlockStatement") insertions.push({ at: body.start + 1, text: `${call};` });
    else insertions.push({ at: body.start, text: `(${call},` }, { at: body.end, text: ")" });
  });
  let [code, end] = ["", 0];
  for (const { at, text } of insertions.toSorted((one, other) => one.at - other.at)) {
    code += source.slice(end, at) + text;
    end = at;
  }
  return code + source.slice(end);
}

const FUNCTIONS: ReadonlySet<string> = new Set([
  "FunctionDeclaration",
  "FunctionExpression",
  "ArrowFunctionExpression",
]);

type Node = { readonly type: string; readonly start: number; readonly end: number; readonly body?: unknown };

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value;

function visit(value: unknown, see: (node: Node) => void): void {
  if (typeof value !== "object" || value === null) return;
  if (isNode(value)) see(value);
  for (const child of Object.values(value)) visit(child, see);
}

const lineOf = (source: string, at: number): number => source.slice(0, at).split("\n").length;
