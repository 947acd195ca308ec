/** Waits for a process until it says of itself that it serves. */
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 50;
const PATIENCE_MS = 30_000;

/** Resolves at the first answer that `isReady` accepts; the error names who did not get ready, and where it was asked. */
export async function untilReady(
  name: string,
  url: URL,
  isReady = (status: number): boolean => status === 200,
): Promise<void> {
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  while (!deadline.aborted) {
    const status = await fetch(url, { signal: deadline }).then(
      async (response) => {
        await response.body?.cancel();
        return response.status;
      },
      () => undefined, // Not listening yet.
    );
    if (status !== undefined && isReady(status)) return;
    await sleep(POLL_MS, undefined, { ref: false }); // Waiting alone keeps no process alive.
  }
  throw new Error(`${name} did not get ready within ${PATIENCE_MS / 1000} s (asked at ${url.href})`);
}
