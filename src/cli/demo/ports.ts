/** Finds out before anything starts which ports are taken, so that the person hears of all of them and of the way out. */
import { createServer } from "node:net";
import { formatAddress } from "../../config/address.ts";
import type { DemoOptions, TcpAddress } from "./options.ts";

type Wanted = { readonly address: TcpAddress; readonly use: string; readonly option: string; readonly byPort?: true };

const onLoopback = (port: number, use: string, option: string): Wanted => ({
  address: { kind: "tcp", host: "127.0.0.1", port },
  use,
  option,
  byPort: true,
});

/** One sentence for each port that the demo needs and cannot have, with the option that changes it. */
export async function takenPorts(options: DemoOptions): Promise<readonly string[]> {
  const wanted = [
    onLoopback(options.port, "Envoy", "--port"),
    onLoopback(options.envoyAdminPort, "Envoy's admin", "--envoy-admin-port"),
    { address: options.listen, use: "Toolgate", option: "--listen" },
    { address: options.adminListen, use: "Toolgate's admin", option: "--admin-listen" },
  ];
  if (options.upstream === undefined) wanted.push(onLoopback(options.serverPort, "the MCP server", "--server-port"));
  const problems = await Promise.all(wanted.map(problemOf));
  return problems.flat();
}

async function problemOf({ address, use, option, byPort }: Wanted): Promise<readonly string[]> {
  const reason = await whyNot(address);
  if (reason === undefined) return [];
  const port = address.port < 65_000 ? address.port + 500 : address.port - 500;
  const other = byPort === true ? String(port) : formatAddress({ ...address, port });
  return [`${formatAddress(address)}, for ${use}, ${reason}: choose another with ${option} ${other}`];
}

async function whyNot({ host, port }: TcpAddress): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const probe = createServer();
  probe.once("error", (error: NodeJS.ErrnoException) => {
    resolve(error.code === "EADDRINUSE" ? "is taken by another program" : `cannot be used (${error.message})`);
  });
  probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  return promise;
}
