import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { covers, matches, mayOverlap, parsePattern, templatePattern } from "../../src/core/policy/pattern.ts";
import { runs } from "../fixtures/runs.ts";
import { matchesSlowly } from "../oracle/pattern.ts";

/** Few letters, so that names and patterns meet. */
const names = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 8 });
const patterns = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "*"), maxLength: 6 });
const RUNS = runs(5000);

describe("a pattern", () => {
  test("matches what its twin matches", () => {
    fc.assert(
      fc.property(patterns, names, (pattern, name) => {
        expect(matches(parsePattern(pattern), name)).toBe(matchesSlowly(pattern, name));
      }),
      RUNS,
    );
  });

  test("matches what was made from it", () => {
    fc.assert(
      fc.property(patterns, fc.array(names, { minLength: 6, maxLength: 6 }), (pattern, fillings) => {
        let i = 0;
        const name = pattern.replaceAll("*", () => fillings[i++] ?? "");
        expect(matches(parsePattern(pattern), name)).toBe(true);
      }),
      RUNS,
    );
  });

  test("that covers another matches all that the other matches", () => {
    fc.assert(
      fc.property(patterns, patterns, names, (outer, inner, name) => {
        fc.pre(covers(parsePattern(outer), parsePattern(inner)) && matchesSlowly(inner, name));
        expect(matchesSlowly(outer, name), `${outer} covers ${inner}, which matches ${name}`).toBe(true);
      }),
      { ...runs(500), maxSkipsPerRun: 500 },
    );
  });

  test("covers itself and is covered by a star", () => {
    fc.assert(
      fc.property(patterns, (pattern) => {
        expect(covers(parsePattern(pattern), parsePattern(pattern))).toBe(true);
        expect(covers(parsePattern("*"), parsePattern(pattern))).toBe(true);
      }),
    );
  });

  test("may overlap with another that matches the same name", () => {
    fc.assert(
      fc.property(patterns, patterns, names, (one, other, name) => {
        fc.pre(matchesSlowly(one, name) && matchesSlowly(other, name));
        expect(mayOverlap(parsePattern(one), parsePattern(other)), `${one} and ${other} match ${name}`).toBe(true);
        expect(mayOverlap(parsePattern(other), parsePattern(one))).toBe(true);
      }),
      { ...runs(500), maxSkipsPerRun: 500 },
    );
  });

  test("that covers a template matches all its expansions, and one that never overlaps matches none", () => {
    const templates = fc
      .array(fc.oneof(names, fc.constantFrom("{x}", "{+y*}")), { maxLength: 4 })
      .map((all) => all.join(""));
    fc.assert(
      fc.property(patterns, templates, names, (pattern, template, filling) => {
        const expansion = template.replaceAll(/\{[^{}]*\}/g, filling);
        const parsed = parsePattern(pattern);
        const isMatch = matchesSlowly(pattern, expansion);
        if (covers(parsed, templatePattern(template))) expect(isMatch).toBe(true);
        if (!mayOverlap(parsed, templatePattern(template))) expect(isMatch).toBe(false);
      }),
      RUNS,
    );
  });
});
