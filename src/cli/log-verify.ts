/** `toolgate log verify FILE...`: whether a decision log with a chain is as it was written. */
import { createReadStream } from "node:fs";
import { printable } from "./live/screen.ts";
import { readChainKey } from "../telemetry/chain.ts";
import type { ChainKey } from "../telemetry/chain.ts";
import { ChainVerifier } from "../telemetry/verify-chain.ts";
import type { LogLine, SegmentReport } from "../telemetry/verify-chain.ts";
import { plural } from "./plural.ts";

type Output = { readonly write: (text: string) => unknown };

export type LogVerifyOptions = {
  readonly key?: string | undefined;
  readonly after?: string | undefined;
  readonly head?: string | undefined;
};

const CHAIN = /^[0-9a-f]{64}$/;
const NEWLINE = 0x0a;
/** Longer than any line that Toolgate writes: what is longer is none of a chain, and is not held. */
const MAX_LINE_BYTES = 1_048_576;

/** Files in the order in which they were written. The exit code: 1 when something breaks, 2 when nothing can be said. */
export async function runLogVerify(
  files: readonly string[],
  { key: keyFile, after, head }: LogVerifyOptions,
  out: Output,
  err: Output,
): Promise<number> {
  for (const [flag, chain] of Object.entries({ after, head })) {
    if (chain === undefined || CHAIN.test(chain)) continue;
    err.write(`--${flag}: expected a chain of 64 hexadecimal digits, not ${JSON.stringify(chain)}\n`);
    return 2;
  }
  try {
    const key: ChainKey = keyFile === undefined ? undefined : readChainKey(keyFile);
    return await verify(files, { key, after, head }, out);
  } catch (error: unknown) {
    err.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}

async function verify(
  files: readonly string[],
  options: { readonly key: ChainKey; readonly after: string | undefined; readonly head: string | undefined },
  out: Output,
): Promise<number> {
  // Whoever has changed a log may have written what a terminal obeys, to hide that.
  const say = (line: string): unknown => out.write(`${printable(line)}\n`);
  const sum = { segments: 0, lines: 0, lost: 0, broken: 0, head: "none" };
  const verifier = new ChainVerifier({
    ...options,
    onSegment(report) {
      for (const line of describe(report)) say(line);
      sum.segments++;
      sum.lines += report.lines;
      sum.lost += report.lost;
      if (report.broken !== undefined) sum.broken++;
      if (report.lines > 0) sum.head = report.chain;
    },
  });
  for (const file of files) for await (const line of linesOf(file)) verifier.add(line);
  const { half, isHeadFound } = verifier.end();
  if (half !== undefined)
    say(`${half.place}: half a line, ${half.bytes} bytes: of a process that was killed, or writes`);
  if (!isHeadFound) say(`missing: no line has the chain ${options.head}`);
  const isSound = sum.broken === 0 && isHeadFound && sum.segments > 0;
  const counts = `${plural(sum.segments, "segment")}, ${plural(sum.lines, "line")}, ${sum.lost} lost, ${sum.broken} broken`;
  say(`${isSound ? "ok" : "not ok"}: ${counts}; head ${sum.head}`);
  return isSound ? 0 : 1;
}

function describe({ name, lines, first, last, lost, isEnded, broken }: SegmentReport): readonly string[] {
  const times = lines === 0 ? "" : `, ${first} to ${last}`;
  const losses = lost === 0 ? "" : `, ${lost} lost`;
  const what = `segment ${name ?? "(begins elsewhere)"}: ${plural(lines, "line")}${times}${losses}, ${isEnded ? "ended" : "open"}`;
  if (broken === undefined) return [`${what}: ok`];
  return [`${what}: broken`, `  ${broken.place}: ${broken.what}: ${broken.why}`];
}

async function* linesOf(file: string): AsyncGenerator<LogLine> {
  let number = 1;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: 65_536 }) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const piece = chunk.subarray(start, end);
      yield { place: `${file}:${number++}`, bytes: rest.length === 0 ? piece : held(rest, piece), isEnded: true };
      rest = Buffer.alloc(0);
      start = end + 1;
    }
    if (start < chunk.length) rest = held(rest, chunk.subarray(start));
  }
  if (rest.length > 0) yield { place: `${file}:${number}`, bytes: rest, isEnded: false };
}

/** What is too long is cut, and then is no line of a chain. */
const held = (rest: Buffer, piece: Buffer): Buffer =>
  rest.length > MAX_LINE_BYTES ? rest : Buffer.concat([rest, piece]);
