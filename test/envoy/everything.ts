/** The MCP server that the e2e tests did not write: `server-everything`, on the loopback interface only. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import { freePort } from "./free-port.ts";
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
