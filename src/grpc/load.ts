/**
 * What this process has taken on, and when that is enough: one more exchange is refused at once, which Envoy makes an HTTP
 * error of, instead of being served late or by a process that runs out of memory. Those that are open go on.
 */
import type { Overload } from "../telemetry/telemetry.ts";

export type LoadOptions = {
  readonly maxStreams: number;
  /** Of requests and answers that are not whole yet, over all exchanges. */
  readonly maxHeldBytes: number;
  /** Whether the decision log keeps what is written to it, where nothing may be decided without. */
  readonly isAudited: () => boolean;
  /** Told of each that was refused. */
  readonly onRefused: (why: Overload) => void;
};

export class Load {
  readonly #options: LoadOptions;
  /** The exchanges that are open. A set and no number: one that is taken out twice, or never put in, counts right. */
  readonly open = new Set<object>();
  #heldBytes = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  get streams(): number {
    return this.open.size;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Why no exchange can be taken on now, said once for each; undefined when one can. */
  refuses(): string | undefined {
    const why = this.#why();
    if (why === undefined) return undefined;
    this.#options.onRefused(why);
    return SENTENCES[why](this.#options);
  }

  /** An exchange holds so many bytes more, or fewer. */
  hold(bytes: number): void {
    this.#heldBytes += bytes;
  }

  #why(): Overload | undefined {
    if (this.streams >= this.#options.maxStreams) return "streams";
    if (this.#heldBytes >= this.#options.maxHeldBytes) return "memory";
    return this.#options.isAudited() ? undefined : "audit";
  }
}

const SENTENCES: { readonly [why in Overload]: (options: LoadOptions) => string } = {
  streams: ({ maxStreams }) => `more than ${maxStreams} exchanges are open`,
  memory: ({ maxHeldBytes }) => `more than ${maxHeldBytes} bytes are held`,
  audit: () => "the decision log cannot be written, and is required",
};
