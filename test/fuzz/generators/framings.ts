/**
 * Event streams as some server may write them: every line end, JSON over several data lines, comments, names, ids, a mark
 * at the start, two messages in one event, an end without a blank line, and lines that only a lax reader reads.
 */
import * as fc from "fast-check";

const lineEnds = fc.oneof(
  { weight: 4, arbitrary: fc.constant("\n") },
  { weight: 3, arbitrary: fc.constantFrom("\r\n", "\r") },
);
const BEFORE = [": c", ":", "id: 7", "id", "event: message", "event:message", "retry: 5", "id: a\u0000b", "x: y"];
const ODD = [
  "event: endpoint",
  "event: other",
  "event",
  "data",
  "Data: {}",
  "data : {}",
  '{"a":1}',
  "\u0085data: {}",
  "\fdata: {}",
  ": \u2028data: {}",
];

const frame = fc.record({
  end: lineEnds,
  /** Ends each of its lines with another one. */
  mixesEnds: fc.constantFrom(false, false, false, true),
  before: fc.array(
    fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...BEFORE) }, { weight: 1, arbitrary: fc.constantFrom(...ODD) }),
    { maxLength: 2 },
  ),
  /** Where the JSON is cut into data lines: at these of its tokens. */
  cuts: fc.oneof(
    { weight: 3, arbitrary: fc.constant<number[]>([]) },
    { weight: 1, arbitrary: fc.array(fc.nat(40), { maxLength: 4 }) },
  ),
  prefix: fc.constantFrom("data: ", "data: ", "data:", "data:  "),
  /** More blank lines than one, or none. */
  blanks: fc.constantFrom(1, 1, 1, 1, 1, 2, 0),
  after: fc.oneof(
    { weight: 20, arbitrary: fc.constant("") },
    { weight: 1, arbitrary: fc.constantFrom(...BEFORE, ...ODD) },
  ),
});
export type Frame = typeof frame extends fc.Arbitrary<infer T> ? T : never;

/** For a stream of up to `maxMessages` messages. */
export const framings = fc.record({
  hasMark: fc.constantFrom(false, false, false, true),
  frames: fc.array(frame, { minLength: 4, maxLength: 4 }),
});
export type Framing = typeof framings extends fc.Arbitrary<infer T> ? T : never;

/** `event`: a name that the event has in any case. */
type Sent = { readonly text: string; readonly event: string | undefined };

export const framed = (messages: readonly Sent[], { hasMark, frames }: Framing): string =>
  (hasMark ? "\ufeff" : "") + messages.map((message, i) => eventText(message, frames[i % frames.length]!)).join("");

const TOKEN = /"(?:[^"\\]|\\[^])*"|[{}[\],:]|[^{}[\],:"]+/g;

function eventText({ text, event }: Sent, { end, mixesEnds, before, cuts, prefix, blanks, after }: Frame): string {
  const tokens = text.match(TOKEN) ?? [];
  const places = new Set(cuts.map((cut) => cut % tokens.length));
  const data = tokens.map((token, i) => (places.has(i) && i > 0 ? `\n${token}` : token)).join("");
  const name = event === undefined ? [] : [`event: ${event}`];
  const lines = [
    ...before,
    ...name,
    ...data.split("\n").map((line) => prefix + line),
    ...(after === "" ? [] : [after]),
  ];
  const ends = mixesEnds ? ["\n", "\r\n", "\r"] : [end];
  // The blank line after a CR would be the LF of a CRLF if it were one.
  return lines.map((line, i) => line + ends[i % ends.length]!).join("") + (mixesEnds ? "\r\n" : end).repeat(blanks);
}
