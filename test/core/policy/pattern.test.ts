import { describe, expect, test } from "vitest";
import {
  covers,
  isEverything,
  isExact,
  literalPrefix,
  matches,
  mayOverlap,
  parsePattern,
  templatePattern,
} from "../../../src/core/policy/pattern.ts";

const match = (pattern: string, name: string): boolean => matches(parsePattern(pattern), name);
const cover = (outer: string, inner: string): boolean => covers(parsePattern(outer), parsePattern(inner));
const overlap = (one: string, other: string): boolean => {
  const found = mayOverlap(parsePattern(one), parsePattern(other));
  expect(mayOverlap(parsePattern(other), parsePattern(one)), "the other way round").toBe(found);
  return found;
};

describe("matches()", () => {
  test.each([
    ["echo", "echo"],
    ["*", ""],
    ["*", "anything/at all\n"],
    ["**", ""],
    ["get-*", "get-"],
    ["get-*", "get-env"],
    ["*-env", "get-env"],
    ["get*env", "getenv"],
    ["get*env", "get-x-env"],
    ["a*b*c", "abc"],
    ["a*b*c", "a1b2b3c"],
    ["*a*", "a"],
    ["*ab*ab*", "abab"],
    ["a*a", "aa"],
    ["demo://a/*", "demo://a/b/c"],
    ["a.c", "a.c"],
    ["(x)+?[y]", "(x)+?[y]"],
    ["\u{1f600}*", "\u{1f600}x"],
  ])("%j takes %j", (pattern, name) => {
    expect(match(pattern, name)).toBe(true);
  });

  test.each([
    ["echo", "Echo"],
    ["echo", "echo "],
    ["echo", ""],
    ["", "a"],
    ["get-*", "get"],
    ["get-*", "xget-env"],
    ["get-*", "GET-env"],
    ["*-env", "get-env2"],
    ["a*a", "a"],
    ["ab*ba", "aba"],
    ["*ab*ab*", "aba"],
    ["a*b*c", "acb"],
    ["a.c", "abc"],
    ["\u00e9", "e\u0301"],
    ["demo://a/*", "demo://b/"],
  ])("%j does not take %j", (pattern, name) => {
    expect(match(pattern, name)).toBe(false);
  });

  test("never reads a name as a pattern", () => {
    expect(match("get-env", "*")).toBe(false);
    expect(match("get-env", "get-*")).toBe(false);
    expect(match("*", "*")).toBe(true);
  });

  test("takes linear time for what holds a regular expression for ever", { timeout: 5000 }, () => {
    expect(match(`${"*a".repeat(200)}*b`, `${"a".repeat(100_000)}c`)).toBe(false);
    expect(match(`x${"*a".repeat(200)}*`, `x${"a".repeat(100_000)}`)).toBe(true);
  });
});

describe("covers()", () => {
  test.each([
    ["*", "*"],
    ["*", "a*b"],
    ["*", ""],
    ["a*", "a"],
    ["a*", "ab*"],
    ["a*", "ab*c*"],
    ["a*c", "a*b*c"],
    ["a*b*c", "ab*c"],
    ["a*", "a*"],
    ["a", "a"],
  ])("%j covers %j", (outer, inner) => {
    expect(cover(outer, inner)).toBe(true);
  });

  test.each([
    ["a", "*"],
    ["a", "a*"],
    ["ab*", "a*"],
    ["*b", "*"],
    ["a*b*c", "a*c"],
    ["a*", "*a"],
    ["a", "b"],
  ])("%j does not cover %j", (outer, inner) => {
    expect(cover(outer, inner)).toBe(false);
  });
});

describe("mayOverlap()", () => {
  test.each([
    ["*", "*"],
    ["*", "a"],
    ["a*", "*a"],
    ["a*", "ab*"],
    ["a*c", "ab*bc"],
    ["a", "a"],
  ])("%j and %j may", (one, other) => {
    expect(overlap(one, other)).toBe(true);
  });

  test.each([
    ["a", "b"],
    ["a*", "b"],
    ["a*", "b*"],
    ["*a", "*b"],
    ["a*", "ba*"],
    ["x*a", "x*b"],
  ])("%j and %j never do", (one, other) => {
    expect(overlap(one, other)).toBe(false);
  });
});

describe("isEverything()", () => {
  test.each([
    ["*", true],
    ["**", true],
    ["***", true],
    ["", false],
    ["a", false],
    ["a*", false],
    ["*a", false],
    ["*a*", false],
    ["* ", false],
    ["x:*", false],
  ])("of %j is %s", (text, expected) => {
    expect(isEverything(parsePattern(text))).toBe(expected);
  });
});

describe("a pattern", () => {
  test("is exact when it has no star", () => {
    expect(["a", "", "a*", "*"].map((text) => isExact(parsePattern(text)))).toEqual([true, true, false, false]);
  });

  test("knows the text before its first star", () => {
    expect(["ab*c*", "*", "ab"].map((text) => literalPrefix(parsePattern(text)))).toEqual(["ab", "", "ab"]);
  });

  test("of a URI template has a star for each expression, and none for a star in its text", () => {
    expect(templatePattern("x:/{a}/b/{+c*}").pieces).toEqual(["x:/", "/b/", ""]);
    expect(covers(parsePattern("x:/*"), templatePattern("x:/{a}"))).toBe(true);
    expect(covers(parsePattern("x:/a"), templatePattern("x:/{a}"))).toBe(false);
    expect(mayOverlap(parsePattern("x:/secret"), templatePattern("x:/{a}"))).toBe(true);
    expect(mayOverlap(parsePattern("y:/secret"), templatePattern("x:/{a}"))).toBe(false);
  });
});
