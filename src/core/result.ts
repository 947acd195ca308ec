/** What a function answers that can fail on data: nothing in the core throws for it. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

export const ok = <T>(value: T): Result<T, never> => ({ ok: true, value });
export const err = <E>(error: E): Result<never, E> => ({ ok: false, error });

/** One thing wrong with something a person wrote. `path` is where (`spec.rules[0].to`), `message` what was expected. */
export type Problem = { readonly path: string; readonly message: string };

/** Marks a switch as exhaustive: a new variant does not compile until every switch has a row for it. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
