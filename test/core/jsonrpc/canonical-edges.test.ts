import { describe, expect, test } from "vitest";
import { canonicalValue } from "../../../src/core/jsonrpc/canonical.ts";
import { elementsOf, member, ROOT } from "../../../src/core/jsonrpc/json.ts";
import { REQUEST_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import type { Json } from "../../../src/core/jsonrpc/scan.ts";
import { canonicalOf, Splice } from "../../../src/core/jsonrpc/splice.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";

function read(document: string): Json {
  const json = scan(utf8(document), REQUEST_SCAN);
  if (json.kind === "fault") throw new Error(json.message);
  return json;
}

describe("canonicalValue()", () => {
  test("takes no more memory than the value: a list has many, each with its digest", () => {
    const json = read(`{"a":{"b": 1},"c":"${"x".repeat(9_999)}"}`);
    expect(canonicalValue(json, member(json, ROOT, "a")).buffer.byteLength).toBe('{"b": 1}'.length);
  });

  test("is the canonical form of one value alone, in a document that is none", () => {
    const json = read(' { "a" : [ 1.50 , "\\u0041" , { "b" : null } ] , "c" : true } ');
    const list = member(json, ROOT, "a");
    expect(textOf(canonicalValue(json, list))).toBe('[1.50,"A",{"b":null}]');
    expect(elementsOf(json, list).map((at) => textOf(canonicalValue(json, at)))).toEqual(["1.50", '"A"', '{"b":null}']);
    expect(textOf(canonicalValue(json, ROOT))).toBe('{"a":[1.50,"A",{"b":null}],"c":true}');
  });
});

describe("canonicalOf()", () => {
  test("answers the very bytes that came when nothing is changed and they are canonical", () => {
    const json = read('{"a":[1,2]}');
    expect(canonicalOf(new Splice(json), json, REQUEST_SCAN)).toBe(json.bytes);
  });

  test("writes what came in canonical form when nothing is changed", () => {
    const json = read('{ "a" : "\\u0041" }');
    expect(textOf(canonicalOf(new Splice(json), json, REQUEST_SCAN))).toBe('{"a":"A"}');
  });

  test.each(['{"a":[1,2],"b":3}', '{ "a" : [ 1 , 2 ] , "\\u0062" : 3 }'])("writes what is left of %s", (document) => {
    const json = read(document);
    const splice = new Splice(json);
    expect(splice.keep(member(json, ROOT, "a"), (at) => at === elementsOf(json, member(json, ROOT, "a"))[1])).toBe(1);
    expect(textOf(canonicalOf(splice, json, REQUEST_SCAN))).toBe('{"a":[2],"b":3}');
  });

  test("writes what was put in the place of a value", () => {
    const json = read('{ "a" : 1 }');
    const splice = new Splice(json);
    splice.replace(member(json, ROOT, "a"), utf8('[ "\\u0041" ]'));
    expect(textOf(canonicalOf(splice, json, REQUEST_SCAN))).toBe('{"a":["A"]}');
  });

  test("is a mistake of ours, and said to be, when what is left is no JSON", () => {
    const json = read('{"a":1}');
    const splice = new Splice(json);
    splice.replace(member(json, ROOT, "a"), utf8("x"));
    expect(() => canonicalOf(splice, json, REQUEST_SCAN)).toThrow(
      "what was taken out has left no JSON: byte 5 is unexpected: expected a value",
    );
  });
});
