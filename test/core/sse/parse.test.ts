import { createParser } from "eventsource-parser";
import { describe, expect, test } from "vitest";
import { concat } from "../../../src/core/bytes.ts";
import { hasLineSeparator, SseParser, TOO_LARGE } from "../../../src/core/sse/parse.ts";
import type { SseEvent } from "../../../src/core/sse/parse.ts";
import { everyCut, latin1, piecesOf, textOf, utf8 } from "../../fixtures/bytes.ts";
import { parseSlowly } from "../../oracle/sse.ts";

const LIMIT = 4096;

/** All events, the one that end of stream leaves last. */
function parse(chunks: readonly Uint8Array[]): SseEvent[] {
  const parser = new SseParser(LIMIT);
  return [...chunks.flatMap((chunk) => parser.feed(chunk)), parser.end()].filter((one) => {
    if (one === TOO_LARGE) throw new Error("an event is too large");
    return one !== undefined;
  });
}

const optional = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : textOf(bytes);
const textsOf = (events: readonly SseEvent[]) =>
  events.map(({ raw, data, type, id, retry, plain }) => ({
    raw: textOf(raw),
    data: optional(data),
    type,
    id: optional(id),
    retry: optional(retry),
    plain,
  }));

/** What a client of MCP sees of it: the library that the official TypeScript SDK reads its streams with. */
function seenByClient(chunks: readonly string[]): { data: string; event: string | undefined }[] {
  const seen: { data: string; event: string | undefined }[] = [];
  const parser = createParser({ onEvent: ({ data, event }) => seen.push({ data, event }) });
  for (const chunk of chunks) parser.feed(chunk);
  return seen.filter(({ data }) => data !== "");
}

const STREAMS: readonly (readonly [name: string, stream: string])[] = [
  ["one event", "data: {}\n\n"],
  ["two events", "data: 1\n\ndata: 2\n\n"],
  ["CRLF", "event: message\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n"],
  ["CR", "data: 1\r\rdata: 2\r\r"],
  ["mixed line ends", "data: 1\r\n\ndata: 2\n\r\ndata: 3\r\r\ndata: 4\n\rdata: 5\r\n\r\n"],
  ["blank lines before and between", "\n\n\r\n\rdata: 1\n\n\n\ndata: 2\n\n"],
  ["data in several lines", "data: {\ndata:  1\ndata:}\n\n"],
  ["data in several lines with CR", "data: {\rdata: }\r\n\r\n"],
  ["every field", "event: message\nid: 7\nretry: 100\ndata: 1\n\n"],
  ["fields that stand twice", "event: a\nevent: b\nid: 1\nid: 2\nretry: 1\nretry: 2\ndata: 1\n\n"],
  ["an id with NUL, which does not count", "id: a\nid: b\0c\ndata: 1\n\n"],
  ["no space and two spaces after the colon", "data:1\ndata:  2\n\n"],
  ["a field without a colon", "data\ndata: 1\nevent\n\n"],
  ["data that is empty", "data:\n\ndata\n\ndata: \n\n"],
  ["fields that nobody knows", "dat: 1\nDATA: 2\ndata : 3\n data: 4\ndata: 5\n\n"],
  ["comments", ": hello\n\n:\n\n: a\ndata: 1\n: b\n\n"],
  ["an event without its blank line", "data: 1\n\ndata: 2\n"],
  ["an event without its line end", "data: 1\n\ndata: 2"],
  ["a CR as the last byte", "data: 1\n\ndata: 2\r"],
  ["a blank line of CR as the last byte", "data: 1\r\r"],
  ["a byte order mark", "\ufeffdata: 1\n\n"],
  ["two byte order marks", "\ufeff\ufeffdata: 1\n\ndata: 2\n\n"],
  ["a byte order mark within", "data: 1\n\n\ufeffdata: 2\n\n"],
  ["a byte order mark and nothing else", "\ufeff"],
  ["a byte order mark before a blank line", "\ufeff\n\ndata: 1\n\n"],
  ["a byte order mark after a blank line", "\n\ufeffdata: 1\n\ndata: 2\n\n"],
  ["a character that begins like a byte order mark", "\uff21: 1\ndata: 1\n\n"],
  ["retry times that are none", "retry: 1x\ndata: 1\n\nretry: -1\ndata: 2\n\nretry: 0990\ndata: 3\n\n"],
  ["characters of all lengths", "data: é\u20ac\u{1f600}\n\n"],
  ["line separators of Unicode", "data: a\u2028b\u0085c\n\n"],
  ["nothing", ""],
  ["only line ends", "\r\n\n\r"],
];

describe.each(STREAMS)("SseParser on %s", (_, stream) => {
  const bytes = utf8(stream);
  const slow = parseSlowly(stream);

  test("finds what the specification says", () => {
    const fast = textsOf(parse([bytes])).map(({ data, type, id, retry }) => ({ data, type, id, retry }));
    expect(fast).toEqual(slow.map(({ data, type, id, retry }) => ({ data, type, id, retry })));
  });

  test("finds the same at every cut", () => {
    const whole = textsOf(parse([bytes]));
    for (const [cut, chunks] of everyCut(bytes)) expect(textsOf(parse(chunks)), `cut at byte ${cut}`).toEqual(whole);
  });

  test("finds the same in pieces of every size, and with empty chunks between", () => {
    const whole = textsOf(parse([bytes]));
    for (let size = 1; size <= bytes.length + 1; size++) {
      const pieces = piecesOf(bytes, size);
      expect(textsOf(parse(pieces)), `pieces of ${size} bytes`).toEqual(whole);
      const empty = new Uint8Array(0);
      const spaced = pieces.flatMap((piece) => [empty, piece, empty]);
      expect(textsOf(parse(spaced)), `spaced pieces of ${size} bytes`).toEqual(whole);
    }
  });

  test("loses no byte but the mark at the start", () => {
    expect(textOf(concat(parse([bytes]).map((event) => event.raw)))).toBe(stream.replace(/^\ufeff/, ""));
  });
});

/** But a CR as the last byte, which may be half of a CRLF: this parser decides at the end, the client at once or never. */
const DECIDED = STREAMS.filter(([, stream]) => !stream.endsWith("\r"));

test.each(DECIDED)("SseParser on %s reads what a client of MCP reads, before what is left at the end", (_, stream) => {
  const terminated = parseSlowly(stream).filter((event) => event.terminated && event.data !== undefined);
  expect(seenByClient([stream])).toEqual(
    terminated.map(({ data, type }) => ({ data, event: type === "" ? undefined : type })),
  );
});

describe("SseParser", () => {
  test("calls plain what every reader cuts alike, and nothing else", () => {
    const plain = (stream: string): boolean[] => parse([utf8(stream)]).map((event) => event.plain);
    expect(plain("event: message\nid: 1\ndata: {}\n\n: hi\r\n\r\n")).toEqual([true, true, true]);
    expect(plain("data: {}\r\r")).toEqual([false]);
    expect(plain("event: message\rdata: {}\n\n: a\rdata: {}\n\n")).toEqual([false, false, true]);
    expect(plain("data: é\n\n")).toEqual([true]);
    expect(plain("data: 1\rdata: 2\n\n")).toEqual([false]);
    expect(plain("data: 1\ndata: 2\n\n")).toEqual([false]);
    expect(plain("data: a\u2028b\n\ndata: a\u2029b\n\ndata: a\u0085b\n\n")).toEqual([false, false, false]);
    expect(plain(": a\u2028data: 1\n\n")).toEqual([false, true]);
    expect(plain("data: {}")).toEqual([false]);
    expect(plain("data: {}\n")).toEqual([false]);
  });

  test.each(["\v", "\f", "\u001c", "\u001d", "\u001e"])(
    "does not call plain what %j could cut for a reader that splits lines like Python",
    (separator) => {
      const [comment, blank, type] = parse([
        utf8(`: hi${separator}data: {"hidden":1}\n\nevent: x${separator}data: {"hidden":1}\n\n`),
      ]);
      expect([comment?.plain, blank?.plain, type?.plain]).toEqual([false, true, false]);
    },
  );

  test.each(['Data: {"hidden":1}', 'data : {"hidden":1}', '{"hidden":1}', "x"])(
    "does not call plain an event with the line %j, which a laxer reader could take for data",
    (line) => {
      expect(parse([utf8(`data: {}\n${line}\n\n`)]).map(({ plain }) => plain)).toEqual([false]);
    },
  );

  test("reads a type of visible ASCII, and of a long one only that it is none that is known", () => {
    const typeOf = (type: string): string | undefined => parse([utf8(`event: ${type}\ndata: 1\n\n`)])[0]?.type;
    expect([typeOf("a ~!"), typeOf("a\u007f"), typeOf("é")]).toEqual(["a ~!", "", ""]);
    expect([typeOf("t".repeat(64)), typeOf("t".repeat(65))]).toEqual(["t".repeat(64), "?"]);
  });

  test("keeps each event's bytes as the slice they came in", () => {
    const chunk = utf8("data: 1\n\ndata: 2\n\n");
    const [one, other] = parse([chunk]);
    expect(one?.raw.buffer).toBe(chunk.buffer);
    expect([one?.raw.byteOffset, other?.raw.byteOffset]).toEqual([0, 9]);
  });

  test("says how much it holds: nothing between events", () => {
    const parser = new SseParser(LIMIT);
    expect(parser.isUnfed).toBe(true);
    const marked = new SseParser(LIMIT);
    marked.feed(utf8("\ufeff").subarray(0, 1));
    expect(marked.isUnfed).toBe(false);
    parser.feed(utf8("data: 1\n\n"));
    expect([parser.heldBytes, parser.isUnfed]).toEqual([0, false]);
    parser.feed(utf8("data"));
    expect(parser.heldBytes).toBe(4);
    parser.feed(utf8(": 2\n"));
    expect(parser.heldBytes).toBe(8);
    parser.feed(utf8("\n"));
    expect(parser.heldBytes).toBe(0);
    expect(parser.end()).toBeUndefined();
  });

  const limited = (chunks: readonly Uint8Array[]): readonly unknown[] => {
    const parser = new SseParser(10);
    return [...chunks.flatMap((chunk) => parser.feed(chunk)), parser.end()].flatMap((one) =>
      one === undefined ? [] : [one === TOO_LARGE ? one : textOf(one.raw)],
    );
  };

  test("says that an event is too large as soon as it holds more than the limit, once, and keeps nothing of it", () => {
    const parser = new SseParser(10);
    expect(parser.feed(utf8("data: 6789"))).toEqual([]);
    expect(parser.feed(utf8("x"))).toEqual([TOO_LARGE]);
    expect(parser.feed(utf8("x".repeat(99)))).toEqual([]);
    expect(parser.heldBytes).toBe(0);
  });

  test.each(["\n", "\r\n", "\r"])(
    "reads on after an event that is too large, with line ends %j at every cut",
    (end) => {
      const lines = ["data:1", "", "data: 23456", ":x", "", "data:8", "", ""].join(end);
      const one = `data:1${end}${end}`;
      const other = `data:8${end}${end}`;
      for (const [cut, chunks] of everyCut(utf8(lines)))
        expect(limited(chunks), `cut at byte ${cut}`).toEqual([one, TOO_LARGE, other]);
      expect(limited(piecesOf(utf8(lines), 1))).toEqual([one, TOO_LARGE, other]);
    },
  );

  test("reads nothing of an event that is too large as a comment and an event of its own", () => {
    expect(limited([utf8("data: 23456"), utf8(": 7\ndata: 1\n\ndata:8\n\n")])).toEqual([TOO_LARGE, "data:8\n\n"]);
  });

  test("drops an event that is too large and has no end", () => {
    expect(limited([utf8("data: 23456"), utf8("7\n")])).toEqual([TOO_LARGE]);
  });

  test("lets comments go on before their blank line: they keep a stream alive", () => {
    const parser = new SseParser(LIMIT);
    const fed = (text: string): readonly string[] =>
      parser.feed(utf8(text)).map((one) => (one === TOO_LARGE ? one : textOf(one.raw)));
    expect(fed(": still here\n")).toEqual([": still here\n"]);
    expect(fed(":\n:\n")).toEqual([":\n", ":\n"]);
    expect(fed(": cut")).toEqual([]);
    expect(fed(" here\n")).toEqual([": cut here\n"]);
    expect(fed("\n")).toEqual(["\n"]);
    expect(fed("data: 1\n: within\n")).toEqual([]);
    expect(fed("\n: before\r\ndata: 1\n")).toEqual(["data: 1\n: within\n\n", ": before\r\n"]);
  });

  test("does not count events that are complete against the limit", () => {
    const parser = new SseParser(10);
    for (let i = 0; i < 100; i++) expect(parser.feed(utf8("data: 1\n\n"))).toHaveLength(1);
  });

  test("survives bytes that are no UTF-8 in a name, a type and a comment", () => {
    const [event] = parse([latin1("\xff\xfe: 1\nevent: \xc3\n: \x80\ndata: 1\n\n")]);
    expect(event?.data).toEqual(utf8("1"));
  });
});

describe("hasLineSeparator()", () => {
  test.each([
    ["\u2028", true],
    ["a\u2029", true],
    ["\u0085b", true],
    ["\u2027\u202a\u2030", false],
    ["\u0084\u0086é", false],
    ["\u3028\u2128", false],
    ["", false],
  ])("%j: %s", (text, expected) => {
    expect(hasLineSeparator(utf8(text))).toBe(expected);
  });

  test("is not misled by a sequence that is cut off", () => {
    expect(hasLineSeparator(latin1("\xe2\x80"))).toBe(false);
    expect(hasLineSeparator(latin1("\xc2"))).toBe(false);
  });
});

test("counts the events that clients see: none for a comment, for what is too large, or for one that is not whole", () => {
  const parser = new SseParser(40);
  parser.feed(utf8(": ping\n\ndata: 1\n\nid: 7\n\nda"));
  expect(parser.eventCount).toBe(1);
  parser.feed(utf8("ta: 2\n\ndata: 3\n\n"));
  expect(parser.eventCount).toBe(3);
  parser.feed(utf8(`data: ${"x".repeat(50)}\n\ndata: 4`));
  expect(parser.eventCount).toBe(3);
  parser.end();
  expect(parser.eventCount).toBe(4);
});
