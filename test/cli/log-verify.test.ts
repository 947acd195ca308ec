import { createHash } from "node:crypto";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runLogVerify } from "../../src/cli/log-verify.ts";
import type { LogVerifyOptions } from "../../src/cli/log-verify.ts";
import { readBefore } from "../../src/telemetry/chain-before.ts";
import { readChainKey, Segment } from "../../src/telemetry/chain.ts";
import { ChainedLog } from "../telemetry/chained-log.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "toolgate-verify-"))));
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, content: Buffer | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function verify(files: readonly string[], options: LogVerifyOptions = {}) {
  const said = { out: "", err: "" };
  const code = await runLogVerify(
    files,
    options,
    { write: (text) => (said.out += text) },
    { write: (text) => (said.err += text) },
  );
  return {
    code,
    out: said.out.replaceAll(folder, "").replaceAll(/\d{4}-\S+Z/g, "T"),
    err: said.err.replaceAll(folder, ""),
  };
}

const run = { kind: "run", lines: 2, moved: undefined, isKilled: false } as const;

describe("toolgate log verify", () => {
  test("says of each segment that it is whole, over several files, and where the chain is", async () => {
    const log = await new ChainedLog(undefined).play([
      { ...run, moved: 0 },
      { ...run, isKilled: true },
    ]);
    const files = await Promise.all(log.files.map((bytes, i) => write(`log.${i}`, bytes)));
    const { code, out } = await verify(files);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^segment segment-0: 4 lines, T to T, ended: ok\nsegment segment-1: 3 lines, T to T, open: ok\nok: 2 segments, 7 lines, 0 lost, 0 broken; head [0-9a-f]{64}\n$/,
    );
    const head = out.slice(-65, -1);
    expect((await verify(files.slice(0, 1), { head })).out).toContain(
      `missing: no line has the chain ${head}\nnot ok: `,
    );
    expect((await verify(files, { head })).code).toBe(0);
  });

  test("shows nothing of a line as a terminal would obey it: whoever changed the log may have written to hide that", async () => {
    const [bytes = Buffer.alloc(0)] = (await new ChainedLog(undefined).play([run])).files;
    const [begin = "", ...others] = bytes.toString().split("\n");
    const wiped = [
      begin.replace('"segment":"', '"segment":"\\u001b[2K\\u009b2K\\r'),
      ...others.map((line) => line.replace('"time":"', '"time":"\u001b[2K\u202e')),
    ];
    const { code, out } = await verify([await write("log", wiped.join("\n"))]);
    expect(code).toBe(1);
    expect(out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(out).toMatch(/^segment \\u\{1b\}\[2K\\u\{9b\}2K\\u\{d\}segment-0: .* \\u\{1b\}\[2K/);
  });

  test("says where it breaks, and exits with 1", async () => {
    const [bytes = Buffer.alloc(0)] = (await new ChainedLog(undefined).play([run])).files;
    const changed = await write("log", bytes.toString().replace("echo", "ecko"));
    expect(await verify([changed])).toMatchObject({
      code: 1,
      out: expect.stringContaining("broken\n  /log:2: changed: its hash is another\nnot ok: ") as string,
    });
    const half = await write("half", bytes.subarray(0, -10));
    expect(await verify([half])).toMatchObject({
      code: 0,
      out: expect.stringContaining("/half:4: half a line, ") as string,
    });
    expect((await verify([await write("empty", "")])).code).toBe(1);
  });

  test("takes the key from a file, and wants a good one", async () => {
    const key = await write("key", Buffer.alloc(40, 3));
    const [bytes = Buffer.alloc(0)] = (await new ChainedLog(readChainKey(key)).play([run])).files;
    const log = await write("log", bytes);
    expect((await verify([log], { key })).code).toBe(0);
    expect((await verify([log])).out).toContain("/log:1: not the key: it was made with a key");
    const short = await write("short", "x".repeat(31));
    expect(await verify([log], { key: short })).toMatchObject({
      code: 2,
      err: "/short: expected a key of at least 32 bytes, not 31\n",
    });
  });

  test("exits with 2 when it can say nothing", async () => {
    expect(await verify([join(folder, "none")])).toMatchObject({
      code: 2,
      err: expect.stringContaining("ENOENT") as string,
    });
    const log = await write("log", "");
    expect(await verify([log], { head: "abc" })).toMatchObject({
      code: 2,
      err: '--head: expected a chain of 64 hexadecimal digits, not "abc"\n',
    });
  });

  test("reads lines of any length without holding them", async () => {
    const [bytes = Buffer.alloc(0)] = (await new ChainedLog(undefined).play([run])).files;
    const log = await write("log", bytes);
    for (let i = 0; i < 4; i++) await appendFile(log, Buffer.alloc(2 ** 20, 0x78));
    await appendFile(log, "\n");
    expect(await verify([log])).toMatchObject({ code: 1, out: expect.stringContaining("/log:5: changed: ") as string });
  });
});

describe("what a chain begins behind", () => {
  test("is nothing where there is no file, an empty one, or no file to read", async () => {
    expect(readBefore(join(folder, "none"))).toStrictEqual({});
    expect(readBefore("/dev/null")).toStrictEqual({});
    expect(readBefore(await write("empty", ""))).toStrictEqual({ unchained: undefined });
  });

  test("is the last line that has one, and the bytes behind it as they will stand there", async () => {
    const segment = new Segment("s", undefined);
    const first = segment.link('{"v":1,"time":"t"}');
    const { chain } = segment.head;
    const sum = (text: string) => ({ bytes: text.length, sha256: createHash("sha256").update(text).digest("hex") });
    for (const [rest, unchained] of [
      ["", undefined],
      ["\n", undefined],
      ["\nhalf", sum("half\n")],
      ["\nhalf\n", sum("half\n")],
      ["\n\n", sum("\n")],
      ['\nhalf\n{"v":1', sum('half\n{"v":1\n')],
    ] as const)
      expect(readBefore(await write("log", `other\n${first}${rest}`))).toStrictEqual({ follows: chain, unchained });
    expect(readBefore(await write("log", "other"))).toStrictEqual({ unchained: sum("other\n") });
  });

  test("is not looked for further back than a megabyte", async () => {
    const line = new Segment("s", undefined).link('{"v":1,"time":"t"}');
    const far = (bytes: number) => write("log", `${line}\n${"x".repeat(bytes)}\n`);
    expect(readBefore(await far(2 ** 20 - 2 - line.length))).toMatchObject({ follows: expect.any(String) as string });
    expect(readBefore(await far(2 ** 20 - 1 - line.length))).toStrictEqual({});
  });
});
