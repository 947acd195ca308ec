/**
 * HOT: bytes to server-sent events at any chunking (WHATWG HTML, section 9.2.6). Each event keeps the bytes it came in,
 * so that one that nothing has to change is passed on as it is. Line ends may be LF, CRLF or CR, and a CRLF may be cut.
 * Twin: eventsource-parser, in test/core/sse.
 */
import { concat, EMPTY, Held } from "../bytes.ts";

export type SseEvent = {
  readonly raw: Uint8Array;
  /** Undefined for comments and for events without data, which clients do not see. */
  readonly data: Uint8Array | undefined;
  /** The event's name; "" is the default, `message`. */
  readonly type: string;
  /** The value of its `id` line, as it stands. */
  readonly id: Uint8Array | undefined;
  readonly retry: Uint8Array | undefined;
  /** All clients read `raw` alike: LF or CRLF, one data line, no byte order mark, nothing some take for a line end. */
  readonly plain: boolean;
};

/** In place of an event that is larger than the limit: nothing of it is kept, and what follows it is read. */
export const TOO_LARGE = "too large";

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const BOM = [0xef, 0xbb, 0xbf];

export class SseParser {
  readonly #maxEventBytes: number;
  readonly #held = new Held();
  /** The line that is being read has no byte yet. */
  #lineEmpty = true;
  #started = false;
  /** No line of the event is complete. */
  #isFirstLine = true;
  /** Within an event that is too large. */
  #isSkipping = false;
  #eventCount = 0;

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes;
  }

  /** No byte has come yet. */
  get isUnfed(): boolean {
    return !this.#started && this.#held.length === 0;
  }

  /** Bytes of an event that is not complete. */
  get heldBytes(): number {
    return this.#held.length;
  }

  /** Those that clients see, so far. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /** The events that this chunk completes. A comment before the first field is one by itself: it keeps a stream alive. */
  feed(bytes: Uint8Array): (SseEvent | typeof TOO_LARGE)[] {
    const chunk = this.#begin(bytes);
    const events: (SseEvent | typeof TOO_LARGE)[] = [];
    let start = 0;
    // Looked for again only once they are passed: to the end for each line would cost the square of their number.
    let nextLf = chunk.indexOf(LF);
    let nextCr = chunk.indexOf(CR);
    for (let at = 0; at < chunk.length;) {
      if (nextLf !== -1 && nextLf < at) nextLf = chunk.indexOf(LF, at);
      if (nextCr !== -1 && nextCr < at) nextCr = chunk.indexOf(CR, at);
      const end = nextCr !== -1 && (nextLf === -1 || nextCr < nextLf) ? nextCr : nextLf;
      if (end === -1) {
        this.#lineEmpty = false;
        break;
      }
      // A CR at the end of a chunk may be half of a CRLF: it waits for the next byte.
      if (chunk[end] === CR && end === chunk.length - 1) {
        this.#lineEmpty &&= end === at;
        break;
      }
      const isBlank = this.#lineEmpty && end === at;
      at = chunk[end] === CR && chunk[end + 1] === LF ? end + 2 : end + 1;
      this.#lineEmpty = true;
      const isEnd = isBlank || (this.#isFirstLine && !this.#isSkipping && (this.#held.first ?? chunk[start]) === COLON);
      this.#isFirstLine = isEnd;
      if (!isEnd) continue;
      const raw = this.#held.take(chunk.subarray(start, at));
      start = at;
      if (this.#isSkipping) this.#isSkipping = false;
      else events.push(raw.length > this.#maxEventBytes ? TOO_LARGE : this.#count(parseEvent(raw, true)));
    }
    this.#held.push(chunk.subarray(start));
    if (!this.#isSkipping && this.#held.length > this.#maxEventBytes) {
      events.push(TOO_LARGE);
      this.#isSkipping = true;
    }
    if (this.#isSkipping) this.#forget();
    return events;
  }

  /** All but what may be half of a line end. */
  #forget(): void {
    if (this.#held.take(EMPTY).at(-1) === CR) this.#held.push(LONE_CR);
  }

  /** What is left when the stream has ended: browsers drop it, some clients do not. */
  end(): SseEvent | undefined {
    const left = this.#held.take(EMPTY);
    return left.length === 0 || this.#isSkipping ? undefined : this.#count(parseEvent(left, false));
  }

  #count(event: SseEvent): SseEvent {
    if (event.data !== undefined) this.#eventCount++;
    return event;
  }

  /** Puts a cut CRLF together again, and takes the byte order mark away. */
  #begin(bytes: Uint8Array): Uint8Array {
    if (!this.#started) return this.#beginStream(bytes);
    if (this.#held.last !== CR) return bytes;
    this.#held.dropLast();
    return concat([LONE_CR, bytes]);
  }

  /** Nothing is known before there are bytes enough to tell a mark. */
  #beginStream(bytes: Uint8Array): Uint8Array {
    const joined = this.#held.take(bytes);
    this.#lineEmpty = true;
    const isMark = BOM.slice(0, joined.length).every((byte, i) => joined[i] === byte);
    this.#started = joined.length >= BOM.length || (joined.length > 0 && !isMark);
    return this.#started && isMark ? joined.subarray(BOM.length) : joined;
  }
}

const LONE_CR = Uint8Array.of(CR);

function parseEvent(raw: Uint8Array, terminated: boolean): SseEvent {
  const data: Uint8Array[] = [];
  let type = "";
  let id: Uint8Array | undefined;
  let retry: Uint8Array | undefined;
  let bareCr = false;
  let isKnown = true;
  let isAscii = true;
  for (let at = 0; at < raw.length;) {
    const start = at;
    let colon = -1;
    let end = at;
    for (; end < raw.length; end++) {
      const byte = raw[end]!;
      if (byte === LF || byte === CR) break;
      if (byte === COLON && colon === -1) colon = end;
      if (byte >= 0x80) isAscii = false;
    }
    const isCrLf = raw[end] === CR && raw[end + 1] === LF;
    if (raw[end] === CR && !isCrLf) bareCr = true;
    at = isCrLf ? end + 2 : end + 1;
    const nameEnd = colon === -1 ? end : colon;
    const value = colon === -1 ? end : raw[colon + 1] === 0x20 ? colon + 2 : colon + 1;
    if (isText(raw, start, nameEnd, "data")) data.push(raw.subarray(value, end));
    else if (isText(raw, start, nameEnd, "event") && isPrintable(raw, value, end)) type = typeText(raw, value, end);
    else if (isText(raw, start, nameEnd, "id") && isPrintable(raw, value, end)) id = raw.subarray(value, end);
    else if (isText(raw, start, nameEnd, "retry") && isDigits(raw, value, end)) retry = raw.subarray(value, end);
    // Anything else is for nobody, unless a reader is laxer than the standard: `Data:`, `data :`, a bare JSON line.
    else if (end > start && !(colon === start && isPrintable(raw, start, end))) isKnown = false;
  }
  const joined = data.length === 0 ? undefined : data.length === 1 ? data[0] : join(data);
  const plain = terminated && isKnown && !bareCr && data.length <= 1 && (isAscii || !hasLineSeparator(raw));
  return { raw, data: joined?.length === 0 ? undefined : joined, type, id, retry, plain };
}

/** U+2028, U+2029 and U+0085: a line end to some readers (E2 80 A8, E2 80 A9, C2 85). */
export function hasLineSeparator(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0xe2); at !== -1; at = bytes.indexOf(0xe2, at + 1)) {
    if (bytes[at + 1] === 0x80 && (bytes[at + 2] === 0xa8 || bytes[at + 2] === 0xa9)) return true;
  }
  for (let at = bytes.indexOf(0xc2); at !== -1; at = bytes.indexOf(0xc2, at + 1)) {
    if (bytes[at + 1] === 0x85) return true;
  }
  return false;
}

/** Visible ASCII and space: no control character, which some readers take for a line end (VT, FF, FS to RS). */
function isPrintable(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! < 0x20 || bytes[at]! > 0x7e) return false;
  return true;
}

function isDigits(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! < 0x30 || bytes[at]! > 0x39) return false;
  return true;
}

function isText(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** The type that most events have costs no string. */
const typeText = (bytes: Uint8Array, start: number, end: number): string =>
  isText(bytes, start, end, "message") ? "message" : ascii(bytes.subarray(start, end));

function ascii(bytes: Uint8Array): string {
  return bytes.length > 64 ? "?" : String.fromCharCode(...bytes);
}

function join(lines: readonly Uint8Array[]): Uint8Array {
  const newline = Uint8Array.of(LF);
  return concat(lines.flatMap((line, i) => (i === 0 ? [line] : [newline, line])));
}
