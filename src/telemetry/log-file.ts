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
  #isMoved = false;
  #isFaulty = false;
  /** The append that is under way, or the last one. */
  #append = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;

  constructor(options: LogFileOptions) {
    super({ decodeStrings: true });
    this.#options = options;
  }

  /** The last write has failed. */
  get isFaulty(): boolean {
    return this.#isFaulty;
  }

  /** With the next write the file is opened anew: who rotates files has moved it away. A write under way ends where it began. */
  reopen(): void {
    this.#isMoved = true;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#append = this.#appendAll(chunk, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#retry);
    void this.#closeAfterAppend(() => done(error));
  }

  async #appendAll(chunk: Buffer, done: () => void): Promise<void> {
    let rest = chunk;
    try {
      const descriptor = await this.#opened();
      while (rest.length > 0) {
        const { bytesWritten } = await writeFile(descriptor, rest);
        rest = rest.subarray(bytesWritten);
      }
    } catch (error: unknown) {
      return this.#tryAgain(error, rest, done);
    }
    this.#isFaulty = false;
    done();
  }

  #tryAgain(error: unknown, rest: Buffer, done: () => void): void {
    if (!this.#isFaulty) this.#options.onFault(error instanceof Error ? error : new Error(String(error)));
    this.#isFaulty = true;
    if (this.destroyed) return;
    this.#retry = setTimeout(() => {
      this.#append = this.#appendAll(rest, done);
    }, this.#options.retryMs ?? RETRY_MS);
  }

  /** Asked by the append that will use it, one at a time: nobody else closes a descriptor that may be in use. */
  async #opened(): Promise<number> {
    const isMoved = this.#isMoved;
    this.#isMoved = false; // Before what is awaited: it may be moved once more meanwhile.
    if (isMoved) await this.#close();
    return (this.#descriptor ??= await openAtLine(this.#options.path));
  }

  async #closeAfterAppend(done: () => void): Promise<void> {
    await this.#append;
    await this.#close();
    done();
  }

  async #close(): Promise<void> {
    const before = this.#descriptor;
    this.#descriptor = undefined;
    if (before !== undefined) await closeFile(before).catch(() => {}); // It was only written to.
  }
}

/** A process that was killed may have left half a line: the next one begins on a line of its own. */
async function openAtLine(path: string): Promise<number> {
  const descriptor = await openFile(path, "a+");
  try {
    const { size } = await statFile(descriptor);
    const last = Buffer.of(NEWLINE);
    if (size > 0) await readFile(descriptor, last, 0, 1, size - 1);
    if (last[0] !== NEWLINE) await writeFile(descriptor, Buffer.of(NEWLINE));
    return descriptor;
  } catch (error: unknown) {
    await closeFile(descriptor);
    throw error;
  }
}
