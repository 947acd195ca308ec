/**
 * `envoy-config/demo.yaml`, once for each way: a listener of its own, with the filter that asks that way's processor or
 * without it. All else is the same, in one Envoy. Two things differ from the file: there is no access log, and a token
 * that was verified once is remembered, since verifying it anew would hide everything else behind a signature.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";

/** `processorPort` undefined: Envoy alone. */
export type Listener = { readonly name: string; readonly port: number; readonly processorPort: number | undefined };

type Json = { [key: string]: unknown };
type Filter = Json & { name: string; typed_config: Json };
type Socket = { address: string; port_value: number };
type Cluster = Json & {
  name: string;
  load_assignment: {
    cluster_name: string;
    endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: Socket } } }] }];
  };
};
type Manager = Json & {
  stat_prefix: string;
  http_filters: Filter[];
  route_config: { virtual_hosts: [{ routes: [Json] }] };
};
type EnvoyListener = Json & {
  name: string;
  address: { socket_address: Socket };
  filter_chains: [{ filters: [{ typed_config: Manager }] }];
};
type Config = {
  admin: { address: { socket_address: Socket } };
  static_resources: { listeners: [EnvoyListener]; clusters: [Cluster, Cluster] };
};

export type EnvoyPorts = {
  readonly adminPort: number;
  readonly upstreamPort: number;
  readonly listeners: readonly Listener[];
};

/** As JSON, which `envoy --config-yaml` takes. `keySet`: what tokens are verified with. */
export async function benchEnvoyConfig(ports: EnvoyPorts, keySet: string): Promise<string> {
  const file = join(import.meta.dirname, "..", "..", "envoy-config", "demo.yaml");
  const config = parse(await readFile(file, "utf8")) as Config;
  const [listener] = config.static_resources.listeners;
  const [toolgate, upstream] = config.static_resources.clusters;
  config.admin.address.socket_address.port_value = ports.adminPort;
  setPort(upstream, ports.upstreamPort);
  rememberTokens(listener, keySet);
  const askedWays = ports.listeners.flatMap(({ name, processorPort }) =>
    processorPort === undefined ? [] : [processor(toolgate, name, processorPort)],
  );
  return JSON.stringify({
    ...config,
    static_resources: {
      listeners: ports.listeners.map((way) => listenerFor(listener, way)),
      clusters: [upstream, ...askedWays],
    },
  });
}

function listenerFor(model: EnvoyListener, { name, port, processorPort }: Listener): EnvoyListener {
  const listener = structuredClone(model);
  listener.name = name;
  listener.address.socket_address.port_value = port;
  const manager = listener.filter_chains[0].filters[0].typed_config;
  manager.stat_prefix = name;
  delete manager["access_log"];
  if (processorPort === undefined) {
    manager.http_filters = manager.http_filters.filter((filter) => !isExtProc(filter));
    delete manager.route_config.virtual_hosts[0].routes[0]["typed_per_filter_config"];
  }
  for (const filter of manager.http_filters.filter(isExtProc)) {
    filter.typed_config["grpc_service"] = { envoy_grpc: { cluster_name: name, authority: "toolgate" } };
  }
  return listener;
}

const isExtProc = (filter: Filter): boolean => filter.name === "toolgate.ext_proc";

function processor(model: Cluster, name: string, port: number): Cluster {
  const cluster = structuredClone(model);
  cluster.name = name;
  cluster.load_assignment.cluster_name = name;
  setPort(cluster, port);
  return cluster;
}

function setPort(cluster: Cluster, port: number): void {
  cluster.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value = port;
}

function rememberTokens(listener: EnvoyListener, keySet: string): void {
  const filters = listener.filter_chains[0].filters[0].typed_config.http_filters;
  const jwt = filters.find((filter) => filter.name === "envoy.filters.http.jwt_authn");
  if (jwt === undefined) throw new Error("envoy-config/demo.yaml has no jwt_authn filter any more");
  const { demo } = jwt.typed_config["providers"] as { demo: Json };
  demo["local_jwks"] = { inline_string: keySet };
  demo["jwt_cache_config"] = { jwt_cache_size: 100 };
}
