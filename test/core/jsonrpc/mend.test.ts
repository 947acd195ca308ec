import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scanMended } from "../../../src/core/jsonrpc/mend.ts";
import { ANSWER_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";

/** What a document is read as; or why it is not. */
function mended(text: string): string {
  const json = scanMended(utf8(text), ANSWER_SCAN);
  return json.kind === "json" ? textOf(json.bytes) : json.message;
}

describe("scanMended()", () => {
  test("is scan() where nothing is to mend", () => {
    const bytes = utf8('{"a":"\\ud83d\\ude00","b":"\\\\ud83d"}');
    const json = scanMended(bytes, ANSWER_SCAN);
    expect(json.kind === "json" && json.bytes).toBe(bytes);
    expect(mended("{")).toBe("the document ends: expected ',' or '}'");
  });

  test.each([
    ['"\\ud83d"', '"\\ufffd"'],
    ['"a\\ud83d b"', '"a\\ufffd b"'],
    ['"\\uDE00\\uD83D"', '"\\ufffd\\ufffd"'],
    ['"\\ud83d\\ud83d\\ude00"', '"\\ufffd\\ud83d\\ude00"'],
    ['"\\ud83d\\ude00\\ude00"', '"\\ud83d\\ude00\\ufffd"'],
    ['"\\ud83d\\n"', '"\\ufffd\\n"'],
    ['"\\ud83d\\u0041"', '"\\ufffd\\u0041"'],
    ['"\\\\\\ud83d"', '"\\\\\\ufffd"'],
    ['"\\"\\ud83d"', '"\\"\\ufffd"'],
    ['{"\\ud83d":["\\udfff",1]}', '{"\\ufffd":["\\ufffd",1]}'],
    ['"\\ud7ff\\ud800\\ue000"', '"\\ud7ff\\ufffd\\ue000"'],
    ['"\\udfff\\ud83d\\udc00\\udbff\\udfff"', '"\\ufffd\\ud83d\\udc00\\udbff\\udfff"'],
    ['"\\udc00\\udc00"', '"\\ufffd\\ufffd"'],
    ['"\\udc00\\ud83d\\ude00a\\udc00"', '"\\ufffd\\ud83d\\ude00a\\ufffd"'],
    ['"\\ud83dxude00"', '"\\ufffdxude00"'],
    ['"\\ud83d\\\\de00"', '"\\ufffd\\\\de00"'],
    ['"\\ud83d\\ue000"', '"\\ufffd\\ue000"'],
  ])("puts U+FFFD in the place of each half that stands alone: %s", (text, expected) => {
    expect(mended(text)).toBe(expected);
  });

  test("mends nothing else", () => {
    expect(mended('"\\ud83"')).toMatch(/needs four hexadecimal digits/);
    expect(mended('{"\\ud83d":1,"\\ud83e":2}')).toMatch(/stands twice/);
    expect(mended('["\\ud83d"')).toMatch(/the document ends/);
    expect(mended('"\\ud83d\\ud8')).toMatch(/\S/);
    expect(scanMended(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), ANSWER_SCAN).kind).toBe("fault");
  });

  test("reads what JSON.stringify writes of any text as the well-formed text of it", () => {
    const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 });
    const halves = fc.array(fc.constantFrom(0xd83d, 0xde00, 0x5c, 0x75, 0x41, 0x22), { maxLength: 8 });
    fc.assert(
      fc.property(fc.oneof(units, halves), (codes) => {
        const text = String.fromCharCode(...codes);
        const written = JSON.stringify(text);
        expect(JSON.parse(mended(written))).toBe(text.toWellFormed());
        expect(scan(utf8(written), ANSWER_SCAN).kind).toBe(text.isWellFormed() ? "json" : "fault");
      }),
    );
  });
});
