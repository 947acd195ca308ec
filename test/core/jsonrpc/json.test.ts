import { describe, expect, test } from "vitest";
import {
  ABSENT,
  elementsOf,
  isObject,
  isString,
  keysOf,
  member,
  memberText,
  ROOT,
  sliceAt,
  span,
  textAt,
} from "../../../src/core/jsonrpc/json.ts";
import { REQUEST_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import type { Json } from "../../../src/core/jsonrpc/scan.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";

function read(document: string): Json {
  const json = scan(utf8(document), REQUEST_SCAN);
  if (json.kind === "fault") throw new Error(json.message);
  return json;
}

describe("member()", () => {
  const json = read('{"a":{"method":"inner"},"list":["method"],"m\\u0065thod":"outer","methods":1}');

  test("finds a key by what it means, in this object alone", () => {
    expect(textAt(json, member(json, ROOT, "method"))).toBe("outer");
    expect(memberText(json, member(json, ROOT, "a"), "method")).toBe("inner");
  });

  test("finds no key that only begins like it, and none in a value", () => {
    expect(member(json, ROOT, "metho")).toBe(ABSENT);
    expect(member(json, ROOT, "inner")).toBe(ABSENT);
    expect(member(read("{}"), ROOT, "a")).toBe(ABSENT);
  });

  test("has a text only where the value is a string", () => {
    expect(memberText(json, ROOT, "methods")).toBeUndefined();
    expect(memberText(json, ROOT, "nothing")).toBeUndefined();
  });
});

describe("a value", () => {
  test("is known by its kind, and absence is of none", () => {
    const json = read('["a",{}]');
    const [text = ABSENT, object = ABSENT] = elementsOf(json, ROOT);
    expect([isString(json, text), isObject(json, text)]).toEqual([true, false]);
    expect([isString(json, object), isObject(json, object)]).toEqual([false, true]);
    expect([isString(json, ABSENT), isObject(json, ABSENT)]).toEqual([false, false]);
  });

  test("is found again in the document, with the quotes of a string", () => {
    const json = read(' [ "a\\u0041" , {"b" : [ ]} , -1.0 , true ] ');
    const spans = elementsOf(json, ROOT).map((at) => textOf(json.bytes.subarray(...span(json, at))));
    expect(spans).toEqual(['"a\\u0041"', '{"b" : [ ]}', "-1.0", "true"]);
    const [, object = ABSENT, number = ABSENT] = elementsOf(json, ROOT);
    expect([textOf(sliceAt(json, object)), textOf(sliceAt(json, number))]).toEqual(['{"b" : [ ]}', "-1.0"]);
  });
});

describe("textAt()", () => {
  test("decodes short and long text, ASCII or not, escaped or not", () => {
    for (const text of ["", "a", "é", "x".repeat(200), "é".repeat(200), 'quote " and \\ and \n', "\u{1f600}"]) {
      expect(textAt(read(JSON.stringify(text)), ROOT)).toBe(text);
    }
  });

  test("keeps a byte order mark that stands in a string", () => {
    expect(textAt(read('"\ufeffa"'), ROOT)).toBe("\ufeffa");
    expect(textAt(read(`"\ufeff${"a".repeat(60)}"`), ROOT)).toBe(`\ufeff${"a".repeat(60)}`);
  });
});

describe("keysOf()", () => {
  test("answers the keys of one object in their order, decoded", () => {
    expect(keysOf(read('{"b":{"x":1},"\\u0061":[{"y":1}],"1":2}'), ROOT)).toEqual(["b", "a", "1"]);
  });
});
