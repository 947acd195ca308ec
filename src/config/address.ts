/** Where to listen, as people write it: `host:port`, `[IPv6]:port` or `unix:/path`. */
import { isIPv4, isIPv6 } from "node:net";
import { err, ok } from "../core/result.ts";
import type { Result } from "../core/result.ts";

export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** What `sun_path` of a socket address holds on Linux, without its final NUL. */
const MAX_SOCKET_PATH_BYTES = 107;
const TCP = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]+)$/;
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

/** The address, or what was expected instead. */
export function parseAddress(text: string): Result<Address, string> {
  if (text.startsWith("unix:")) return parseSocketPath(text.slice("unix:".length));
  const match = TCP.exec(text);
  if (match === null) return err("expected host:port, [IPv6]:port or unix:/path");
  const [, bracketed, plain = "", digits] = match;
  const port = Number(digits);
  if (port > 65_535) return err("expected a port from 0 to 65535");
  if (bracketed !== undefined && !isIPv6(bracketed)) return err("expected an IPv6 address inside the brackets");
  if (bracketed === undefined && !isHost(plain)) return err("expected a host name or an IP address before the port");
  return ok({ kind: "tcp", host: bracketed ?? plain, port });
}

/** A name whose last part is a number would be an IPv4 address, and is a wrong one. */
const isHost = (text: string): boolean => isIPv4(text) || (HOST_NAME.test(text) && !/(?:^|\.)[0-9]+$/.test(text));

function parseSocketPath(path: string): Result<Address, string> {
  if (!path.startsWith("/")) return err("expected an absolute path after unix:");
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    return err(`expected a socket path of at most ${MAX_SOCKET_PATH_BYTES} bytes`);
  }
  return ok({ kind: "unix", path });
}

export function formatAddress(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

/** Whether only this machine can connect. */
export function isLocal(address: Address): boolean {
  if (address.kind === "unix") return true;
  const { host } = address;
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
