/** Serves a fixture on a port of the loopback interface that the system chooses, and prints it. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** Beyond the run: clients keep connections for later, and a request is lost on one that is being closed. */
const KEEP_ALIVE_MS = 600_000;

export async function serveFixture(listener: RequestListener): Promise<void> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  process.stdout.write(`listening on ${(server.address() as AddressInfo).port}\n`);
}
