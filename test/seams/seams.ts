/** The calls of all seams, counted while something runs, and one of them failing. */
declare global {
  var seam: ((name: string) => void) | undefined;
}

export type Calls = {
  readonly count: number;
  /** The seam of the call that failed; without one, of the last call. */
  readonly last: string;
};

/** Runs it, with its n-th call of any seam throwing. */
export async function callingSeams(run: () => Promise<void>, n: number): Promise<Calls> {
  let count = 0;
  let last = "";
  globalThis.seam = (name) => {
    count++;
    if (count <= n) last = name;
    if (count === n) throw new Error(`a fault at ${name}`);
  };
  try {
    await run();
  } finally {
    globalThis.seam = undefined;
  }
  return { count, last };
}
