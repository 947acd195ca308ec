import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readMessage } from "../../../src/core/jsonrpc/message.ts";
import { ANSWER_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import type { Json } from "../../../src/core/jsonrpc/scan.ts";
import { sealDenial, unsealDenial } from "../../../src/core/mcp/sealed-denial.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";
import { result } from "../../fixtures/messages.ts";

function json(text: string): Json {
  const scanned = scan(utf8(text), ANSWER_SCAN);
  if (scanned.kind === "fault") throw new Error(scanned.message);
  return scanned;
}
const unsealed = (text: string): string | undefined => {
  const answer = unsealDenial(json(text));
  return answer && textOf(answer);
};
/** The pong of a server to this ping, with the id as some writer of JSON has it. */
const pong = (ping: Uint8Array, write = JSON.stringify): string =>
  `{"result":{},"id":${write((JSON.parse(textOf(ping)) as { id: string }).id)},"jsonrpc":"2.0"}`;

describe("sealDenial()", () => {
  test("makes a ping in canonical form that a server can read", () => {
    const sealed = sealDenial(result({ a: 'x"\n\u2028é' }, "7"));
    const ping = json(textOf(sealed));
    expect(ping.canonical).toBe(true);
    expect(JSON.parse(textOf(sealed))).toMatchObject({ jsonrpc: "2.0", method: "ping" });
  });

  test("comes back from the answer to it, byte for byte, whatever a denial says", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.oneof(fc.integer(), fc.string({ maxLength: 20 })), (text, id) => {
        const answer = result({ content: [{ type: "text", text: text.toWellFormed() }], isError: true }, id);
        fc.pre(answer.isWellFormed());
        expect(unsealed(pong(sealDenial(answer)))).toBe(answer);
        const escaped = (value: string): string =>
          JSON.stringify(value).replaceAll(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
        expect(unsealed(pong(sealDenial(answer), escaped as typeof JSON.stringify))).toBe(answer);
      }),
      { numRuns: 300 },
    );
  });
});

describe("unsealDenial()", () => {
  test.each([
    "1",
    "null",
    "[]",
    '["toolgate-denied {}"]',
    "{}",
    '{"id":1}',
    '{"id":null}',
    '{"id":["toolgate-denied {}"]}',
    '{"id":"toolgate-denied"}',
    '{"id":" toolgate-denied {}"}',
    '{"id":"Toolgate-denied {}"}',
    '{"id":"x toolgate-denied {}"}',
    '{"ID":"toolgate-denied {}"}',
    '{"result":{"id":"toolgate-denied {}"}}',
  ])("finds nothing in %s", (text) => {
    expect(unsealed(text)).toBeUndefined();
  });

  test("finds what stands behind the word, and does not say that it is anything", () => {
    expect(unsealed('{"id":"toolgate-denied "}')).toBe("");
    expect(unsealed('{"id":"toolgate-denied x"}')).toBe("x");
  });

  test("finds it in what reads like no answer, since servers differ in how they refuse a ping", () => {
    const error = '{"jsonrpc":"2.0","id":"toolgate-denied {}","error":{"code":-32601,"message":"no ping"}}';
    expect(readMessage(json(error)).kind).toBe("answer");
    expect(unsealed(error)).toBe("{}");
  });
});
