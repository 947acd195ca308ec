/** What every client program reported about every server by every way: the matrix, to be compared. */
import { Program } from "../envoy/program.ts";
import { ROUTES } from "./deployment.ts";
import type { Deployment, Route } from "./deployment.ts";
import type { ClientPeer, ServerPeer } from "./peers.ts";
import type { Line, Outcome } from "./scenario.ts";

/** By the name of the scenario. */
export type Outcomes = Readonly<Record<string, Outcome>>;

export type Matrix = (client: ClientPeer, server: ServerPeer, route: Route) => Outcomes;

/** The programs are many and the cores few: more at a time would be no faster. */
const AT_A_TIME = 2;

export async function runMatrix(
  clients: readonly ClientPeer[],
  servers: readonly ServerPeer[],
  deployment: Deployment,
): Promise<Matrix> {
  const targets = servers.flatMap((server) => ROUTES.map((route) => ({ server, route })));
  const urls = targets.map(({ server, route }) => deployment.url(server, route));
  const reported = new Map<ClientPeer, readonly Line[]>();
  const queue = [...clients];
  const work = async (): Promise<void> => {
    for (let client = queue.shift(); client !== undefined; client = queue.shift())
      reported.set(client, await runClient(client, urls));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));

  return (client, server, route) => {
    const target = targets.findIndex((it) => it.server === server && it.route === route);
    const lines = (reported.get(client) ?? []).filter((line) => line.target === target);
    return Object.fromEntries(lines.map(({ scenario, outcome }) => [scenario, outcome]));
  };
}

async function runClient(
  { id, command: [command = "", ...args] = [] }: ClientPeer,
  urls: readonly string[],
): Promise<readonly Line[]> {
  await using program = new Program({ name: `the client ${id}`, command, args: [...args, ...urls] });
  const code = await program.exitCode();
  if (code !== 0) throw new Error(`the client ${id} ended with ${code}:\n${program.stderr.slice(-4000)}`);
  return program.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}
