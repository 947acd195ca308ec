import { describe, expect, test } from "vitest";
import { canonical } from "../../../src/core/jsonrpc/canonical.ts";
import { REQUEST_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import type { Json } from "../../../src/core/jsonrpc/scan.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";

function read(document: string): Json {
  const json = scan(utf8(document), REQUEST_SCAN);
  if (json.kind === "fault") throw new Error(json.message);
  return json;
}
const canonicalOf = (document: string): string => textOf(canonical(read(document)));

describe("canonical()", () => {
  test.each([
    [' \t\r\n{ "a" : [ 1 , 2 ] , "b" : { } }\n', '{"a":[1,2],"b":{}}'],
    ["[ ]", "[]"],
    [' "a" ', '"a"'],
    [" true ", "true"],
    [" 1.50 ", "1.50"],
    ['"\\u0041\\/\\u00e9\\ud834\\udd1e"', '"A/é\u{1d11e}"'],
    ['"\\u0008\\u000a\\u000B\\u001F\\u007F"', '"\\b\\n\\u000b\\u001f\u007f"'],
    ['"\\u2028\\u2029"', '"\u2028\u2029"'],
    ['"\\u0022\\u005c"', '"\\"\\\\"'],
    ['{ "n\\u0061me":"to\\u006fls/call"}', '{"name":"tools/call"}'],
  ])("writes %j as %j", (document, expected) => {
    expect(canonicalOf(document)).toBe(expected);
  });

  test("keeps numbers as they were written", () => {
    const numbers = "[9007199254740993,1.0,1e2,1E+2,-0,-0.0,0.10,123456789012345678901234567890]";
    expect(canonicalOf(` ${numbers}`)).toBe(numbers);
  });

  test("keeps the order of keys, also of those that look like integers", () => {
    expect(canonicalOf('{ "b":1,"2":2,"a":3,"1":4}')).toBe('{"b":1,"2":2,"a":3,"1":4}');
  });

  test("answers the very bytes that came when they are canonical", () => {
    const json = read('{"a":["é",1,null]}');
    expect(canonical(json)).toBe(json.bytes);
  });

  test("changes one loose string and leaves what is around it", () => {
    expect(canonicalOf('{"a":"x\\ny","b":"\\u0041","c":"\\"é"}')).toBe('{"a":"x\\ny","b":"A","c":"\\"é"}');
  });

  test("writes the deepest document that is accepted", () => {
    const deep = `${"[ ".repeat(64)}${"]".repeat(64)}`;
    expect(canonicalOf(deep)).toBe("[".repeat(64) + "]".repeat(64));
  });
});
