import { describe, expect, test } from "vitest";
import { ANSWER_SCAN, REQUEST_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import type { ScanLimits } from "../../../src/core/jsonrpc/scan.ts";
import { latin1, utf8 } from "../../fixtures/bytes.ts";
import { treeOf } from "../../fixtures/tree.ts";

/** `accepted`, or the reason and the message of the fault. */
function found(document: string | Uint8Array, limits: ScanLimits = REQUEST_SCAN): string {
  const json = scan(typeof document === "string" ? utf8(document) : document, limits);
  return json.kind === "json" ? "accepted" : `${json.reason}: ${json.message}`;
}
const isCanonical = (document: string): boolean => {
  const json = scan(utf8(document), REQUEST_SCAN);
  return json.kind === "json" && json.canonical;
};

describe("a sequence that is not UTF-8", () => {
  test.each([
    ["one tail byte too few, then ASCII", "\xe2\x80A"],
    ["ASCII where the first tail byte of three stands", "\xe2A\x80"],
    ["ASCII where the last tail byte of four stands", "\xf0\x9f\x98A"],
    ["ASCII where the third byte of four stands", "\xf0\x9fA\x98"],
    ["ASCII where the second byte of four stands", "\xf0A\x9f\x98"],
    ["a lead byte where a tail byte stands", "\xc3\xc3"],
    ["an overlong lead of two before two tail bytes", "\xc1\x80\x80"],
    ["an overlong lead of two before three tail bytes", "\xc0\x80\x80\x80"],
    ["an overlong form of three before a third tail byte", "\xe0\x80\x80\x80"],
    ["a surrogate before a third tail byte", "\xed\xa0\x80\x80"],
    ["a lead of three before one tail byte", "\xe1\x80"],
    ["a lead of four before one tail byte", "\xf1\x80"],
    ["a lead of four before two tail bytes", "\xf1\x80\x80"],
    ["a lead of four, overlong, before two tail bytes", "\xf0\x80\x80"],
    ["a lead above U+10FFFF before one tail byte", "\xf5\x80"],
    ["a lead above U+10FFFF before two tail bytes", "\xf5\x80\x80"],
    ["a lead above U+10FFFF before three tail bytes", "\xf5\x80\x80\x80"],
    ["a lead of four with a second byte beyond U+10FFFF", "\xf4\x90\x80\x80"],
    ["a tail byte as a lead before a tail byte", "\xbf\xbf"],
  ])("is refused: %s", (_, sequence) => {
    expect(found(latin1(`"${sequence}"`))).toBe("malformed-json: byte 1 is not UTF-8");
  });

  test.each(["\xe1\x80\x80", "\xec\xbf\xbf", "\xee\x80\x80", "\xed\x9f\xbf", "\xf1\x80\x80\x80", "\xf3\xbf\xbf\xbf"])(
    "is not what stands just beside one: %j",
    (sequence) => {
      expect(found(latin1(`"${sequence}"`))).toBe("accepted");
    },
  );
});

describe("an escape", () => {
  test.each(["\\ud7ff", "\\ue000", "\\ud800\\udc00", "\\udbff\\udfff", "\\uD834\\uDD1E", "\\uabcd\\uEF09"])(
    "is accepted: %s",
    (escape) => {
      const json = scan(utf8(`"${escape}"`), REQUEST_SCAN);
      expect(json.kind === "json" && treeOf(json)).toEqual({ text: JSON.parse(`"${escape}"`) as string });
    },
  );

  test.each(["\\ud834xudd1e", "\\ud834\\xdd1e", "\\ud834\\Udd1e", "\\ud834udd1e", "\\ud834\\"])(
    "of a high surrogate needs one of a low one behind it: %s",
    (escape) => {
      expect(found(`"${escape}"`)).toBe("malformed-json: a surrogate stands alone at byte 1");
    },
  );

  test.each(["\\udc00\\udc00", "\\udfff\\udfff", "\\udc00\\udfff"])(
    "of a low surrogate has none before it: %s",
    (escape) => {
      expect(found(`"${escape}"`)).toBe("malformed-json: a surrogate stands alone at byte 1");
    },
  );

  test("of a low surrogate has four hexadecimal digits as well", () => {
    expect(found('"\\ud834\\udd1"')).toBe("malformed-json: an escape at byte 9 needs four hexadecimal digits");
  });

  test.each(["/", "G", "g", "`", "@", ":", "\u00c1", " "])("has no digit %j", (digit) => {
    expect(found(`"\\u000${digit}"`)).toBe("malformed-json: an escape at byte 3 needs four hexadecimal digits");
  });

  test.each([
    ["\\u0009", false],
    ["\\u000a", false],
    ["\\u000c", false],
    ["\\u000d", false],
    ["\\u0007", true],
    ["\\u000e", true],
    ["\\u001a", true],
    ["\\u001A", false],
    ["\\u0019", true],
    ["\\u0020", false],
  ])("%s is the one canonical form of its character: %s", (escape, canonical) => {
    expect(isCanonical(`"${escape}"`)).toBe(canonical);
  });
});

describe("a fault", () => {
  test.each(["", "[1", '"\x01"', '{"a":1,"a":2}', '{"__proto__":1}', "1e999", "1".repeat(65), '"\\q"'])(
    "of %j is one of the JSON, not of a limit that a caller may know",
    (document) => {
      expect(found(document)).toMatch(/^malformed-json: /);
    },
  );

  test("names the byte at which a string's key stands, within its object", () => {
    expect(found('{"a":1,"a":2}')).toBe("malformed-json: a key stands twice in one object at byte 8");
    expect(found('{ "x" : 1 , "x" : 2 }')).toBe("malformed-json: a key stands twice in one object at byte 13");
  });
});

describe("the limits of an answer", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

  test("are those of a request, for depth and numbers", () => {
    expect(found(nested(64), ANSWER_SCAN)).toBe("accepted");
    expect(found(nested(65), ANSWER_SCAN)).toBe("too-deep: nested deeper than 64 levels");
    expect(found("1".repeat(64), ANSWER_SCAN)).toBe("accepted");
    expect(found("1".repeat(65), ANSWER_SCAN)).toBe("malformed-json: the number at byte 0 is longer than 64 bytes");
  });
});

describe("white space", () => {
  test.each(["\t", "\n", "\r", " "])("%j stands between any two tokens", (space) => {
    const document = ["", "{", '"a"', ":", "[", "1", ",", '"b"', ",", "{", "}", "]", "}", ""].join(space);
    expect(found(document)).toBe("accepted");
    expect(isCanonical(document)).toBe(false);
  });

  test.each(["\0", "\x08", "\v", "\f", "\x0e", "\x1f", "\x7f"])("is not %j", (byte) => {
    expect(found(`${byte}1`)).toBe("malformed-json: byte 0 is unexpected: expected a value");
    expect(found(`[1${byte}]`)).toBe("malformed-json: byte 2 is unexpected: expected ',' or ']'");
  });
});

describe("keys", () => {
  /** `count` members named k<from>, k<from + 1>, ... */
  const members = (count: number, from = 0): string =>
    Array.from({ length: count }, (_, i) => `"k${from + i}":0`).join(",");
  const TWICE = /^malformed-json: a key stands twice in one object/;

  test("of an object with many are remembered over the objects inside it", () => {
    for (const inner of ["{}", '{"k19":1}', `{${members(20)}}`, `[{},{${members(20)}}]`]) {
      expect(found(`{${members(20)},"inner":${inner},"k20":0}`)).toBe("accepted");
      for (const twice of [0, 15, 16, 17, 19])
        expect(found(`{${members(20)},"inner":${inner},"k${twice}":0}`), `k${twice} after ${inner}`).toMatch(TWICE);
    }
  });

  test("of an object with many are none of the object around it", () => {
    expect(found(`{"k16":1,"inner":{${members(17)}}}`)).toBe("accepted");
    expect(found(`{${members(20)},"inner":{${members(20)}}}`)).toBe("accepted");
    expect(found(`{${members(10)},"inner":{${members(30, 5)}},"k40":1}`)).toBe("accepted");
  });

  test("that only have the hash of __proto__ are accepted", () => {
    // 31 * "_" + "_" == 31 * "`" + "@"
    expect(found('{"`@proto__":1,"__proto`@":2}')).toBe("accepted");
    expect(found('{"`@proto__":1,"__proto__":2}')).toBe('malformed-json: the key "__proto__" is not accepted');
  });
});
