/** The three programs of the demo, and how each is started. What they need of each other is in their arguments. */
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { formatAddress } from "../../config/address.ts";
import type { Children } from "./children.ts";
import type { DemoOptions } from "./options.ts";

/** server-everything, on the loopback interface only. */
export function startMcpServer(children: Children, port: number): void {
  const program = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"));
  children.start({
    name: "the MCP server",
    command: process.execPath,
    args: ["--import", fileURLToPath(import.meta.resolve("./loopback.ts")), program, "streamableHttp"],
    env: { PORT: String(port) },
  });
}

/** As in production: `toolgate serve`. The decision log is its stdout, its own log its stderr. */
export function startToolgate(
  children: Children,
  { policies, listen, adminListen }: DemoOptions,
  onLine: { readonly decision: (line: string) => void; readonly log: (line: string) => void },
): void {
  const main = fileURLToPath(import.meta.resolve("../../main.ts"));
  children.start({
    name: "Toolgate",
    command: process.execPath,
    args: [
      main,
      "serve",
      "--policies",
      policies,
      "--listen",
      formatAddress(listen),
      "--admin-listen",
      formatAddress(adminListen),
    ],
    onStdout: onLine.decision,
    onStderr: onLine.log,
  });
}

/** No hot restart: it would share memory with any other Envoy on the machine. */
export function startEnvoy(children: Children, path: string, config: string): void {
  children.start({
    name: "Envoy",
    command: path,
    args: ["--config-yaml", config, "--disable-hot-restart", "--concurrency", "2", "--log-level", "warning"],
  });
}

/** Whether something accepts connections there. */
export async function isListening(url: URL): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 80) });
  socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  socket.setTimeout(5_000, () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
