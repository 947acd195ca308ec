import { describe, expect, test } from "vitest";
import { concat } from "../../../src/core/bytes.ts";
import { followEvents } from "../../../src/core/exchange/follow-events.ts";
import { NOTHING_SEEN } from "../../../src/core/exchange/seen.ts";
import { BROKEN } from "../../../src/core/mcp/outcome.ts";
import type { Seen } from "../../../src/core/exchange/seen.ts";
import type { Id } from "../../../src/core/jsonrpc/message.ts";
import { DEFAULT_LIMITS } from "../../../src/core/limits.ts";
import type { Asked } from "../../../src/core/mcp/asked.ts";
import { SseParser } from "../../../src/core/sse/parse.ts";
import { askedWith } from "../../fixtures/asked.ts";
import { everyCut, textOf, utf8 } from "../../fixtures/bytes.ts";
import { notification, request, result } from "../../fixtures/messages.ts";

const MAX = 200;
const limits = { ...DEFAULT_LIMITS, maxEventBytes: MAX };
const ASKED = askedWith(["tool a"], { limits });
const OF_TWO: Asked = {
  ...ASKED,
  pending: ["1", "2"].map((id) => ({ id: id as Id, method: "tools/call" })),
  takesBatches: true,
  refused: [utf8(result({ denied: true }, 3))],
};

type Run = {
  readonly text: string;
  readonly seen: Seen;
  readonly isBroken: boolean;
  readonly bodies: readonly (number | undefined)[];
};

/** Follows these chunks to the end of the stream, or up to where it stays open. */
function follow(
  chunks: readonly (string | Uint8Array)[],
  asked: Asked = ASKED,
  isOpen = false,
  before = NOTHING_SEEN,
): Run {
  const parser = new SseParser(asked.limits.maxEventBytes);
  let seen = before;
  let isBroken = false;
  const slices: Uint8Array[] = [];
  const bodies: (number | undefined)[] = [];
  for (const [i, chunk] of chunks.entries()) {
    const body = typeof chunk === "string" ? utf8(chunk) : chunk;
    const followed = followEvents(asked, seen, parser, { body, endOfStream: !isOpen && i === chunks.length - 1 });
    ({ seen, isBroken } = followed);
    slices.push(followed.body ?? body);
    bodies.push(followed.body?.length);
    if (isBroken) break;
  }
  return { text: textOf(concat(slices)), seen, isBroken, bodies };
}
const event = (data: string): string => `event: message\ndata: ${data}\n\n`;
const error = (fault: string, id: unknown = 1): string =>
  event(
    JSON.stringify({
      jsonrpc: "2.0",
      id,
      error: { code: -32603, message: `The server's answer was not delivered: it ${fault}.` },
    }),
  );
const PROGRESS = event(notification("notifications/progress", { progress: 1 }));
const HIDDEN = event(request("roots/list", {}, 9));
const TOO_LARGE = `holds an event larger than ${MAX} bytes`;

describe("followEvents()", () => {
  test("answers a chunk as it came when it has whole events that have to stay as they are, or nothing", () => {
    expect(follow([PROGRESS, "", PROGRESS + PROGRESS], ASKED, true).bodies).toEqual([undefined, undefined, undefined]);
    expect(follow([PROGRESS.slice(0, 9), PROGRESS.slice(9)], ASKED, true).bodies).toEqual([0, PROGRESS.length]);
    expect(follow([PROGRESS + PROGRESS.slice(0, 9)], ASKED, true).bodies).toEqual([PROGRESS.length]);
  });

  test("knows that a stream can be resumed as soon as an event had an id, whatever became of it", () => {
    const isResumable = (...chunks: readonly string[]): boolean => follow(chunks, ASKED, true).seen.isResumable;
    expect(isResumable(PROGRESS)).toBe(false);
    expect(isResumable(": id: 7\n\n", "retry: 5\n\n")).toBe(false);
    for (const text of [
      `id: 7\n${PROGRESS}`,
      "id: 7\n\n",
      "id\n\n",
      `id: 7\n${HIDDEN}`,
      `id: 7\n${PROGRESS}${PROGRESS}`,
    ])
      expect(isResumable(text), text).toBe(true);
    expect(isResumable("id: 7\n")).toBe(false);
    expect(follow([event(result({})), `id: 7\n${event(result({}))}`]).seen.isResumable).toBe(true);
  });

  test("says at the end that an answer was lost, to each request that still waits, and to no other", () => {
    const broken = event("[}");
    const fault = "is not acceptable JSON: byte 1 is unexpected: expected a value";
    expect(follow([broken]).text).toBe(`event: message\n\n${error(fault)}`);
    expect(follow([broken], ASKED, true).text).toBe("event: message\n\n");
    expect(follow([broken, event(result({}))]).text).toBe(`event: message\n\n${event(result({}))}`);
    expect(follow([HIDDEN, PROGRESS]).text).toBe(`event: message\n\n${PROGRESS}`);
    expect(follow([broken], { ...ASKED, pending: undefined }).text).toBe("event: message\n\n");
    const refused = event(result({ denied: true }, 3));
    expect(follow([broken], OF_TWO).text).toBe(`${refused}event: message\n\n${error(fault, 1)}${error(fault, 2)}`);
    expect(follow([broken, event(result({}, 1))], OF_TWO).text).toBe(
      `${refused}event: message\n\n${event(result({}, 1))}${error(fault, 2)}`,
    );
  });

  test("says nothing at the end when no answer came at all: the client sees that the stream is over", () => {
    expect(follow([PROGRESS])).toMatchObject({ text: PROGRESS, isBroken: false, seen: { lost: undefined } });
    expect(follow([""]).text).toBe("");
  });

  test("puts our own answers to a batch before all else, once, as soon as there is anything", () => {
    const refused = event(result({ denied: true }, 3));
    expect(follow(["", PROGRESS], OF_TWO, true).bodies).toEqual([undefined, refused.length + PROGRESS.length]);
    for (const [cut, chunks] of everyCut(utf8(`\ufeff: hi\n\n${PROGRESS}`)))
      expect(follow(chunks, OF_TWO).text, `cut at byte ${cut}`).toBe(`${refused}: hi\n\n${PROGRESS}`);
    expect(follow(["d", ""], OF_TWO).text).toContain(refused);
  });
});

describe("followEvents() on an event over the limit", () => {
  /** An event of so many bytes in all. */
  const sized = (bytes: number): string => {
    const around = event(notification("notifications/progress", { message: "" })).length;
    return event(notification("notifications/progress", { message: "x".repeat(bytes - around) }));
  };

  test("delivers one of exactly the limit, and none that is a byte larger, at every cut", () => {
    for (const [cut, chunks] of everyCut(utf8(sized(MAX))))
      expect(follow(chunks), `cut at byte ${cut}`).toMatchObject({ text: sized(MAX), isBroken: false });
    for (const [cut, chunks] of everyCut(utf8(sized(MAX + 1))))
      expect(follow(chunks), `cut at byte ${cut}`).toMatchObject({ text: error(TOO_LARGE), isBroken: true });
  });

  test("breaks off as soon as so much is held, and not before", () => {
    const half = `data: ${"x".repeat(MAX)}`;
    expect(follow([half.slice(0, MAX)], ASKED, true)).toMatchObject({ text: "", isBroken: false });
    expect(follow([half.slice(0, MAX + 1)], ASKED, true)).toMatchObject({ text: error(TOO_LARGE), isBroken: true });
    expect(follow([half.slice(0, MAX), "x"], ASKED, true)).toMatchObject({ text: error(TOO_LARGE), isBroken: true });
  });

  test("delivers what was complete before it, and tells each request that still waits", () => {
    expect(follow([PROGRESS + sized(MAX + 1)])).toMatchObject({ text: PROGRESS + error(TOO_LARGE) });
    expect(follow([event(result({})) + sized(MAX + 1)])).toMatchObject({
      text: event(result({})),
      seen: { lost: { reason: "too-large", message: TOO_LARGE } },
    });
    expect(follow([event(result({}, 2)), sized(MAX + 1)], OF_TWO).text).toBe(
      event(result({ denied: true }, 3)) + event(result({}, 2)) + error(TOO_LARGE, 1),
    );
  });

  test("says so to nobody in particular on a stream that no request opened, and reads on, at every cut", () => {
    const onStream: Asked = { ...ASKED, pending: undefined };
    const list = event(result({ tools: [{ name: "a" }, { name: "x" }] }, 7));
    const left = event(result({ tools: [{ name: "a" }] }, 7));
    const expected = { text: PROGRESS + error(TOO_LARGE, null) + left, isBroken: false };
    for (const [cut, chunks] of everyCut(utf8(PROGRESS + sized(MAX + 1) + list)))
      expect(follow(chunks, onStream), `cut at byte ${cut}`).toMatchObject(expected);
    expect(follow([sized(MAX + 1)], onStream, true).seen.lost).toEqual({ reason: "too-large", message: TOO_LARGE });
    expect(follow([sized(MAX + 1)], ASKED, true, { ...NOTHING_SEEN, rest: BROKEN }).text).toBe(error(TOO_LARGE));
  });
});
