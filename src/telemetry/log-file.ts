/**
 * A file that lines are appended to, and that can fail: a full disk, a lost mount. What could not be written is tried again
 * until it can, so that nothing is lost or written twice; until then the writer's queue fills, which is its affair.
 */
import { close, fstat, open, read, write } from "node:fs";
import { Writable } from "node:stream";
import { promisify } from "node:util";

const openFile = promisify(open);
const closeFile = promisify(close);
const writeFile = promisify(write);
const statFile = promisify(fstat);
const readFile = promisify(read);

const RETRY_MS = 1_000;
const NEWLINE = 0x0a;

export type LogFileOptions = {
  readonly path: string;
  /** Told when a write has failed, and not again before one has succeeded. */
  readonly onFault: (error: Error) => void;
  readonly retryMs?: number;
};

export class LogFile extends Writable {
  readonly #options: LogFileOptions;
  #descriptor: number | undefined;
  #isFaulty = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: LogFileOptions) {
    super({ decodeStrings: true });
    this.#options = options;
  }

  /** The last write has failed. */
  get isFaulty(): boolean {
    return this.#isFaulty;
  }

  /** With the next write the file is opened anew: who rotates files has moved it away. */
  reopen(): void {
    const before = this.#descriptor;
    this.#descriptor = undefined;
    if (before !== undefined) void closeFile(before).catch(() => {}); // It was only written to.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    void this.#append(chunk, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#retry);
    this.reopen();
    done(error);
  }

  async #append(chunk: Buffer, done: () => void): Promise<void> {
    let rest = chunk;
    try {
      const descriptor = (this.#descriptor ??= await this.#open());
      while (rest.length > 0) {
        const { bytesWritten } = await writeFile(descriptor, rest);
        rest = rest.subarray(bytesWritten);
      }
      this.#isFaulty = false;
      done();
    } catch (error: unknown) {
      if (!this.#isFaulty) this.#options.onFault(error instanceof Error ? error : new Error(String(error)));
      this.#isFaulty = true;
      const left = rest;
      this.#retry = setTimeout(() => {
        if (!this.destroyed) void this.#append(left, done);
      }, this.#options.retryMs ?? RETRY_MS);
    }
  }

  /** A process that was killed may have left half a line: the next one begins on a line of its own. */
  async #open(): Promise<number> {
    const descriptor = await openFile(this.#options.path, "a+");
    const { size } = await statFile(descriptor);
    const last = Buffer.of(NEWLINE);
    if (size > 0) await readFile(descriptor, last, 0, 1, size - 1);
    if (last[0] !== NEWLINE) await writeFile(descriptor, Buffer.of(NEWLINE));
    return descriptor;
  }
}
