/**
 * A program that a test has started: what it says, and its end. It is ended by its own id and waited for, so that no test
 * leaves anything behind and none touches what it did not start.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 10;
/** Far beyond what anything takes on a busy machine: it only turns a test that would hang into one that says why. */
const PATIENCE_MS = 30_000;
const LAST_LINES = 15;

export type ProgramOptions = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

export class Program implements AsyncDisposable {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;
  #stdout = "";
  #stderr = "";

  constructor({ name, command, args, env = {} }: ProgramOptions) {
    this.name = name;
    this.#process = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    this.#closed = once(this.#process, "close");
    this.#process.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Waits until `find` finds something; fails with the program's last words when it ends, or never says it. */
  async until<T>(what: string, find: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const isOver = this.hasEnded;
      // Its last words may still be on their way.
      if (isOver) await this.#closed;
      const found = await find();
      if (found !== undefined) return found;
      if (isOver) throw new Error(`${this.name} ended without ${what}:\n${this.#lastWords()}`);
      if (deadline.aborted) throw new Error(`${this.name} is still without ${what}:\n${this.#lastWords()}`);
      await sleep(POLL_MS);
    }
  }

  /** The exit code, or null after a signal. */
  async exitCode(): Promise<number | null> {
    await this.#closed;
    return this.#process.exitCode;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  #lastWords(): string {
    return [this.#stdout, this.#stderr].map((text) => text.split("\n").slice(-LAST_LINES).join("\n")).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.hasEnded) this.signal("SIGKILL");
    await this.#closed;
  }
}

/** Lines of JSON objects as a program writes them; one that is not finished yet is left out. */
export function jsonLines(text: string): Readonly<Record<string, unknown>>[] {
  return text
    .split("\n")
    .slice(0, -1)
    .flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Record<string, unknown>] : []));
}
