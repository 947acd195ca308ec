/**
 * The calls that wait for their answers in this process, so that one that its caller takes back is not counted as failed.
 * Before 2026-07-28 that is said in another exchange (`notifications/cancelled`); one that another replica got is not seen.
 */
import type { Id } from "../core/jsonrpc/message.ts";

type Waiting = { cancel(id: Id): void };

export class InFlight {
  readonly #byKey = new Map<string, Waiting>();
  /** Not a WeakMap: each entry would cost the garbage collector more than it does us to take it out. */
  readonly #keys = new Map<Waiting, string[]>();

  begin(waiting: Waiting, scope: string, id: Id): void {
    const key = keyOf(scope, id);
    this.#byKey.set(key, waiting);
    const keys = this.#keys.get(waiting);
    if (keys === undefined) this.#keys.set(waiting, [key]);
    else keys.push(key);
  }

  find(scope: string, id: Id): Waiting | undefined {
    return this.#byKey.get(keyOf(scope, id));
  }

  end(waiting: Waiting): void {
    // Another one may have taken the key since.
    for (const key of this.#keys.get(waiting) ?? []) if (this.#byKey.get(key) === waiting) this.#byKey.delete(key);
    this.#keys.delete(waiting);
  }
}

const keyOf = (scope: string, id: Id): string => `${scope} ${id}`;
