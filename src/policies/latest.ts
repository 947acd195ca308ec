/**
 * A value that is replaced as a whole, and those who want to hear of it. The only thing that edges share about policy:
 * an exchange begins with `get()`, and is told when that is replaced.
 */
export type Latest<T> = {
  readonly get: () => T;
  readonly set: (value: T) => void;
  /** Calls `listener` with every later value, until it is disposed of. */
  readonly subscribe: (listener: (value: T) => void) => Disposable;
};

/** Makes a `Latest` that holds `initial`. */
export function createLatest<T>(initial: T): Latest<T> {
  let current = initial;
  const listeners = new Set<(value: T) => void>();
  return {
    get: () => current,
    set: (value) => {
      current = value;
      for (const listener of listeners) listener(value);
    },
    subscribe: (listener) => {
      // Wrapped, so that one function may subscribe twice and end each on its own.
      const own = (value: T) => listener(value);
      listeners.add(own);
      return { [Symbol.dispose]: () => void listeners.delete(own) };
    },
  };
}
