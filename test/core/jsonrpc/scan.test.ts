import { describe, expect, test } from "vitest";
import { ANSWER_SCAN, REQUEST_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import type { Fault, Json } from "../../../src/core/jsonrpc/scan.ts";
import { latin1, textOf, utf8 } from "../../fixtures/bytes.ts";
import { treeOf } from "../../fixtures/tree.ts";

const read = (document: string | Uint8Array, limits = REQUEST_SCAN): Json | Fault =>
  scan(typeof document === "string" ? utf8(document) : document, limits);

/** The fault's message; fails when the document is accepted. */
function faultOf(document: string | Uint8Array, limits = REQUEST_SCAN): string {
  const found = read(document, limits);
  return found.kind === "fault" ? found.message : `accepted: ${textOf(found.bytes)}`;
}

const accepts = (document: string | Uint8Array): boolean => read(document).kind === "json";
const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
const keys = (count: number): string => `{${Array.from({ length: count }, (_, i) => `"k${i}":0`).join(",")}}`;

describe("scan() accepts", () => {
  test.each([
    "{}",
    "[]",
    '""',
    "0",
    "-0",
    "-1.5e-3",
    "1E+2",
    "true",
    "false",
    "null",
    '[1,"a",null,{}]',
    '{"a":{"b":[]}}',
    " \t\r\n{ } \n",
    '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uFFFF"',
    '"\\ud834\\udd1e"',
    '"\u007f\u0085\u2028\u{10ffff}"',
    '{"":0}',
    '{"constructor":1,"toString":2,"hasOwnProperty":3}',
    "9007199254740993",
  ])("%s", (document) => {
    expect(read(document).kind).toBe("json");
  });

  test("the shortest and the longest character of each UTF-8 length", () => {
    for (const character of ["\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"]) {
      const found = read(`"${character}"`);
      expect(found.kind === "json" && treeOf(found)).toEqual({ text: character });
    }
  });
});

describe("scan() refuses, and says where", () => {
  test.each([
    ["", "the document ends: expected a value"],
    ["   ", "the document ends: expected a value"],
    ["{", "the document ends: expected ',' or '}'"],
    ["[", "the document ends: expected ',' or ']'"],
    ['{"a"', "the document ends: expected ':'"],
    ['{"a":', "the document ends: expected a value"],
    ['{"a":1', "the document ends: expected ',' or '}'"],
    ["{,}", "byte 1 is unexpected: expected a key"],
    ['{"a":1,}', "byte 7 is unexpected: expected a key"],
    ["[1,]", "byte 3 is unexpected: expected a value"],
    ["[,1]", "byte 1 is unexpected: expected a value"],
    ["[1 2]", "byte 3 is unexpected: expected ',' or ']'"],
    ["[1}", "byte 2 is unexpected: expected ',' or ']'"],
    ['{"a":1]', "byte 6 is unexpected: expected ',' or '}'"],
    ['{"a":[1}', "byte 7 is unexpected: expected ',' or ']'"],
    ['{"a" 1}', "byte 5 is unexpected: expected ':'"],
    ["{a:1}", "byte 1 is unexpected: expected a key"],
    ["{'a':1}", "byte 1 is unexpected: expected a key"],
    ["{1:1}", "byte 1 is unexpected: expected a key"],
    ["{}{}", "byte 2 is unexpected: expected the end of the document"],
    ["{} x", "byte 3 is unexpected: expected the end of the document"],
    ["{}\0", "byte 2 is unexpected: expected the end of the document"],
    ["null\0", "byte 4 is unexpected: expected the end of the document"],
    ["\ufeff{}", "byte 0 is unexpected: expected a value"],
    ["{}\ufeff", "byte 2 is unexpected: expected the end of the document"],
    ["\u00a0{}", "byte 0 is unexpected: expected a value"],
    ["\v{}", "byte 0 is unexpected: expected a value"],
    ["\f{}", "byte 0 is unexpected: expected a value"],
    ["/**/{}", "byte 0 is unexpected: expected a value"],
    ["{}//", "byte 2 is unexpected: expected the end of the document"],
    ["nul", "byte 0 is unexpected: expected a value"],
    ["True", "byte 0 is unexpected: expected a value"],
    ["NaN", "byte 0 is unexpected: expected a value"],
    ["Infinity", "byte 0 is unexpected: expected a value"],
    ["-Infinity", "byte 1 is unexpected: expected a digit"],
    ["undefined", "byte 0 is unexpected: expected a value"],
    ["truex", "byte 4 is unexpected: expected the end of the document"],
    ["+1", "byte 0 is unexpected: expected a value"],
    ["-", "the document ends: expected a digit"],
    [".5", "byte 0 is unexpected: expected a value"],
    ["1.", "the document ends: expected a digit"],
    ["1.e1", "byte 2 is unexpected: expected a digit"],
    ["1e", "the document ends: expected a digit"],
    ["1e+", "the document ends: expected a digit"],
    ["01", "byte 1 is unexpected: expected the end of the document"],
    ["-01", "byte 2 is unexpected: expected the end of the document"],
    ["0x10", "byte 1 is unexpected: expected the end of the document"],
    ["1_000", "byte 1 is unexpected: expected the end of the document"],
    ['"', "a string does not end"],
    ['"a', "a string does not end"],
    ['"\\"', "a string does not end"],
    ['"a\nb"', "a control character stands unescaped in a string at byte 2"],
    ['"\0"', "a control character stands unescaped in a string at byte 1"],
    ['"\\x41"', "an escape at byte 1 is not one of JSON's"],
    ['"\\\'"', "an escape at byte 1 is not one of JSON's"],
    ['"\\U0041"', "an escape at byte 1 is not one of JSON's"],
    ['"\\', "an escape at byte 1 is not one of JSON's"],
    ['"\\u004"', "an escape at byte 3 needs four hexadecimal digits"],
    ['"\\u00g0"', "an escape at byte 3 needs four hexadecimal digits"],
    ['"\\u00@0"', "an escape at byte 3 needs four hexadecimal digits"],
    ['"\\u00:0"', "an escape at byte 3 needs four hexadecimal digits"],
    ['"\\u+041"', "an escape at byte 3 needs four hexadecimal digits"],
    ['"\\u00', "an escape at byte 3 needs four hexadecimal digits"],
    ['"\\ud800"', "a surrogate stands alone at byte 1"],
    ['"\\udc00"', "a surrogate stands alone at byte 1"],
    ['"\\ud800\\ud800"', "a surrogate stands alone at byte 1"],
    ['"\\ud800x"', "a surrogate stands alone at byte 1"],
    ['"\\ud800\\n"', "a surrogate stands alone at byte 1"],
    ['"\\ud800\\u0041"', "a surrogate stands alone at byte 1"],
    ['"\\ud800\\udbff"', "a surrogate stands alone at byte 1"],
    ['"\\ud800\\ue000"', "a surrogate stands alone at byte 1"],
    ['"\\udbff\\uffff"', "a surrogate stands alone at byte 1"],
    ['"\\udfff"', "a surrogate stands alone at byte 1"],
    ['"\\udc00\\ud800"', "a surrogate stands alone at byte 1"],
    ["1e400", "the number at byte 0 is out of range"],
    ["[-1e999]", "the number at byte 1 is out of range"],
  ])("%j: %s", (document, message) => {
    expect(faultOf(document)).toBe(message);
  });

  test.each([
    ["an overlong slash", "\xc0\xaf"],
    ["an overlong letter", "\xc1\xa1"],
    ["an overlong form of three bytes", "\xe0\x80\xaf"],
    ["the largest overlong form of three bytes", "\xe0\x9f\xbf"],
    ["an overlong form of four bytes", "\xf0\x8f\xbf\xbf"],
    ["a high surrogate", "\xed\xa0\x80"],
    ["a low surrogate", "\xed\xbf\xbf"],
    ["a CESU-8 pair", "\xed\xa0\xbd\xed\xb8\x80"],
    ["a code point above U+10FFFF", "\xf4\x90\x80\x80"],
    ["a lead byte of five", "\xf8\x88\x80\x80\x80"],
    ["0xFF", "\xff"],
    ["a lone tail byte", "\x80"],
    ["a lead byte before ASCII", "\xc3A"],
    ["a sequence of three cut off", "\xe2\x80"],
    ["a sequence of four cut off", "\xf0\x9f\x98"],
  ])("%s", (_, sequence) => {
    expect(faultOf(latin1(`"${sequence}"`))).toBe("byte 1 is not UTF-8");
    expect(faultOf(latin1(`{"${sequence}":1}`))).toBe("byte 2 is not UTF-8");
    expect(faultOf(latin1(`"${sequence}`))).toBe("byte 1 is not UTF-8");
  });

  test("UTF-16 and UTF-32, with a mark and without", () => {
    const utf16 = (text: string): Uint8Array => latin1(text.replaceAll(/./g, (char) => `${char}\0`));
    expect(accepts(utf16('{"a":1}'))).toBe(false);
    expect(accepts(latin1("\xff\xfe{\0}\0"))).toBe(false);
    expect(accepts(latin1("{\0\0\0}\0\0\0"))).toBe(false);
  });

  test("every prefix of a document", () => {
    const document = utf8('{"jsonrpc":"2.0","id":-1.5e+3,"params":{"é":["\\u00e9\\ud834\\udd1e",true,null,{}]}}');
    expect(accepts(document)).toBe(true);
    for (let end = 0; end < document.length; end++)
      expect(accepts(document.subarray(0, end)), `cut at byte ${end}`).toBe(false);
  });
});

describe("scan() refuses a key that stands twice", () => {
  const DUPLICATE = /^a key stands twice in one object at byte [0-9]+$/;

  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"b":2,"a":1}',
    '{"":1,"":1}',
    '{"x":{"a":1,"a":2}}',
    '[[{"a":1,"a":2}]]',
    '{"name":1,"n\\u0061me":2}',
    '{"n\\u0061me":1,"name":2}',
    '{"\\u006eame":1,"n\\u0061me":2}',
    '{"é":1,"\\u00e9":2}',
    '{"é":1,"é":2}',
    '{"\\ud83d\\ude00":1,"\u{1f600}":2}',
    '{"a\\/b":1,"a/b":2}',
    '{"a":{"a":1},"a":2}',
    '{"a":{"a":{"a":1},"b":1},"b":{"a":1,"b":2,"a":3}}',
  ])("%s", (document) => {
    expect(faultOf(document)).toMatch(DUPLICATE);
  });

  test("whatever the number of keys before, between and after it", () => {
    for (let count = 1; count <= 40; count++) {
      const names = Array.from({ length: count }, (_, i) => `k${i}`);
      for (const twice of [0, Math.floor(count / 2), count - 1]) {
        const document = `{${[...names, names[twice]].map((name) => `"${name}":{"k0":1}`).join(",")}}`;
        expect(faultOf(document), document).toMatch(DUPLICATE);
      }
      expect(accepts(keys(count)), `${count} keys`).toBe(true);
    }
  });

  test("in an outer object, after an inner one with many keys", () => {
    expect(faultOf(`{"a":1,"b":${keys(30)},"a":2}`)).toMatch(DUPLICATE);
    expect(faultOf(`{"a":1,"b":[${keys(17)},${keys(17)}],"c":2,"b":2}`)).toMatch(DUPLICATE);
    expect(accepts(`{"k0":1,"b":[${keys(17)},${keys(17)}],"k1":2}`)).toBe(true);
  });

  test("but not keys that differ in case or in their Unicode form", () => {
    expect(accepts('{"a":1,"A":1}')).toBe(true);
    expect(accepts('{"\u00e9":1,"e\u0301":1}')).toBe(true);
  });

  test("but not keys with the same hash", () => {
    // 31 * "A" + "a" == 31 * "B" + "B"
    expect(accepts('{"Aa":1,"BB":1}')).toBe(true);
    expect(faultOf('{"Aa":1,"BB":1,"Aa":1}')).toMatch(DUPLICATE);
  });
});

describe("scan() refuses __proto__", () => {
  test.each(['{"__proto__":1}', '{"__pr\\u006fto__":1}', '{"a":[{"__proto__":{}}]}'])("%s", (document) => {
    expect(faultOf(document)).toBe('the key "__proto__" is not accepted');
  });

  test("as the seventeenth key too, where keys are kept in a set", () => {
    for (const count of [14, 15, 16, 17, 30]) {
      expect(faultOf(`${keys(count).slice(0, -1)},"__proto__":1}`), `after ${count} keys`).toBe(
        'the key "__proto__" is not accepted',
      );
    }
  });

  test("but not as a value", () => {
    expect(accepts('{"a":"__proto__"}')).toBe(true);
  });
});

describe("scan() has limits", () => {
  const reasonOf = (document: string, limits = REQUEST_SCAN): string => {
    const found = read(document, limits);
    return found.kind === "fault" ? found.reason : "accepted";
  };

  test("on the depth: 64 levels and no more, of arrays, objects and both", () => {
    expect(accepts(nested(64))).toBe(true);
    expect(reasonOf(nested(65))).toBe("too-deep");
    expect(faultOf(nested(65))).toBe("nested deeper than 64 levels");
    const mixed = (depth: number): string => (depth === 0 ? "1" : `[{"a":${mixed(depth - 1)}}]`);
    expect(accepts(mixed(32))).toBe(true);
    expect(reasonOf(mixed(33))).toBe("too-deep");
  });

  test("on the depth that is open at once, not on all that was opened", () => {
    expect(accepts(`[${Array.from({ length: 500 }, () => nested(60)).join(",")}]`)).toBe(true);
  });

  test("on a flood of brackets, without a stack overflow", () => {
    expect(reasonOf("[".repeat(1_000_000))).toBe("too-deep");
  });

  test("on the keys of all objects together", () => {
    expect(accepts(keys(2000))).toBe(true);
    expect(faultOf(keys(2001))).toBe("more than 2000 keys");
    expect(reasonOf(keys(2001))).toBe("too-many-keys");
    expect(reasonOf(`[${keys(1000)},${keys(1000)}]`)).toBe("accepted");
    expect(reasonOf(`[${keys(1000)},${keys(1000)},{"a":1}]`)).toBe("too-many-keys");
    expect(reasonOf(keys(2001), ANSWER_SCAN)).toBe("accepted");
  });

  test("on the length of a number", () => {
    expect(accepts("1".repeat(64))).toBe(true);
    expect(faultOf("1".repeat(65))).toBe("the number at byte 0 is longer than 64 bytes");
    expect(accepts(`1e${"0".repeat(61)}1`)).toBe(true);
    expect(faultOf(`[1e${"0".repeat(63)}1]`)).toBe("the number at byte 1 is longer than 64 bytes");
  });
});

describe("scan() leaves", () => {
  test("every value where it stands, in order", () => {
    const found = read(' {"a" : [1, -2.50e1 ,true] , "b\\u0021":"x\\ny", "é":{ } ,"":null}');
    expect(found.kind === "json" && treeOf(found)).toEqual({
      members: [
        ["a", { elements: [{ lexeme: "1" }, { lexeme: "-2.50e1" }, { lexeme: "true" }] }],
        ["b!", { text: "x\ny" }],
        ["é", { members: [] }],
        ["", { lexeme: "null" }],
      ],
    });
  });

  test("what an earlier document was read as untouched when others follow", () => {
    const documents = Array.from({ length: 200 }, (_, i) => `{"n":${i},"list":[${"1,".repeat(i)}{"i":"${i}"}]}`);
    const found = documents.map((document) => read(document));
    for (const [i, json] of found.entries()) {
      expect(json.kind === "json" && treeOf(json)).toMatchObject({
        members: [
          ["n", { lexeme: String(i) }],
          [
            "list",
            {
              elements: [
                ...Array.from({ length: i }, () => ({ lexeme: "1" })),
                { members: [["i", { text: String(i) }]] },
              ],
            },
          ],
        ],
      });
    }
  });

  test("a document of many more values than bytes suggest whole", () => {
    const ones = `[${Array.from({ length: 20_000 }, () => "1").join(",")}]`;
    const found = read(ones);
    expect(found.kind === "json" && treeOf(found)).toEqual({
      elements: Array.from({ length: 20_000 }, () => ({ lexeme: "1" })),
    });
  });

  test.each([
    ['{"a":1}', true],
    ['{"a": 1}', false],
    [' {"a":1}', false],
    ['{"a":1}\n', false],
    ["{ }", false],
    ["[ ]", false],
    ['{"a" :1}', false],
    ['"\\u0041"', false],
    ['"\\/"', false],
    ['"\\u000a"', false],
    ['"\\u0008"', false],
    ['"\\u000b"', true],
    ['"\\u000B"', false],
    ['"\\u001f"', true],
    ['"\\u001F"', false],
    ['"\\u0000"', true],
    ['"\\u007f"', false],
    ['"\\u2028"', false],
    ['"\u2028"', true],
    ['"\\ud834\\udd1e"', false],
    ['"\\n\\"\\\\"', true],
    ['{"\\u0061":1}', false],
    ["1.0", true],
  ])("whether %j is canonical already: %s", (document, canonical) => {
    expect(read(document)).toMatchObject({ kind: "json", canonical });
  });
});
