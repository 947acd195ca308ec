import { describe, expect, test } from "vitest";
import { concat, EMPTY, utf8, utf8Length } from "../../src/core/bytes.ts";

describe("utf8Length()", () => {
  test("counts what the encoder writes, for characters of every length", () => {
    for (const text of ["", "a", "\u007f\u0080\u07ff\u0800\uffff", "\u{10000}\u{10ffff}", "a\u{1f600}é\u20ac"])
      expect(utf8Length(text), text).toBe(utf8(text).length);
  });
});

describe("concat()", () => {
  test("joins slices, and answers a single one as it is", () => {
    const one = utf8("a");
    expect(concat([one])).toBe(one);
    expect(concat([one, EMPTY, utf8("bc")])).toEqual(utf8("abc"));
    expect(concat([])).toEqual(EMPTY);
  });
});
