import { describe, expect, test } from "vitest";
import { FrameReader, toFrame } from "../../src/grpc/frame.ts";
import { STATUS_CODE } from "../../src/grpc/status.ts";

const MESSAGES = ["", "a", "hello", "", "x".repeat(300), "end"].map((text) => Buffer.from(text));
const WIRE = Buffer.concat(MESSAGES.map((message) => toFrame(message)));
const LIMIT = 300;

function read(chunks: readonly Buffer[], maxMessageBytes = LIMIT): { texts: string[]; reader: FrameReader } {
  const texts: string[] = [];
  const reader = new FrameReader(maxMessageBytes, (message) => texts.push(Buffer.from(message).toString()));
  for (const chunk of chunks) reader.feed(chunk);
  return { texts, reader };
}

const whole = MESSAGES.map(String);

describe("toFrame()", () => {
  test("puts a zero byte and the length, big-endian, before the message", () => {
    expect([...toFrame(Buffer.alloc(0x0102))].slice(0, 6)).toEqual([0, 0, 0, 1, 2, 0]);
    expect([...toFrame(new Uint8Array([7]))]).toEqual([0, 0, 0, 0, 1, 7]);
    expect([...toFrame(new Uint8Array(0))]).toEqual([0, 0, 0, 0, 0]);
  });
});

describe("FrameReader", () => {
  test("reads the same messages from every cut in two", () => {
    for (let cut = 0; cut <= WIRE.length; cut++) {
      const { texts, reader } = read([WIRE.subarray(0, cut), WIRE.subarray(cut)]);
      expect(texts, `cut at byte ${cut}`).toEqual(whole);
      expect(reader.isBetweenFrames).toBe(true);
    }
  });

  test("reads the same messages from every cut in three around the first frames", () => {
    for (let first = 0; first <= 40; first++) {
      for (let second = first; second <= 40; second++) {
        const chunks = [WIRE.subarray(0, first), WIRE.subarray(first, second), WIRE.subarray(second)];
        expect(read(chunks).texts, `cuts at bytes ${first} and ${second}`).toEqual(whole);
      }
    }
  });

  test("reads the same messages from chunks of every size", () => {
    for (let size = 1; size <= WIRE.length; size++) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < WIRE.length; at += size) chunks.push(WIRE.subarray(at, at + size));
      expect(read(chunks).texts, `chunks of ${size} bytes`).toEqual(whole);
    }
  });

  test("says how much memory it holds for a message that is not whole: all of it, from its prefix on", () => {
    const frame = toFrame(Buffer.from("hello"));
    const held = (...chunks: readonly Buffer[]): number => read(chunks).reader.heldBytes;
    expect([held(), held(frame), held(frame, frame)]).toEqual([0, 0, 0]);
    expect(held(frame.subarray(0, 4))).toBe(0);
    for (let cut = 5; cut < frame.length; cut++) expect(held(frame.subarray(0, cut))).toBe(5);
    expect(held(frame.subarray(0, 6), frame.subarray(6))).toBe(0);
    expect(held(frame.subarray(0, 3), frame.subarray(3, 6))).toBe(5);
  });

  test("says whether the bytes so far end within a frame", () => {
    const frame = toFrame(Buffer.from("hello"));
    for (let cut = 1; cut < frame.length; cut++) {
      expect(read([frame.subarray(0, cut)]).reader.isBetweenFrames, `cut at byte ${cut}`).toBe(false);
    }
    expect(read([frame]).reader.isBetweenFrames).toBe(true);
    expect(read([]).reader.isBetweenFrames).toBe(true);
  });

  test("hands out a slice of the chunk when the chunk holds the whole message", () => {
    const frame = toFrame(Buffer.from("hello"));
    let message: Uint8Array | undefined;
    new FrameReader(LIMIT, (bytes) => (message = bytes)).feed(frame);
    expect(message?.buffer).toBe(frame.buffer);
  });

  test("keeps a message that was cut whatever becomes of the chunks", () => {
    const frame = toFrame(Buffer.from("hello"));
    const chunks = [Buffer.from(frame.subarray(0, 7)), Buffer.from(frame.subarray(7))];
    let message: Uint8Array | undefined;
    const reader = new FrameReader(LIMIT, (bytes) => (message = bytes));
    for (const chunk of chunks) {
      reader.feed(chunk);
      chunk.fill(0);
    }
    expect(Buffer.from(message ?? []).toString()).toBe("hello");
  });

  test("refuses a message over the limit at its length, before any of it has come", () => {
    const prefix = toFrame(Buffer.alloc(LIMIT + 1)).subarray(0, 5);
    const refusal = {
      code: STATUS_CODE.RESOURCE_EXHAUSTED,
      message: "the message has 301 bytes, and this server takes at most 300",
    };
    expect(() => read([prefix])).toThrow(expect.objectContaining(refusal));
    for (let cut = 1; cut < prefix.length; cut++) {
      expect(() => read([prefix.subarray(0, cut), prefix.subarray(cut)])).toThrow(expect.objectContaining(refusal));
    }
  });

  test("reads lengths of 2 GiB and more as positive", () => {
    const refusal = expect.objectContaining({ code: STATUS_CODE.RESOURCE_EXHAUSTED });
    expect(() => read([Buffer.from([0, 0xff, 0xff, 0xff, 0xff])])).toThrow(refusal);
  });

  test("takes a message of exactly the limit", () => {
    expect(read([toFrame(Buffer.alloc(LIMIT, "x"))]).texts).toEqual(["x".repeat(LIMIT)]);
  });

  test("refuses a compressed message", () => {
    const frame = toFrame(Buffer.from("hello"));
    frame[0] = 1;
    const refusal = expect.objectContaining({ code: STATUS_CODE.UNIMPLEMENTED });
    expect(() => read([frame])).toThrow(refusal);
    expect(() => read([frame.subarray(0, 1), frame.subarray(1)])).toThrow(refusal);
  });

  test("hands on the messages before the one it refuses", () => {
    const texts: string[] = [];
    const reader = new FrameReader(LIMIT, (message) => texts.push(String(message)));
    expect(() => reader.feed(Buffer.concat([toFrame(Buffer.from("good")), Buffer.from([1, 0, 0, 0, 0])]))).toThrow();
    expect(texts).toEqual(["good"]);
  });
});
