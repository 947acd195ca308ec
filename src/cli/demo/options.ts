/** What the demo was asked for: the flags as text, read all at once so that every problem is named in one go. */
import { isIP } from "node:net";
import { join, relative } from "node:path";
import { err, ok } from "../../core/result.ts";
import type { Result } from "../../core/result.ts";
import { parseAddress } from "../../config/address.ts";
import type { Address } from "../../config/address.ts";

/** The flags of `toolgate demo`, as the command line gives them. */
export type DemoFlags = {
  readonly port?: string;
  readonly envoyAdminPort?: string;
  readonly listen?: string;
  readonly adminListen?: string;
  readonly serverPort?: string;
  readonly policies?: string;
  readonly upstream?: string;
  readonly once?: boolean;
  readonly load?: boolean;
};

/** What the demo writes into Envoy's configuration: no Unix socket, no port 0, and an IP address as the host. */
export type TcpAddress = Extract<Address, { kind: "tcp" }>;

export type DemoOptions = {
  readonly port: number;
  readonly envoyAdminPort: number;
  readonly listen: TcpAddress;
  readonly adminListen: TcpAddress;
  readonly serverPort: number;
  readonly policies: string;
  /** The user's own MCP server, in place of the one that the demo starts. */
  readonly upstream: URL | undefined;
  /** End after the tour, and after the load. */
  readonly once: boolean;
  /** Agents go on where the tour ends. */
  readonly load: boolean;
};

/** The checkout or the installed package. */
export const PACKAGE_ROOT = join(import.meta.dirname, "..", "..", "..");

/** From the current folder, where that is shorter. */
export function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path) || ".";
  return fromHere.length < path.length ? fromHere : path;
}

/** Reads the flags; the error lists one sentence for each that is wrong. */
export function parseDemoFlags(flags: DemoFlags): Result<DemoOptions, readonly string[]> {
  const problems: string[] = [];
  const read = <T>(
    flag: string,
    text: string,
    parse: (text: string) => T | undefined,
    expected: string,
  ): T | undefined => {
    const value = parse(text);
    if (value === undefined) problems.push(`${flag} is "${text}": expected ${expected}`);
    return value;
  };
  const port = read("--port", flags.port ?? "10000", toPort, PORT);
  const envoyAdminPort = read("--envoy-admin-port", flags.envoyAdminPort ?? "9901", toPort, PORT);
  const serverPort = read("--server-port", flags.serverPort ?? "9100", toPort, PORT);
  const listen = read("--listen", flags.listen ?? "127.0.0.1:9002", toTcpAddress, ADDRESS);
  const adminListen = read("--admin-listen", flags.adminListen ?? "127.0.0.1:9003", toTcpAddress, ADDRESS);
  const upstream =
    flags.upstream === undefined ? undefined : read("--upstream", flags.upstream, toHttpUrl, URL_OF_SERVER);
  const { once = false, load = false } = flags;
  if (load && upstream !== undefined)
    problems.push("--load knows what to ask of server-everything only: leave out --upstream");
  if (!port || !envoyAdminPort || !serverPort || !listen || !adminListen || problems.length > 0) return err(problems);

  const policies = flags.policies ?? join(PACKAGE_ROOT, "examples", "policies");
  return ok({ port, envoyAdminPort, serverPort, listen, adminListen, policies, upstream, once, load });
}

const PORT = "a port from 1 to 65535";
const ADDRESS = "an IP address and a port, for example 127.0.0.1:9002";
const URL_OF_SERVER = "an http URL of an MCP server, for example http://127.0.0.1:3001/mcp";

function toPort(text: string): number | undefined {
  const port = Number(text);
  return /^\d+$/.test(text) && port >= 1 && port <= 65_535 ? port : undefined;
}

function toTcpAddress(text: string): TcpAddress | undefined {
  const address = parseAddress(text);
  if (!address.ok || address.value.kind !== "tcp") return undefined;
  return isIP(address.value.host) !== 0 && address.value.port !== 0 ? address.value : undefined;
}

function toHttpUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  return url?.protocol === "http:" ? url : undefined;
}
