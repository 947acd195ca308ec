import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../../src/core/limits.ts";
import * as subjects from "../../../src/core/mcp/subject.ts";

const nameSubject = (kind: "tool" | "prompt", name: string) => subjects.nameSubject(kind, name, DEFAULT_LIMITS);
const resourceSubject = (uri: string) => subjects.resourceSubject(uri, DEFAULT_LIMITS);
const templateSubject = (uri: string) => subjects.templateSubject(uri, DEFAULT_LIMITS);

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
    expect(nameSubject("prompt", name)).toMatchObject({ ok: false, error: { message: error } });
  });

  test("counts bytes of UTF-8, not characters", () => {
    for (const name of ["x".repeat(256), "é".repeat(128), "\u20ac".repeat(85), "\u{1f600}".repeat(64)])
      expect(nameSubject("tool", name).ok, name).toBe(true);
    for (const name of ["\u20ac".repeat(86), "\u{1f600}".repeat(65)])
      expect(nameSubject("tool", name).ok, name).toBe(false);
  });
});

describe("resourceSubject()", () => {
  test("takes a URI, and says of one that is not in normal form what is odd about it", () => {
    expect(resourceSubject("demo://a/b")).toEqual({ ok: true, value: { kind: "resource", name: "demo://a/b" } });
    const odd = { kind: "resource", name: "demo://a/../b", odd: "has dot segments" };
    expect(resourceSubject("demo://a/../b")).toEqual({ ok: true, value: odd });
  });

  test.each([
    ["", "invalid-params", "is empty"],
    ["demo://a\u0009b", "invalid-params", "holds a control character"],
    ["demo://a\u0085b", "invalid-params", "holds a control character"],
    [`demo://${"é".repeat(1_021)}`, "uri-too-long", "is longer than 2048 bytes"],
  ])("refuses %j", (uri, reason, message) => {
    expect(resourceSubject(uri)).toEqual({ ok: false, error: { reason, message } });
  });

  test("counts bytes, not characters", () => {
    expect(resourceSubject(`demo://${"a".repeat(2_041)}`).ok).toBe(true);
    expect(resourceSubject(`demo://${"é".repeat(1_020)}`).ok).toBe(true);
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
  ])("says that %j %s", (uri, odd) => {
    expect(templateSubject(uri)).toEqual({ ok: true, value: { kind: "template", name: uri, odd } });
  });

  test("refuses one that is too long", () => {
    const error = { reason: "uri-too-long", message: "is longer than 2048 bytes" };
    expect(templateSubject(`demo://a/${"{a}".repeat(700)}`)).toEqual({ ok: false, error });
  });
});
