import { execFile } from "node:child_process";
import { once } from "node:events";
import { constants, openSync, readSync } from "node:fs";
import { mkdtemp, readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDecisionLog } from "../../src/telemetry/decision-log.ts";
import { LogFile } from "../../src/telemetry/log-file.ts";
import { until } from "../fixtures/until.ts";
import { record } from "./records.ts";

let folder: string;
let path: string;
const files: LogFile[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolgate-log-"));
  path = join(folder, "decisions.jsonl");
});
afterEach(async () => {
  for (const file of files.splice(0)) file.destroy();
  await rm(folder, { recursive: true, force: true });
});

function open(faults: Error[] = [], at = path): LogFile {
  const file = new LogFile({ path: at, onFault: (error) => void faults.push(error), retryMs: 10 });
  files.push(file);
  return file;
}
const write = (file: LogFile, text: string): Promise<void> =>
  new Promise((resolve) => void file.write(text, () => resolve()));

/** More than a pipe takes: what writes it waits for a reader. */
const LONG_LINE = `${"x".repeat(2 ** 20)}\n`;

/** A pipe in place of the file, which a write of the long line fills: it is under way until `drain`. */
async function blockedWrite() {
  await promisify(execFile)("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const file = open();
  const written = write(file, LONG_LINE);
  const buffer = Buffer.alloc(2 ** 16);
  let bytes = 0;
  const read = (): void => {
    for (let got = 1; got > 0; bytes += got) got = readOr0(reader, buffer);
  };
  // Once: with a writer that is quick, one could read on to the end of the line.
  await until(() => {
    bytes += readOr0(reader, buffer);
    expect(bytes).toBeGreaterThan(0);
  });
  const drain = async (): Promise<number> => {
    await until(() => {
      read();
      expect(bytes).toBeGreaterThanOrEqual(LONG_LINE.length);
    });
    return bytes;
  };
  return { file, written, drain };
}

function readOr0(descriptor: number, buffer: Buffer): number {
  try {
    return readSync(descriptor, buffer);
  } catch {
    return 0; // EAGAIN: nothing there yet.
  }
}

/** How often this process has it open, and for writing; after everything that was asked of the disk before. */
async function timesOpen(file: string): Promise<number> {
  for (let i = 0; i < 8; i++) await stat(folder);
  const paths = (await readdir("/proc/self/fd")).map((name) => readlink(join("/proc/self/fd", name)).catch(() => ""));
  return (await Promise.all(paths)).filter((one) => one === file).length;
}

describe("a log file", () => {
  test("keeps what is there, and begins with a line of its own after half of one", async () => {
    await writeFile(path, "one\nha");
    const file = open();
    await write(file, "two\n");
    await write(file, "three\n");
    expect(await readFile(path, "utf8")).toBe("one\nha\ntwo\nthree\n");
    await write(open(), "four\n");
    expect(await readFile(path, "utf8")).toBe("one\nha\ntwo\nthree\nfour\n");
  });

  test("is opened anew when it has been moved away", async () => {
    const file = open();
    await write(file, "one\n");
    await rename(path, `${path}.1`);
    await write(file, "two\n");
    file.reopen();
    await write(file, "three\n");
    expect([await readFile(`${path}.1`, "utf8"), await readFile(path, "utf8")]).toEqual(["one\ntwo\n", "three\n"]);
  });

  test("that cannot be written is tried until it can: nothing is lost, and it is said once", async () => {
    const faults: Error[] = [];
    await symlink("/dev/full", path);
    const file = open(faults);
    const written = write(file, "one\n");
    const other = write(file, "two\n");
    await until(() => expect(faults).toHaveLength(1));
    expect([file.isFaulty, String(faults[0])]).toEqual([true, expect.stringContaining("ENOSPC")]);
    await rm(path);
    file.reopen();
    await Promise.all([written, other]);
    expect([file.isFaulty, faults.length]).toEqual([false, 1]);
    expect(await readFile(path, "utf8")).toBe("one\ntwo\n");
  });

  // Another file or socket could get the number of a descriptor that is closed too early, and with it what is still written.
  test.skipIf(process.platform !== "linux")(
    "keeps its descriptor while it writes, also when it has been moved",
    async () => {
      const { file, written, drain } = await blockedWrite();
      const before = await timesOpen(path);
      file.reopen();
      expect(await timesOpen(path)).toBe(before);
      await rename(path, `${path}.1`);
      const next = write(file, "two\n");
      expect(await drain()).toBe(LONG_LINE.length);
      await Promise.all([written, next]);
      expect(await readFile(path, "utf8")).toBe("two\n");
      await until(async () => expect(await timesOpen(`${path}.1`)).toBe(before - 1));
    },
  );

  test.skipIf(process.platform !== "linux")(
    "that is destroyed while it writes is closed when it has written",
    async () => {
      const { file, drain } = await blockedWrite();
      const before = await timesOpen(path);
      const closed = once(file, "close");
      file.destroy();
      expect(await timesOpen(path)).toBe(before);
      expect(await drain()).toBe(LONG_LINE.length);
      await closed;
      expect(await timesOpen(path)).toBe(before - 1);
    },
  );

  test("in a folder that is not there is no reason to end", async () => {
    const faults: Error[] = [];
    const file = open(faults, join(folder, "none", "x"));
    file.write("one\n");
    await until(() => expect(faults).toHaveLength(1));
    expect(file.isFaulty).toBe(true);
  });
});

test("a decision log is kept until it is half a queue behind, and again when that is gone", async () => {
  await symlink("/dev/full", path);
  const file = open();
  const log = createDecisionLog({ out: file, maxQueuedCharacters: 20_000 });
  let lines = 0;
  const one = async (): Promise<void> => {
    log.record(record());
    lines++;
    await new Promise((resolve) => void setImmediate(resolve));
  };
  await one();
  expect(log.isKept()).toBe(true);
  // The stream itself takes 64 KiB before it says that it has enough.
  for (let i = 0; i < 1_000 && log.isKept(); i++) await one();
  expect([log.isKept(), log.dropped()]).toEqual([false, 0]);
  await rm(path);
  file.reopen();
  await until(() => expect(log.isKept()).toBe(true));
  await log.close();
  expect((await readFile(path, "utf8")).trimEnd().split("\n")).toHaveLength(lines);
});
