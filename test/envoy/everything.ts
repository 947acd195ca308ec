/** The MCP server that the e2e tests did not write: `server-everything`, on the loopback interface only. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import { Program } from "./program.ts";

export type Everything = AsyncDisposable & { readonly port: number };

/** `sse`: HTTP with SSE (2024-11-05), at `/sse` and `/message`. */
export async function startEverything(transport: "streamableHttp" | "sse" = "streamableHttp"): Promise<Everything> {
  const port = await freePort();
  const server = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"));
  const program = new Program({
    name: "server-everything",
    command: process.execPath,
    args: ["--import", join(PACKAGE_ROOT, "src", "cli", "demo", "loopback.ts"), server, transport],
    env: { PORT: String(port) },
  });
  await program.until("listening", () => (/(?:listening|running) on port/.test(program.stderr) ? true : undefined));
  return { port, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

/** One that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  await once(probe.close(), "close");
  return port;
}
