/**
 * A reader in another language: one long-lived process that is asked in batches. Whatever is asked before the event loop
 * turns goes out as one line, so that properties ask about one case each and pay for a line of many.
 */
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

type Child = ChildProcessByStdio<Writable, Readable, null>;
type Waiting = { readonly resolve: (answer: unknown) => void; readonly reject: (error: Error) => void };

export class ReaderProcess {
  /** Its first line: the libraries that it has found. */
  readonly greeting: Readonly<Record<string, boolean>>;
  readonly #child: Child;
  #questions: (readonly [question: string, body: string])[] = [];
  #asking: Waiting[] = [];
  readonly #asked: Waiting[][] = [];
  #hasEnded = false;

  private constructor(child: Child, lines: AsyncIterator<string>, greeting: string) {
    this.#child = child;
    this.greeting = JSON.parse(greeting) as Record<string, boolean>;
    void this.#read(lines);
  }

  /** Undefined when there is no such program, or it cannot run. */
  static async start(command: string, args: readonly string[]): Promise<ReaderProcess | undefined> {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    return first.done === true ? undefined : new ReaderProcess(child, lines, first.value);
  }

  ask(question: string, body: Uint8Array): Promise<unknown> {
    if (this.#hasEnded) throw new Error("the reader has ended");
    if (this.#questions.length === 0) setImmediate(() => this.#send());
    this.#questions.push([question, Buffer.from(body).toString("base64")]);
    return new Promise((resolve, reject) => this.#asking.push({ resolve, reject }));
  }

  stop(): void {
    this.#child.stdin.end();
  }

  #send(): void {
    this.#child.stdin.write(`${JSON.stringify(this.#questions)}\n`);
    this.#asked.push(this.#asking);
    this.#questions = [];
    this.#asking = [];
  }

  async #read(lines: AsyncIterator<string>): Promise<void> {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      const answers = JSON.parse(line.value) as unknown[];
      for (const [i, { resolve }] of (this.#asked.shift() ?? []).entries()) resolve(answers[i]);
    }
    this.#hasEnded = true;
    for (const { reject } of [...this.#asked.flat(), ...this.#asking]) reject(new Error("the reader has ended"));
  }
}
