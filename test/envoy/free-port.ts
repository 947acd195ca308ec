/**
 * A port that is free now, for what has to be found again after a restart, or cannot say which one it got. Below those that
 * systems give out by themselves, so that no connection and no other server of the tests comes to have it meanwhile.
 */
import { once } from "node:events";
import { createServer } from "node:net";

/** Linux begins at 32,768, others higher. */
const [FIRST, END] = [20_000, 32_768];

export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (END - FIRST));
    const probe = createServer().listen(port, "127.0.0.1");
    const isFree = await once(probe, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    await once(probe.close(), "close");
    return port;
  }
}
