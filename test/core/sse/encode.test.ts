import { createParser } from "eventsource-parser";
import { describe, expect, test } from "vitest";
import { encodeEvent } from "../../../src/core/sse/encode.ts";
import type { Fields } from "../../../src/core/sse/encode.ts";
import { SseParser } from "../../../src/core/sse/parse.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";

const fields = (more: Partial<Fields>): Fields => ({
  type: "",
  id: undefined,
  retry: undefined,
  data: undefined,
  ...more,
});
const encoded = (more: Partial<Fields>): string => textOf(encodeEvent(fields(more)));

describe("encodeEvent()", () => {
  test("writes what is there, one field a line, LF, and a blank line at the end", () => {
    const all = encoded({ type: "message", id: utf8("7"), retry: utf8("100"), data: utf8('{"a":1}') });
    expect(all).toBe('event: message\nid: 7\nretry: 100\ndata: {"a":1}\n\n');
    expect(encoded({ data: utf8("{}") })).toBe("data: {}\n\n");
    expect(encoded({ id: utf8("") })).toBe("id: \n\n");
    expect(encoded({})).toBe("\n");
  });

  test("escapes what some readers take for a line end, so that the JSON means the same", () => {
    const json = '{"a":"x\u2028y\u2029z\u0085é"}';
    const text = encoded({ data: utf8(json) });
    expect(text).toBe('data: {"a":"x\\u2028y\\u2029z\\u0085é"}\n\n');
    expect(JSON.parse(text.slice("data: ".length))).toEqual(JSON.parse(json));
  });

  test("is read back by the parser and by a client of MCP", () => {
    const bytes = encodeEvent(fields({ type: "message", id: utf8("7"), data: utf8('{"a":"\u2028"}') }));
    const events = new SseParser(4096).feed(bytes);
    expect(events).toMatchObject([{ type: "message", id: utf8("7"), data: utf8('{"a":"\\u2028"}'), plain: true }]);
    const seen: string[] = [];
    createParser({ onEvent: ({ data, event, id }) => seen.push(`${event} ${id} ${data}`) }).feed(textOf(bytes));
    expect(seen).toEqual(['message 7 {"a":"\\u2028"}']);
  });

  test("writes JSON that stood in several data lines as one line", () => {
    const data = utf8('{"jsonrpc":"2.0",\n"id":1,\n\n"result":{}}');
    const seen: string[] = [];
    createParser({ onEvent: ({ data: text }) => seen.push(text) }).feed(encoded({ data }));
    expect(seen.map((text) => JSON.parse(text) as unknown)).toEqual([{ jsonrpc: "2.0", id: 1, result: {} }]);
    expect(encoded({ data: utf8('{\r\n"a":1}') })).toBe('data: {  "a":1}\n\n');
  });

  test.each(["\u0085", "\u2028", "\u2029", "\v", "\f", "\u001c", "\u001e"])(
    "writes no line end of any reader (%j) into the lines of the type, the id and the retry time",
    (separator) => {
      const bytes = utf8(`x${separator}data: {"hidden":1}`);
      const [event] = new SseParser(4096).feed(
        utf8(`event: ${textOf(bytes)}\nid: ${textOf(bytes)}\nretry: ${textOf(bytes)}\ndata: 1\n\n`),
      );
      if (event === undefined || typeof event === "string") throw new Error("the fixture is no event");
      const { type, id, retry, data } = event;
      expect(textOf(encodeEvent({ type, id, retry, data }))).toBe("data: 1\n\n");
    },
  );
});
