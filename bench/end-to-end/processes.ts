/** The processes of a run, none of which outlives it, and what each has used of the CPU so far. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** Linux counts in hundredths of a second, on every architecture Node runs on (USER_HZ). */
const TICKS_PER_SECOND = 100;
const KEPT_LINES = 8;
const GRACE_MS = 5_000;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export class Processes implements AsyncDisposable {
  readonly #children: ChildProcess[] = [];
  /** Of a run that is stopped from outside. */
  readonly #stop = (): void => void this[Symbol.asyncDispose]().finally(() => process.exit(1));

  constructor() {
    for (const signal of SIGNALS) process.once(signal, this.#stop);
  }

  /** Resolves with what `ready` makes of the first line that it does not make undefined of. */
  async start<T>(
    name: string,
    [command, ...args]: readonly [string, ...string[]],
    readyOn: "stdout" | "stderr",
    ready: (line: string) => T | undefined,
  ): Promise<{ readonly pid: number; readonly ready: T }> {
    const stdio = [
      "pipe",
      readyOn === "stdout" ? "pipe" : "ignore",
      readyOn === "stderr" ? "pipe" : "inherit",
    ] as const;
    const child = spawn(command, args, { stdio: [...stdio] });
    this.#children.push(child);
    const lines: string[] = [];
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    createInterface({ input: child[readyOn] as Readable }).on("line", (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      const value = ready(line);
      if (value !== undefined) resolve(value);
    });
    child.once("error", reject);
    child.once("close", () => reject(new Error(`${name} ended before it was ready: ${lines.join("\n")}`)));
    return { ready: await promise, pid: child.pid ?? 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const signal of SIGNALS) process.off(signal, this.#stop);
    for (const child of this.#children.toReversed()) await end(child);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  await exit;
  clearTimeout(late);
}

/** A program of this folder that says its ports when it is ready. */
export const ownProgram = (name: string): readonly [string, ...string[]] => [
  process.execPath,
  join(import.meta.dirname, `${name}.ts`),
];

/** User and system time of all its threads; undefined where the system does not say. */
export function cpuSeconds(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  // The name, in parentheses, may hold anything: what is counted comes after it (proc_pid_stat(5), fields 14 and 15).
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
