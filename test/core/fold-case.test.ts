import { describe, expect, test } from "vitest";
import { foldCase } from "../../src/core/fold-case.ts";

describe("foldCase()", () => {
  test("makes equal whatever Unicode's simple case folding makes equal", () => {
    const letters = Array.from({ length: 0x1_ffff }, (_, code) => code)
      .filter((code) => code < 0xd800 || code > 0xdfff)
      .map((code) => String.fromCodePoint(code))
      .filter((char) => /\p{Changes_When_Casefolded}|\p{Changes_When_Casemapped}/u.test(char));
    expect(letters.length).toBeGreaterThan(2000);
    // The regular expression engine folds as Unicode says: an oracle that shares no code with ours.
    const all = letters.join("");
    const missed = letters.flatMap((char) =>
      (all.match(new RegExp(RegExp.escape(char), "giu")) ?? [])
        .filter((other) => foldCase(char) !== foldCase(other))
        .map((other) => `${char} ${other}`),
    );
    expect(missed).toEqual([]);
  });

  test("keeps apart what differs in more", () => {
    for (const [one, other] of [
      ["a", "b"],
      ["name", "names"],
      ["a\u0301", "a"],
      ["a", " a"],
    ] as const)
      expect(foldCase(one)).not.toBe(foldCase(other));
  });
});
