import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ARRAY, OBJECT, WIDTH } from "../../src/core/jsonrpc/tape.ts";
import { elementsOf, firstChild, endOf, kindAt, ROOT, textAt, valuesOf } from "../../src/core/jsonrpc/json.ts";
import type { At } from "../../src/core/jsonrpc/json.ts";
import { ANSWER_SCAN, scan } from "../../src/core/jsonrpc/scan.ts";
import type { Json } from "../../src/core/jsonrpc/scan.ts";
import { Splice } from "../../src/core/jsonrpc/splice.ts";
import { jsonText } from "../fixtures/arbitraries.ts";
import { textOf, utf8 } from "../fixtures/bytes.ts";

/** Whether the `n`th child that is asked about stays; the same question for the fast way and the slow one. */
type Verdicts = readonly boolean[];

/** Asks about every child of every container in document order, with what lies in a part that goes among them. */
function spliceAll(json: Json, verdicts: Verdicts): Uint8Array {
  const splice = new Splice(json);
  let asked = 0;
  const visit = (at: At): void => {
    const kind = kindAt(json, at);
    if (kind !== OBJECT && kind !== ARRAY) return;
    splice.keep(at, () => verdicts[asked++ % verdicts.length] !== false);
    for (const child of kind === OBJECT ? valuesOf(json, at) : elementsOf(json, at)) visit(child);
  };
  visit(ROOT);
  return splice.bytes();
}

/** The slow twin, on values: filters each container, and asks in the same order. */
function filterSlowly(value: unknown, verdicts: Verdicts): unknown {
  let asked = 0;
  const visit = (one: unknown): unknown => {
    if (typeof one !== "object" || one === null) return one;
    const entries = Object.entries(one);
    const kept = entries.map(() => verdicts[asked++ % verdicts.length] !== false);
    const visited = entries.map(([key, child]) => [key, visit(child)] as const).filter((_, i) => kept[i]);
    return Array.isArray(one) ? visited.map(([, child]) => child) : Object.fromEntries(visited);
  };
  return visit(value);
}

/** Keys like integers come first in a value of JavaScript, whatever their order in the document. */
function hasIntegerKey(json: Json, at: At = ROOT): boolean {
  const kind = kindAt(json, at);
  if (kind === ARRAY) return elementsOf(json, at).some((child) => hasIntegerKey(json, child));
  if (kind !== OBJECT) return false;
  for (let key = firstChild(at); key < endOf(json, at); key = endOf(json, key + WIDTH))
    if (/^[0-9]+$/.test(textAt(json, key))) return true;
  return valuesOf(json, at).some((child) => hasIntegerKey(json, child));
}

const verdicts = fc.array(fc.boolean(), { minLength: 1, maxLength: 12 });

/** What a reader of the bytes sees, with keys in their order. */
const compact = (text: string): string => JSON.stringify(JSON.parse(text));

describe("what Splice leaves of a document", () => {
  test("is what its slow twin leaves of the value", () => {
    fc.assert(
      fc.property(jsonText, verdicts, (text, kept) => {
        const json = scan(utf8(text), ANSWER_SCAN);
        fc.pre(json.kind === "json");
        fc.pre(!hasIntegerKey(json));
        expect(compact(textOf(spliceAll(json, kept)))).toBe(JSON.stringify(filterSlowly(JSON.parse(text), kept)));
      }),
      { numRuns: 2000 },
    );
  });

  test("is made of the document's own bytes in their order, and all of them when all is kept", () => {
    fc.assert(
      fc.property(jsonText, verdicts, (text, kept) => {
        const json = scan(utf8(text), ANSWER_SCAN);
        fc.pre(json.kind === "json");
        const after = spliceAll(json, kept);
        let at = 0;
        for (const byte of after) {
          at = json.bytes.indexOf(byte, at) + 1;
          expect(at).toBeGreaterThan(0);
        }
        expect(spliceAll(json, [true])).toBe(json.bytes);
      }),
      { numRuns: 1000 },
    );
  });
});
