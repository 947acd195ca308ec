import { describe, expect, test } from "vitest";
import { covers, matches, mayOverlap, parsePattern, templatePattern } from "../../../src/core/policy/pattern.ts";

describe("mayOverlap() of an exact name and a pattern", () => {
  test.each([
    ["a*b*c", "ac"],
    ["ab*ba", "aba"],
    ["*x*", "abc"],
    ["a*c", "abd"],
  ])("%j never has %j, whichever is asked first", (pattern, name) => {
    expect(mayOverlap(parsePattern(pattern), parsePattern(name))).toBe(false);
    expect(mayOverlap(parsePattern(name), parsePattern(pattern))).toBe(false);
  });

  test.each([
    ["a*b*c", "abc"],
    ["ab*ba", "abba"],
    ["*x*", "x"],
  ])("%j has %j, whichever is asked first", (pattern, name) => {
    expect(mayOverlap(parsePattern(pattern), parsePattern(name))).toBe(true);
    expect(mayOverlap(parsePattern(name), parsePattern(pattern))).toBe(true);
  });
});

describe("an exact pattern", () => {
  test.each([
    ["a", "aa"],
    ["ab", "abab"],
    ["", "a"],
  ])("%j does not take %j, which begins and ends like it", (pattern, name) => {
    expect(matches(parsePattern(pattern), name)).toBe(false);
  });
});

describe("a URI template", () => {
  test("without an expression is the one URI that it is", () => {
    expect(covers(parsePattern("x:/a"), templatePattern("x:/a"))).toBe(true);
    expect(covers(parsePattern("x:/b"), templatePattern("x:/a"))).toBe(false);
    expect(mayOverlap(parsePattern("x:/*"), templatePattern("x:/a"))).toBe(true);
    expect(mayOverlap(parsePattern("x:/*b*"), templatePattern("x:/a"))).toBe(false);
  });

  test("has no expression in a brace that stands alone", () => {
    expect(templatePattern("x:/{a").pieces).toEqual(["x:/{a"]);
    expect(templatePattern("x:/a}").pieces).toEqual(["x:/a}"]);
    expect(templatePattern("x:/{{a}}").pieces).toEqual(["x:/{", "}"]);
    expect(templatePattern("x:/{}").pieces).toEqual(["x:/", ""]);
  });
});
