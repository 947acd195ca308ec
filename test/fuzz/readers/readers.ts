/** The readers that are not ours, by what they are asked. Which of them are there depends on the machine. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { AnswerReading } from "../answer-reading.ts";
import type { Readings } from "../reading.ts";
import { ReaderProcess } from "./process.ts";

export type ReaderName = "python" | "jiter" | "httpx-sse" | "go";

/** The data in a stream, by the client that finds it. */
export type Events = {
  /** MCP's client in Python. */
  readonly httpx: readonly string[];
  /** One that breaks lines where Python's `str.splitlines` does. */
  readonly lax: readonly string[];
  /** One that reads line by line, and takes a CR for a part of a line. */
  readonly lines: readonly string[];
};

export class Readers {
  readonly missing: ReadonlySet<ReaderName>;
  readonly #python: ReaderProcess | undefined;
  readonly #go: ReaderProcess | undefined;

  private constructor(python: ReaderProcess | undefined, go: ReaderProcess | undefined) {
    this.#python = python;
    this.#go = go;
    const isThere: Record<ReaderName, boolean> = {
      python: python !== undefined,
      jiter: python?.greeting["jiter"] === true,
      "httpx-sse": python?.greeting["httpx-sse"] === true,
      go: go !== undefined,
    };
    this.missing = new Set((Object.keys(isThere) as ReaderName[]).filter((name) => !isThere[name]));
  }

  static async start(): Promise<Readers> {
    const [python, go] = await Promise.all([startPython(), startGo()]);
    return new Readers(python, go);
  }

  /** What each reader takes a request's body for. */
  async calls(body: Uint8Array): Promise<Readonly<Record<string, Readings>>> {
    const readings = await Promise.all([this.#python?.ask("call", body), this.#go?.ask("call", body)]);
    return Object.fromEntries(readings.flatMap((one) => Object.entries((one ?? {}) as Record<string, Readings>)));
  }

  /** A document with its numbers as written and its keys in order, as one text; the elements of an array as one each. */
  async tree(body: Uint8Array): Promise<string | readonly string[] | undefined> {
    return (await this.#python?.ask("tree", body)) as string | readonly string[] | undefined;
  }

  /** What a server's message says: to a reader that takes the first of two keys, and to one that ignores case. */
  async answers(body: Uint8Array): Promise<Readonly<Record<string, AnswerReading>>> {
    const [first, folding] = await Promise.all([this.#python?.ask("answer", body), this.#go?.ask("answer", body)]);
    const all = { "Python, first key": first, Go: folding };
    return Object.fromEntries(Object.entries(all).filter(([, one]) => one !== undefined)) as Record<
      string,
      AnswerReading
    >;
  }

  async events(body: Uint8Array): Promise<Events | undefined> {
    const [python, lines] = await Promise.all([this.#python?.ask("events", body), this.#go?.ask("events", body)]);
    return python === undefined || lines === undefined ? undefined : ({ ...python, lines } as Events);
  }

  stop(): void {
    this.#python?.stop();
    this.#go?.stop();
  }
}

const here = import.meta.dirname;
/** Where `.ci/run` puts what requirements.txt lists. */
const VENV_PYTHON = join(here, "../../../.cache/python/bin/python3");

const startPython = (): Promise<ReaderProcess | undefined> =>
  ReaderProcess.start(existsSync(VENV_PYTHON) ? VENV_PYTHON : "python3", [join(here, "reader.py")]);

async function startGo(): Promise<ReaderProcess | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "toolgate-reader-"));
  try {
    const binary = join(folder, "reader");
    await promisify(execFile)("go", ["build", "-o", binary, join(here, "go/main.go")]);
    return await ReaderProcess.start(binary, []);
  } catch {
    return undefined;
  } finally {
    // A running program needs its file no more.
    await rm(folder, { recursive: true, force: true });
  }
}
