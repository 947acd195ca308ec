/**
 * The fixture servers of all SDKs, and one Envoy with one Toolgate in front of them: each server has a path under the policy
 * that allows everything, and one under the policy that does not.
 */
import { manager, firstRoute } from "../envoy/gateway.ts";
import type { Node } from "../envoy/gateway.ts";
import { Program } from "../envoy/program.ts";
import { startStack } from "../envoy/stack.ts";
import type { Stack } from "../envoy/stack.ts";
import type { ServerPeer } from "./peers.ts";
import { POLICIES, policiesFor } from "./policies.ts";
import type { PolicyName } from "./policies.ts";

/** How a client gets to a server: past Toolgate, or through it under one of the policies. */
export type Route = "direct" | PolicyName;

export const ROUTES: readonly Route[] = ["direct", ...POLICIES];

export type Deployment = AsyncDisposable & {
  readonly stack: Stack;
  readonly url: (server: ServerPeer, route: Route) => string;
};

export async function startDeployment(servers: readonly ServerPeer[]): Promise<Deployment> {
  await using started = new AsyncDisposableStack();
  const running = servers.map(({ id, command: [command = "", ...args] = [] }) =>
    started.use(new Program({ name: `the fixture server ${id}`, command, args })),
  );
  const ports = new Map<string, number>();
  for (const [i, program] of running.entries()) {
    const port = await program.until("a port", () => /^listening on (\d+)$/m.exec(program.stdout)?.[1]);
    ports.set(servers[i]!.id, Number(port));
  }
  const stack = started.use(
    await startStack({
      policies: policiesFor(servers),
      upstreamPort: 1, // No route goes there.
      change: (config) => addRoutes(config, ports),
    }),
  );
  const kept = started.move();
  return {
    stack,
    url: ({ id }, route) =>
      route === "direct" ? `http://127.0.0.1:${ports.get(id)}/mcp` : new URL(`/${route}/${id}`, stack.gateway.url).href,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/**
 * Servers close connections when it suits them (uvicorn does after a stream that it has ended early), and a request that is
 * just then sent on one is lost, with any proxy.
 */
const ONE_REQUEST_PER_CONNECTION = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      common_http_protocol_options: { max_requests_per_connection: 1 },
      explicit_http_config: { http_protocol_options: {} },
    },
  },
};

/** In place of the one route and cluster of the demo: one cluster for each server, and its routes. */
function addRoutes(config: Node, ports: ReadonlyMap<string, number>): void {
  const resources = config["static_resources"] as { clusters: Node[] };
  const template = resources.clusters.find(({ name }) => name === "mcp_server");
  const route = firstRoute(config) as Node & { readonly route: Node };
  const hosts = (manager(config)["route_config"] as { virtual_hosts: { routes: Node[] }[] }).virtual_hosts;
  const routes: Node[] = [];
  for (const [id, port] of ports) {
    const address = { socket_address: { address: "127.0.0.1", port_value: port } };
    const load_assignment = { cluster_name: id, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] };
    resources.clusters.push({ ...template, ...ONE_REQUEST_PER_CONNECTION, name: id, load_assignment });
    for (const policy of POLICIES) {
      const path = `/${policy}/${id}`;
      routes.push({ ...route, name: `${policy}-${id}`, match: { path }, route: { ...route.route, cluster: id } });
    }
  }
  hosts[0]!.routes = routes;
}
