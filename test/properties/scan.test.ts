import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonical } from "../../src/core/jsonrpc/canonical.ts";
import { scan } from "../../src/core/jsonrpc/scan.ts";
import type { Json, ScanLimits } from "../../src/core/jsonrpc/scan.ts";
import { ValueEnd } from "../../src/core/jsonrpc/value-end.ts";
import { jsonText, mutated } from "../fixtures/arbitraries.ts";
import { textOf, utf8 } from "../fixtures/bytes.ts";
import { runs } from "../fixtures/runs.ts";
import { treeOf } from "../fixtures/tree.ts";
import { scanSlowly, writeSlowly } from "../oracle/scan.ts";

/** Small ones, so that generated documents meet them. */
const LIMITS: ScanLimits = { maxDepth: 3, maxKeys: 12, maxNumberBytes: 18 };
const documents = fc.oneof(jsonText.map(utf8), mutated(jsonText), fc.uint8Array({ maxLength: 12 }));
const RUNS = runs(3000);

/** `undefined` when the document is refused. */
function read(bytes: Uint8Array): Json | undefined {
  const json = scan(bytes, LIMITS);
  return json.kind === "json" ? json : undefined;
}

describe("the scanner", () => {
  test("agrees with its twin on what it accepts and on what that means", () => {
    let accepted = 0;
    fc.assert(
      fc.property(documents, (bytes) => {
        const json = read(bytes);
        if (json !== undefined) accepted++;
        expect(json && treeOf(json)).toEqual(scanSlowly(bytes, LIMITS));
      }),
      RUNS,
    );
    expect(accepted, "documents that both accept").toBeGreaterThan(RUNS.numRuns / 10);
  });

  test("knows what is canonical: what its twin would write with the same bytes", () => {
    fc.assert(
      fc.property(documents, (bytes) => {
        const json = read(bytes);
        if (json !== undefined) expect(json.canonical).toBe(writeSlowly(treeOf(json)) === textOf(bytes));
      }),
      RUNS,
    );
  });
});

describe("the canonical form", () => {
  test("means the same: the same tree, the same value to JSON.parse", () => {
    fc.assert(
      fc.property(documents, (bytes) => {
        const json = read(bytes);
        if (json === undefined) return;
        const written = canonical(json);
        const again = read(written);
        expect(again && treeOf(again)).toEqual(treeOf(json));
        expect(JSON.parse(textOf(written))).toEqual(JSON.parse(textOf(bytes)));
      }),
      RUNS,
    );
  });

  test("is what its twin writes, is canonical, and is written once only", () => {
    fc.assert(
      fc.property(documents, (bytes) => {
        const json = read(bytes);
        if (json === undefined) return;
        const written = canonical(json);
        expect(textOf(written)).toBe(writeSlowly(treeOf(json)));
        const again = read(written);
        expect(again?.canonical).toBe(true);
        expect(again && canonical(again)).toBe(written);
      }),
      RUNS,
    );
  });
});

test("the end of a document is where the scanner finds it, whatever follows", () => {
  fc.assert(
    fc.property(jsonText, fc.string(), (text, rest) => {
      const document = utf8(`[${text.trim()}]`);
      if (scan(document, { ...LIMITS, maxDepth: 9, maxKeys: 99 }).kind === "fault") return;
      expect(new ValueEnd().feed(utf8(textOf(document) + rest))).toBe(document.length);
    }),
  );
});
