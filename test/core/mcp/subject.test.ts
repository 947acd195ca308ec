import { describe, expect, test } from "vitest";
import { nameSubject, resourceSubject, templateSubject } from "../../../src/core/mcp/subject.ts";

describe("nameSubject()", () => {
  test("takes a name as it is: not trimmed, folded or normalised", () => {
    for (const name of [
      "echo",
      " echo ",
      "ECHO",
      "e\u0301",
      "\u00e9",
      "a/b",
      "a*b",
      "\u{1f600}",
      "constructor",
      "x\u200b",
    ])
      expect(nameSubject("tool", name)).toEqual({ ok: true, value: { kind: "tool", name } });
  });

  test.each([
    ["", "is empty"],
    ["a\0", "holds a control character"],
    ["a\nb", "holds a control character"],
    ["\u007f", "holds a control character"],
    ["\u0085", "holds a control character"],
    ["x".repeat(257), "is longer than 256 bytes"],
    ["é".repeat(129), "is longer than 256 bytes"],
  ])("refuses %j, which %s", (name, error) => {
    expect(nameSubject("prompt", name)).toEqual({ ok: false, error });
  });

  test("counts bytes of UTF-8, not characters", () => {
    for (const name of ["x".repeat(256), "é".repeat(128), "\u20ac".repeat(85), "\u{1f600}".repeat(64)])
      expect(nameSubject("tool", name).ok, name).toBe(true);
    for (const name of ["\u20ac".repeat(86), "\u{1f600}".repeat(65)])
      expect(nameSubject("tool", name).ok, name).toBe(false);
  });
});

describe("resourceSubject()", () => {
  test("takes a URI in normal form and refuses others with the reason", () => {
    expect(resourceSubject("demo://a/b")).toEqual({ ok: true, value: { kind: "resource", name: "demo://a/b" } });
    expect(resourceSubject("demo://a/../b")).toEqual({ ok: false, error: "has dot segments" });
  });
});

describe("templateSubject()", () => {
  test("takes a URI that is in normal form around its expressions", () => {
    for (const uri of [
      "demo://a/{id}",
      "demo://{host}/{+path}",
      "demo://a/{?q,r*}",
      "demo://a/b",
      "demo://a/{#x}/{x:3}",
    ])
      expect(templateSubject(uri)).toEqual({ ok: true, value: { kind: "template", name: uri } });
  });

  test.each([
    ["{+uri}", "has no lower-case scheme"],
    ["demo://a/../{id}", "has dot segments"],
    ["demo://a/{id", "holds a character that must be percent-encoded"],
    ["demo://a/id}", "holds a character that must be percent-encoded"],
    ["demo://a/{{id}}", "holds a character that must be percent-encoded"],
    ["demo://a//{id}", "has an empty segment"],
    [`demo://a/${"{a}".repeat(700)}`, "is longer than 2048 bytes"],
  ])("refuses %j, which %s", (uri, error) => {
    expect(templateSubject(uri)).toEqual({ ok: false, error });
  });
});
