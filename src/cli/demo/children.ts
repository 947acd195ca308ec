/**
 * The processes that the demo starts, and the promise that none of them outlives it. Each is a group of its own, so
 * that Ctrl-C reaches the demo alone and it can end them in order. A watchdog ends them when the demo cannot any more.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

const KEPT_LINES = 12;
/** Envoy may quote its whole configuration. */
const MAX_LINE = 300;
const GRACE_MS = 5_000;

/** Reads one process group a line; when the pipe breaks, its owner is gone, and so are they. Signals are ignored. */
const WATCHDOG = `groups=; while read -r group; do groups="$groups -$group"; done; [ -n "$groups" ] || exit 0
kill -s TERM -- $groups 2>/dev/null; sleep ${GRACE_MS / 1000}; kill -s KILL -- $groups 2>/dev/null`;

/** A child ended although nobody asked it to. */
export class ChildEnded extends Error {
  readonly lastLines: readonly string[];

  constructor(name: string, how: string, lastLines: readonly string[]) {
    super(`${name} ended unexpectedly (${how})`);
    this.lastLines = lastLines;
  }
}

export type ChildOptions = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly onStdout?: (line: string) => void;
  readonly onStderr?: (line: string) => void;
};

export class Children implements AsyncDisposable {
  readonly #children: ChildProcess[] = [];
  readonly #watchdog = spawn("/bin/sh", ["-c", WATCHDOG], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  readonly #ended = Promise.withResolvers<never>();
  #stopping = false;

  constructor() {
    this.#ended.promise.catch(() => undefined); // Whoever waits for it gets it; nobody has to.
    this.#watchdog.stdin.on("error", () => undefined);
  }

  /** Rejects with `ChildEnded` as soon as one of them ends by itself. */
  get ended(): Promise<never> {
    return this.#ended.promise;
  }

  start(options: ChildOptions): void {
    const child = spawn(options.command, options.args, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
    });
    const lastLines: string[] = [];
    const keep = (listener?: (line: string) => void) => (line: string) => {
      lastLines.push(line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}...` : line);
      if (lastLines.length > KEPT_LINES) lastLines.shift();
      listener?.(line);
    };
    readLines(child.stdout, keep(options.onStdout));
    readLines(child.stderr, keep(options.onStderr));
    const report = (how: string) => {
      if (!this.#stopping) this.#ended.reject(new ChildEnded(options.name, how, lastLines));
    };
    child.once("error", (error) => report(error.message));
    child.once("close", (code, signal) => report(signal === null ? `exit code ${code}` : `signal ${signal}`));
    if (child.pid === undefined) return; // `error` says why.
    this.#watchdog.stdin.write(`${child.pid}\n`);
    this.#children.push(child);
  }

  /** Ends them all, the last one first: each may still need those that were there before it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    for (const child of this.#children.toReversed()) await endGroup(child);
    this.#watchdog.kill("SIGKILL");
  }
}

function readLines(stream: Readable, listener: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on("line", listener);
}

async function endGroup(child: ChildProcess): Promise<void> {
  const running = () => child.exitCode === null && child.signalCode === null;
  if (running()) {
    const exit = once(child, "exit");
    signalGroup(child, "SIGTERM");
    await Promise.race([exit, sleep(GRACE_MS, undefined, { ref: false })]);
  }
  // Also when it ended by itself: what it had started may still be there.
  signalGroup(child, "SIGKILL");
  if (running()) await once(child, "exit");
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // The group is empty: just what is wanted.
  }
}
