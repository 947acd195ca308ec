import { describe, expect, test } from "vitest";
import { concat, EMPTY, Held, utf8, utf8Length } from "../../src/core/bytes.ts";

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

describe("Held", () => {
  test("gives back what was pushed, whatever the pieces, and holds nothing after that", () => {
    const text = "abcdefghij".repeat(50);
    for (const size of [1, 3, 7, 500]) {
      const held = new Held();
      for (let at = 0; at < text.length; at += size) held.push(utf8(text.slice(at, at + size)));
      expect(held.length).toBe(text.length);
      expect(held.last).toBe(text.charCodeAt(text.length - 1));
      expect(new TextDecoder().decode(held.take(utf8("!")))).toBe(`${text}!`);
      expect([held.length, held.last]).toEqual([0, undefined]);
    }
  });

  test("does not touch what it has given away", () => {
    const held = new Held();
    held.push(utf8("ab"));
    const first = held.take(utf8(""));
    held.push(utf8("xy"));
    held.dropLast();
    expect(new TextDecoder().decode(first)).toBe("ab");
    expect(new TextDecoder().decode(held.take(utf8("")))).toBe("x");
  });
});
