/** `toolgate demo` as a person starts it: a process with flags, output, children and an exit code. */
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import { freePort } from "./free-port.ts";

const run = promisify(execFile);

export type DemoPorts = {
  readonly flags: readonly string[];
  readonly gateway: number;
  readonly server: number;
  readonly admin: number;
};

/** Ports that are free, and the flags that say so. */
export async function freePorts(): Promise<DemoPorts> {
  const ports = new Set<number>();
  while (ports.size < 5) ports.add(await freePort());
  const [gateway = 0, envoyAdmin = 0, listen = 0, admin = 0, server = 0] = ports;
  const flags = [
    `--port=${gateway}`,
    `--envoy-admin-port=${envoyAdmin}`,
    `--listen=127.0.0.1:${listen}`,
    `--admin-listen=127.0.0.1:${admin}`,
    `--server-port=${server}`,
  ];
  return { flags, gateway, server, admin };
}

export class DemoProcess implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;
  #output = "";

  constructor(flags: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#process = spawn(process.execPath, [join(PACKAGE_ROOT, "src", "main.ts"), "demo", ...flags], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#closed = once(this.#process, "close");
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    }
  }

  /** stdout and stderr, in the order in which they came. */
  get output(): string {
    return this.#output;
  }

  /** Waits for words of the output; fails when the demo ends without them. */
  async says(words: string): Promise<void> {
    for (;;) {
      const isOver = this.#hasEnded();
      // Its last words may still be on their way.
      if (isOver) await this.#closed;
      if (this.#output.includes(words)) return;
      if (isOver) throw new Error(`the demo ended without "${words}":\n${this.#output}`);
      await sleep(20);
    }
  }

  async exitCode(): Promise<number | null> {
    await this.#closed;
    return this.#process.exitCode;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** The processes that it has started, by what is in their command line. */
  async children(): Promise<ReadonlyMap<number, string>> {
    const { stdout } = await run("ps", ["-A", "-ww", "-o", "pid=,ppid=,args="]);
    const rows = stdout.split("\n").flatMap((line) => {
      const [, pid, parent, args = ""] = /^ *(\d+) +(\d+) +(.*)$/.exec(line) ?? [];
      return Number(parent) === this.#process.pid && !args.startsWith("ps ") ? [[Number(pid), args] as const] : [];
    });
    return new Map(rows);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded()) this.kill("SIGTERM");
    await this.#closed;
  }

  #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }
}

/** Waits until none of these processes runs any more. */
export async function untilGone(pids: Iterable<number>): Promise<void> {
  for (const pid of pids) while (await isRunning(pid)) await sleep(50);
}

/** A zombie (state Z) has ended: in a container there may be nobody who collects it. */
async function isRunning(pid: number): Promise<boolean> {
  const { stdout } = await run("ps", ["-o", "stat=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return stdout.trim() !== "" && !stdout.trim().startsWith("Z");
}
