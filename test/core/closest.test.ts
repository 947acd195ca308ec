import { describe, expect, test } from "vitest";
import { closest } from "../../src/core/closest.ts";

const WORDS = ["listen", "admin-listen", "policies", "log", "spiffe"];

describe("closest()", () => {
  test.each([
    ["listen", "listen"],
    ["Listen", "listen"],
    ["LISTEN", "listen"],
    ["lisen", "listen"],
    ["lsiten", "listen"],
    ["listenn", "listen"],
    ["lissten", "listen"],
    ["lixxen", "listen"],
    ["polices", "policies"],
    ["spife", "spiffe"],
    ["lgo", "log"],
    ["logs", "log"],
  ])("takes %s for %s", (word, meant) => {
    expect(closest(word, WORDS)).toBe(meant);
  });

  test.each(["", "lxxxen", "liste-admin", "lx", "lgs", "unrelated", "listening"])("takes %j for none", (word) => {
    expect(closest(word, WORDS)).toBeUndefined();
  });

  test("has nothing to suggest where there are no words", () => {
    expect(closest("a", [])).toBeUndefined();
  });
});
