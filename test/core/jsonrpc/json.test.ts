import { describe, expect, test } from "vitest";
import {
  ABSENT,
  elementsOf,
  everyKey,
  firstChild,
  isObject,
  isOneOf,
  isString,
  keyIsInAnyCase,
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
import { WIDTH } from "../../../src/core/jsonrpc/tape.ts";
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

describe("keyIsInAnyCase()", () => {
  const is = (written: string, key: string): boolean | undefined => {
    const json = read(`{"x":0,${written}:1,"z":2}`);
    return keyIsInAnyCase(json, 3 * WIDTH, key);
  };

  test("is true for the key in any case of ASCII letters, and for no other", () => {
    for (const written of ["uri", "URI", "Uri", "urI"]) expect(is(`"${written}"`, "uri"), written).toBe(true);
    expect(is('"uri"', "URI")).toBe(true);
    for (const written of ["ur", "uris", "urj", "xri", "uxi", ""])
      expect(is(`"${written}"`, "uri"), written).toBe(false);
  });

  test("takes no sign for a letter that is 32 away from it", () => {
    for (const [written, key] of [
      ["[", "{"],
      ["{", "["],
      ["@", "`"],
      ["`", "@"],
      ["A1", "A\u0011"],
      ["_", "\u007f"],
    ] as const)
      expect(is(`"${written}"`, key), written).toBe(false);
    expect([is('"AZaz"', "azAZ"), is('"a_1"', "A_1")]).toEqual([true, true]);
  });

  test("does not know for a key with an escape, or with more than ASCII anywhere", () => {
    for (const written of ['"ur\\u0069"', '"\\u0075ri"', '"\u00fcri"', '"urı"', '"u\u00e9i"'])
      expect(is(written, "uri"), written).toBeUndefined();
    expect(is('"\u007f"', "\u007f")).toBe(true);
  });
});

describe("everyKey()", () => {
  const keysSeen = (document: string): readonly string[] => {
    const json = read(document);
    const seen: string[] = [];
    expect(everyKey(json, ROOT, (key) => seen.push(textAt(json, key)) > 0)).toBe(true);
    return seen;
  };

  test("asks of each key, and not of values or of keys inside them", () => {
    expect(keysSeen("{}")).toEqual([]);
    expect(keysSeen('{"a":{"b":[{"c":1}]},"d":"e","f":[]}')).toEqual(["a", "d", "f"]);
  });

  test("is false as soon as one is not so", () => {
    const json = read('{"a":1,"b":2,"c":3}');
    const seen: string[] = [];
    const isOther = (key: number): boolean => {
      seen.push(textAt(json, key));
      return textAt(json, key) !== "b";
    };
    expect(everyKey(json, ROOT, isOther)).toBe(false);
    expect(seen).toEqual(["a", "b"]);
  });
});

test("isOneOf() is true for a key of the list, however it is written", () => {
  const json = read('{"\\u0061":1}');
  const key = firstChild(ROOT);
  expect([isOneOf(json, key, ["b", "a"]), isOneOf(json, key, ["b", "A", ""]), isOneOf(json, key, [])]).toEqual([
    true,
    false,
    false,
  ]);
});
