/** A decision log with a chain as processes leave it that start, write, are stopped or killed, and have their file moved. */
import { Writable } from "node:stream";
import { beforeOf } from "../../src/telemetry/chain-before.ts";
import { Segment } from "../../src/telemetry/chain.ts";
import type { ChainKey } from "../../src/telemetry/chain.ts";
import { createDecisionLog } from "../../src/telemetry/decision-log.ts";
import { denied, record } from "./records.ts";

export type Step =
  /** A process writes that many lines. `moved`: after which of them its file is moved away. */
  | { readonly kind: "run"; readonly lines: number; readonly moved: number | undefined; readonly isKilled: boolean }
  /** The end of the file is lost, as a kill does it: so many bytes of the last write. */
  | { readonly kind: "torn"; readonly bytes: number };

export class ChainedLog {
  readonly files: Buffer[] = [Buffer.alloc(0)];
  readonly #key: ChainKey;
  #runs = 0;

  constructor(key: ChainKey) {
    this.#key = key;
  }

  async play(steps: readonly Step[]): Promise<this> {
    for (const step of steps) {
      if (step.kind === "run") await this.run(step);
      else this.#tear(step.bytes);
    }
    return this;
  }

  /** The file is moved away while nobody writes. */
  move(): void {
    this.files.push(Buffer.alloc(0));
  }

  async run({ lines, moved, isKilled }: Omit<Step & { kind: "run" }, "kind">): Promise<void> {
    if (lines === 0) return; // Nothing is written, and no file opened.
    const tail = this.#last;
    if (tail.length > 0 && tail.at(-1) !== 0x0a) this.#append(Buffer.from("\n"));
    const segment = new Segment(`segment-${this.#runs++}`, this.#key);
    const out = new Writable({ write: (chunk: Buffer, _encoding, done) => (this.#append(chunk), done()) });
    const log = createDecisionLog({ out, chain: { segment, before: () => beforeOf(tail, false) } });
    for (let i = 0; i < lines; i++) {
      log.record(i % 2 === 0 ? record({ requestId: `${this.#runs}-${i}` }) : denied({ requestId: "" }));
      await turn();
      if (i === moved) this.move();
    }
    if (!isKilled) await log.close();
  }

  get #last(): Buffer {
    return this.files.at(-1) ?? Buffer.alloc(0);
  }

  #append(bytes: Buffer): void {
    this.files[this.files.length - 1] = Buffer.concat([this.#last, bytes]);
  }

  /** Some of the last line stays: a tear is no cut. */
  #tear(bytes: number): void {
    const last = this.#last;
    const start = last.lastIndexOf(0x0a, last.length - 2) + 1;
    this.files[this.files.length - 1] = last.subarray(
      0,
      Math.max(Math.min(start + 1, last.length), last.length - bytes),
    );
  }
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
