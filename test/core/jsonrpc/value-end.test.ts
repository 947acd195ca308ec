import { describe, expect, test } from "vitest";
import { ValueEnd } from "../../../src/core/jsonrpc/value-end.ts";
import { everyCut, utf8 } from "../../fixtures/bytes.ts";

/** Where the document ends when it comes in these chunks, counted from its beginning; -1 when it does not. */
function endOf(chunks: readonly Uint8Array[]): number {
  const end = new ValueEnd();
  let before = 0;
  for (const chunk of chunks) {
    const found = end.feed(chunk);
    if (found !== -1) return before + found;
    before += chunk.length;
  }
  return -1;
}

describe("ValueEnd", () => {
  test.each([
    "{}",
    "[]",
    '{"a":1}',
    ' \n{"a":[{}]}',
    '{"a\\"}b":"]}"}',
    '{"a":"\\\\"}',
    '{"a":"\\\\\\"}"}',
    '["{", "[", "\\\\", "\\""]',
    '{"é":"\u{1f600}}"}',
    '{"\\u007d":"\\u005d"}',
  ])("finds the end of %s at every cut", (document) => {
    const whole = utf8(document);
    const trailing = utf8(`${document}  {}`);
    for (const [cut, chunks] of everyCut(whole)) expect(endOf(chunks), `cut at byte ${cut}`).toBe(whole.length);
    for (const [cut, chunks] of everyCut(trailing)) expect(endOf(chunks), `cut at byte ${cut}`).toBe(whole.length);
    expect(endOf([...whole].map((byte) => Uint8Array.of(byte)))).toBe(whole.length);
  });

  test("finds no end while a bracket or a string is open", () => {
    for (const document of ["", " ", "{", '{"a":"}', '{"a":"\\"}', "[[]", '{"a":{}', '"{}"', "1", "null"])
      expect(endOf([utf8(document)]), document).toBe(-1);
  });

  test("ends at once on a bracket that closes nothing: it is no JSON, and nothing is held for it", () => {
    expect(endOf([utf8("}")])).toBe(1);
    expect(endOf([utf8(" ]")])).toBe(2);
  });
});
