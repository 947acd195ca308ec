/**
 * Counts work instead of timing it, so that a test says the same on every machine: the executions of each block of code in
 * src/core, which V8 counts exactly, and the bytes and characters that built-in functions go over on its behalf.
 */
import { Session } from "node:inspector";
import type { Profiler } from "node:inspector";

type Block = { readonly url: string; readonly functionName: string; readonly start: number; readonly count: number };

export class WorkMeter implements Disposable {
  readonly #session = new Session();
  #bytes = 0;
  readonly #restore: (() => void)[] = [];

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
    this.#watch(Uint8Array.prototype, "set", (_, [source]) => lengthOf(source));
    this.#watch(Uint8Array.prototype, "slice", (_, _args, result) => lengthOf(result));
    this.#watch(Uint8Array.prototype, "indexOf", (self, [, from = 0], result) =>
      Math.max(0, (result === -1 ? lengthOf(self) : Number(result)) - Number(from)),
    );
    this.#watch(Uint8Array.prototype, "includes", (self) => lengthOf(self));
    this.#watch(TextDecoder.prototype, "decode", (_, [source]) => lengthOf(source));
    this.#watch(TextEncoder.prototype, "encode", (_, [source]) => lengthOf(source));
    this.#watch(JSON, "parse", (_, [source]) => lengthOf(source));
    this.#watch(JSON, "stringify", (_self, _args, result) => lengthOf(result));
    this.#watch(String.prototype, "indexOf", (self, [, from = 0], result) =>
      Math.max(0, (result === -1 ? lengthOf(self) : Number(result)) - Number(from)),
    );
    for (const name of ["includes", "split", "replaceAll", "toLowerCase", "toUpperCase"] as const)
      this.#watch(String.prototype, name, (self) => lengthOf(self));
    for (const name of ["concat", "flat", "slice", "with"] as const)
      this.#watch(Array.prototype, name, (_self, _args, result) => lengthOf(result));
    this.#watch(Array.prototype, "includes", (self) => lengthOf(self));
    // `replaceAll` and `matchAll` call it for each match, and go over the text once.
    this.#watch(RegExp.prototype, "exec", (self, [text]) =>
      self instanceof RegExp && self.global ? 0 : lengthOf(text),
    );
  }

  /** Blocks and bytes that `act` takes. */
  measure(act: () => void): number {
    this.takeBlocks();
    this.#bytes = 0;
    act();
    const bytes = this.#bytes;
    return bytes + this.takeBlocks().reduce((sum, { count }) => sum + count, 0);
  }

  /** The blocks of src/core that were executed since the last time. */
  takeBlocks(): readonly Block[] {
    let scripts: readonly Profiler.ScriptCoverage[] = [];
    // Answered at once: the session is one with its own thread.
    this.#session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (error !== null) throw error;
      scripts = result;
    });
    return scripts.flatMap(({ url, functions }) =>
      url.includes("/src/core/")
        ? functions.flatMap(({ functionName, ranges }) =>
            ranges.map(({ startOffset, count }) => ({ url, functionName, start: startOffset, count })),
          )
        : [],
    );
  }

  /** Adds to the bytes what each call of a built-in function costs. */
  #watch(
    owner: object,
    name: string,
    cost: (self: unknown, args: readonly unknown[], result: unknown) => number,
  ): void {
    const original = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
    const count = (bytes: number): void => void (this.#bytes += bytes);
    Reflect.set(owner, name, function watched(this: unknown, ...args: unknown[]): unknown {
      const result = Reflect.apply(original, this, args);
      count(cost(this, args, result));
      return result;
    });
    this.#restore.push(() => void Reflect.set(owner, name, original));
  }

  [Symbol.dispose](): void {
    for (const restore of this.#restore) restore();
    this.#session.disconnect();
  }
}

const lengthOf = (value: unknown): number =>
  typeof value === "string" || Array.isArray(value) || value instanceof Uint8Array ? value.length : 0;
