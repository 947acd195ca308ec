import { createSecretKey } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChainKey } from "../../src/telemetry/chain.ts";
import { ChainVerifier } from "../../src/telemetry/verify-chain.ts";
import type { SegmentReport } from "../../src/telemetry/verify-chain.ts";
import { ChainedLog } from "./chained-log.ts";
import type { Step } from "./chained-log.ts";
import { lineFaults } from "./line-faults.ts";

const KEY = createSecretKey(Buffer.alloc(32, 7));
type Known = { readonly key?: ChainKey; readonly after?: string; readonly head?: string };

function verify(files: readonly Buffer[], { key, after, head }: Known = {}) {
  const segments: SegmentReport[] = [];
  const verifier = new ChainVerifier({ key, after, head, onSegment: (one) => void segments.push(one) });
  for (const [i, file] of files.entries()) {
    const lines = file.toString("latin1").split("\n");
    for (const [j, line] of lines.entries()) {
      const isEnded = j < lines.length - 1;
      if (isEnded || line !== "") verifier.add({ place: `${i}:${j + 1}`, bytes: Buffer.from(line, "latin1"), isEnded });
    }
  }
  const { half, isHeadFound } = verifier.end();
  const broken = segments.flatMap((one) => (one.broken === undefined ? [] : [one.broken]));
  return { segments, broken, half, isHeadFound, isSound: broken.length === 0 && isHeadFound };
}

const run = (lines: number, more: Partial<Step & { kind: "run" }> = {}): Step => ({
  kind: "run",
  lines,
  moved: undefined,
  isKilled: false,
  ...more,
});
const played = async (steps: readonly Step[], key?: ChainKey): Promise<readonly Buffer[]> =>
  (await new ChainedLog(key).play(steps)).files;

const linesOf = (file: Buffer | undefined): string[] =>
  (file ?? Buffer.alloc(0)).toString("latin1").split("\n").slice(0, -1);
const fileOf = (lines: readonly string[]): Buffer => Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1");
const headOf = (files: readonly Buffer[]): string => verify(files).segments.at(-1)?.chain ?? "";

const runs = fc.record({
  kind: fc.constant("run" as const),
  lines: fc.nat(6),
  moved: fc.option(fc.nat(5), { nil: undefined, freq: 3 }),
  isKilled: fc.boolean(),
});
const tears = fc.record({ kind: fc.constant("torn" as const), bytes: fc.nat(700) });
const histories = fc.array(fc.oneof(runs, tears), { maxLength: 6 });
const keys = fc.constantFrom<ChainKey>(undefined, KEY);

describe("an honest log", () => {
  test("verifies, whatever starts, rotations and kills it has seen, and each line is as documented", async () => {
    await fc.assert(
      fc.asyncProperty(histories, runs, fc.option(tears), keys, async (steps, last, tear, key) => {
        const end = tear === null ? [] : [tear];
        const files = await played([...steps, { ...last, lines: last.lines + 1 }, ...end], key);
        expect(verify(files, { key }).broken).toStrictEqual([]);
        const whole = files.flatMap(linesOf).filter((line) => line.endsWith("}"));
        expect(whole.flatMap(lineFaults)).toStrictEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test("says of each segment its lines, its times, and whether it was stopped in order", async () => {
    const files = await played([run(2), run(1, { isKilled: true }), run(0), run(1)]);
    const { segments } = verify(files);
    expect(segments.map(({ name, lines, isEnded, lost }) => [name, lines, isEnded, lost])).toStrictEqual([
      ["segment-0", 4, true, 0],
      ["segment-1", 2, false, 0],
      ["segment-2", 3, true, 0],
    ]);
    expect(segments[0]?.first).toMatch(/^\d{4}-/);
    expect(segments[0]?.last).toMatch(/^\d{4}-/);
  });

  test("may end in half a line, which is told", async () => {
    const files = await played([run(2, { isKilled: true }), { kind: "torn", bytes: 20 }]);
    expect(verify(files)).toMatchObject({ isSound: true, half: { place: "0:3" } });
  });

  test("vouches for half a line that a kill has left, and for what was there before the chain", async () => {
    const log = new ChainedLog(undefined);
    log.files[0] = Buffer.from('{"v":1,"old":true}\n{"v":1,"old":tr');
    await log.run({ lines: 1, moved: undefined, isKilled: false });
    expect(verify(log.files).broken).toStrictEqual([]);
    const changed = Buffer.from(log.files[0]);
    changed[3] = 0x77;
    expect(verify([changed]).broken).toMatchObject([{ place: "0:1", what: "changed" }]);
    const cut = fileOf(linesOf(log.files[0]).slice(1));
    expect(verify([cut]).broken).toMatchObject([{ place: "0:1", what: "changed" }]);
    expect(verify([fileOf(linesOf(log.files[0]).slice(2))]).broken).toMatchObject([{ place: "0:1", what: "missing" }]);
  });

  test("may go on in a new file that nobody has linked, when the old one was moved away in between", async () => {
    const log = await new ChainedLog(undefined).play([run(2, { isKilled: true }), { kind: "torn", bytes: 20 }]);
    log.move();
    await log.run({ lines: 1, moved: undefined, isKilled: false });
    expect(verify(log.files).broken).toStrictEqual([]);
  });

  test("may have a line that a full disk has cut, and that went on in the next file", async () => {
    const [file = Buffer.alloc(0)] = await played([run(3)]);
    for (const at of [1, 400, file.length - 3]) {
      const { broken, segments } = verify([file.subarray(0, at), file.subarray(at)]);
      expect([broken, segments.length]).toStrictEqual([[], 1]);
    }
  });
});

describe("what is done to a log afterwards is found", () => {
  /** Each process finds a line of the one before, and the last ends in order: the head is that of the last line. */
  const isLinked = (step: Step): boolean => step.kind === "torn" || (step.moved ?? 0) <= step.lines - 3;
  const whole = fc
    .tuple(histories, fc.nat(3))
    .map(([steps, lines]) => [
      ...steps.map((step) => (isLinked(step) ? step : { ...step, moved: undefined })),
      run(lines + 1),
    ]);
  const found = (damage: (files: readonly Buffer[], at: number, more: number) => readonly Buffer[]) =>
    fc.assert(
      fc.asyncProperty(whole, keys, fc.nat(), fc.nat(), async (steps, key, at, more) => {
        const files = (await played(steps, key)).filter((file) => file.length > 0);
        const head = verify(files, { key }).segments.at(-1)?.chain ?? "";
        const damaged = damage(files, at, more);
        fc.pre(Buffer.compare(Buffer.concat(damaged), Buffer.concat(files)) !== 0);
        expect(verify(damaged, { key, head }).isSound).toBe(false);
      }),
      { numRuns: 200 },
    );
  const all = (files: readonly Buffer[]): string[] => files.flatMap((file) => file.toString("latin1").split(/(?<=\n)/));
  const joined = (lines: readonly string[]): readonly Buffer[] => [Buffer.from(lines.join(""), "latin1")];

  test("any byte that is another", () =>
    found((files, at, more) => {
      const bytes = Buffer.from(Buffer.concat(files));
      const place = at % bytes.length;
      bytes[place] = ((bytes[place] ?? 0) + 1 + (more % 255)) % 256;
      return [bytes];
    }));

  test("any byte that is taken out, but for the end of the last line", () =>
    found((files, at) => {
      const bytes = Buffer.concat(files);
      const place = at % (bytes.length - 1);
      return [Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1)])];
    }));

  test("any lines that are taken out", () =>
    found((files, at, more) => {
      const lines = all(files);
      return joined(lines.toSpliced(at % lines.length, 1 + (more % lines.length)));
    }));

  test("any line that is there twice", () =>
    found((files, at, more) => {
      const lines = all(files);
      return joined(lines.toSpliced(at % (lines.length + 1), 0, lines[more % lines.length] ?? ""));
    }));

  test("any two lines that have changed places", () =>
    found((files, at, more) => {
      const lines = all(files);
      const [a, b] = [at % lines.length, more % lines.length];
      return joined(lines.with(a, lines[b] ?? "").with(b, lines[a] ?? ""));
    }));

  test("any line that is put in", () =>
    found((files, at, more) => {
      const lines = all(files);
      const forged = (lines[more % lines.length] ?? "")
        .replace("agents/reader", "agents/friend")
        .replace('"v":1', '"v": 1');
      return joined(lines.toSpliced(at % (lines.length + 1), 0, forged.endsWith("\n") ? forged : "\n"));
    }));

  test("files in another order", () =>
    found((files, at) => {
      const turn = at % files.length;
      return [...files.slice(turn), ...files.slice(0, turn)];
    }));
});

describe("a break is told where it is, and what it is", () => {
  const at = (line: number, what: string) => [expect.objectContaining({ place: `0:${line}`, what })];
  const broken = (lines: readonly string[], known: Known = {}) => verify([fileOf(lines)], known).broken;

  test("once in each segment", async () => {
    const lines = linesOf((await played([run(3), run(3)]))[0]);
    expect(broken(lines.with(2, lines[2]?.replace("echo", "ecko") ?? ""))).toStrictEqual(at(3, "changed"));
    expect(broken(lines.toSpliced(1, 2))).toStrictEqual(at(2, "missing"));
    expect(broken(lines.with(1, lines[2] ?? "").with(2, lines[1] ?? ""))).toStrictEqual(at(2, "missing"));
    expect(broken(lines.toSpliced(2, 0, lines[1] ?? ""))).toStrictEqual(at(3, "moved"));
    expect(broken(lines.toSpliced(2, 0, "{}"))).toStrictEqual(at(3, "changed"));
    const both = lines.with(1, "x").with(7, "y");
    expect(broken(both)).toStrictEqual([...at(2, "changed"), ...at(8, "changed")]);
  });

  test("where the end of a segment was cut off, and another follows it", async () => {
    const lines = linesOf((await played([run(2), run(1)]))[0]);
    expect(broken(lines.toSpliced(3, 1))).toStrictEqual(at(4, "missing"));
  });

  test("where the beginning is not there, unless one knows the line before", async () => {
    const lines = linesOf((await played([run(2), run(1)]))[0]);
    const chainOf = (line: number) => (JSON.parse(lines[line] ?? "") as { chain: string }).chain;
    for (const cut of [1, 3, 4]) {
      expect(broken(lines.slice(cut))).toStrictEqual(at(1, "missing"));
      expect(broken(lines.slice(cut), { after: chainOf(cut - 1) })).toStrictEqual([]);
      expect(broken(lines.slice(cut), { after: chainOf(5) })).toHaveLength(1);
    }
    expect(broken(lines, { after: chainOf(0) })).toStrictEqual(at(1, "missing"));
  });

  test("where the key is another, or there is none where there has to be", async () => {
    const keyed = await played([run(1)], KEY);
    const plain = await played([run(1)]);
    expect(verify(keyed, { key: KEY }).isSound).toBe(true);
    expect(verify(keyed).broken).toStrictEqual(at(1, "not the key"));
    expect(verify(plain, { key: KEY }).broken).toStrictEqual(at(1, "not the key"));
    expect(verify(keyed, { key: createSecretKey(Buffer.alloc(32, 8)) }).broken).toStrictEqual(at(1, "changed"));
  });

  test("where the end of the last line is another byte, which half a line cannot have", async () => {
    const [file = Buffer.alloc(0)] = await played([run(1)]);
    const changed = Buffer.from(file);
    changed[file.length - 1] = 0x20;
    expect(verify([changed]).broken).toStrictEqual(at(3, "changed"));
    expect(verify([file.subarray(0, -1)]).broken).toStrictEqual([]);
  });

  test("where more than half a line stands before a file that follows nothing", async () => {
    const log = await new ChainedLog(undefined).play([run(2, { isKilled: true }), { kind: "torn", bytes: 20 }]);
    log.move();
    await log.run({ lines: 1, moved: undefined, isKilled: false });
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = log.files;
    expect(verify([first, Buffer.concat([Buffer.from("{}\n"), second])]).broken).toStrictEqual(at(3, "changed"));
    expect(verify([Buffer.concat([first, Buffer.from("\n")]), second]).broken).toStrictEqual(at(3, "changed"));
  });

  test("where a mark says what no mark can say", async () => {
    const [begin = "", ...lines] = linesOf((await played([run(1)]))[0]);
    for (const unchained of ['"unchained":null', '"unchained":7', '"unchained":{}', '"segment":null', '"follows":[]'])
      expect(broken([begin.replace('"keyed"', `${unchained},"keyed"`), ...lines]).length).toBeGreaterThan(0);
    expect(broken([begin.replace("}", "}}"), ...lines])).toStrictEqual(at(1, "changed"));
  });
});

describe("what no chain can tell", () => {
  test("is a cut at the end: it looks like a kill. Who knows a later line finds it", async () => {
    const files = await played([run(3)]);
    const head = headOf(files);
    const cut = [fileOf(linesOf(files[0]).slice(0, 3))];
    expect(verify(cut).segments).toMatchObject([{ isEnded: false, broken: undefined }]);
    expect(verify(cut, { head }).isSound).toBe(false);
    expect(verify(files, { head }).isSound).toBe(true);
  });

  test("is a segment that has gone as a whole, where none follows it", async () => {
    const log = await new ChainedLog(undefined).play([run(1)]);
    log.move();
    await log.run({ lines: 1, moved: undefined, isKilled: false });
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = log.files;
    expect(verify([second]).isSound).toBe(true);
    expect(verify([second], { head: headOf([first]) }).isSound).toBe(false);
  });
});
