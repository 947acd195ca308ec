/**
 * What a configuration of Envoy says of listeners, routes and clusters, from whichever form it is read: a bootstrap file, a
 * file of xDS resources, or what a running Envoy says of itself (`/config_dump`), which is the whole of it.
 */
import type { Place } from "./place.ts";

export type EnvoyConfig = {
  readonly listeners: readonly Place[];
  /** Those that listeners name instead of having their own. */
  readonly routeConfigs: readonly Place[];
};

export function readEnvoyConfig(documents: readonly Place[]): EnvoyConfig {
  const resources = documents.flatMap((document) => [
    ...document.at("static_resources", "listeners").items,
    ...document.at("resources").items,
    ...document.at("configs").items.flatMap(fromDump),
  ]);
  return {
    listeners: resources.filter(({ type }) => type === "" || type === "listener.v3.Listener"),
    routeConfigs: resources.filter(({ type }) => type === "route.v3.RouteConfiguration"),
  };
}

/** Of a dump: not the bootstrap, which says the same of static listeners once more. */
function fromDump(dump: Place): readonly Place[] {
  switch (dump.type) {
    case "admin.v3.ListenersConfigDump":
      return [
        ...dump.at("static_listeners").items.map((one) => one.at("listener")),
        ...dump.at("dynamic_listeners").items.map((one) => one.at("active_state", "listener")),
      ].filter((one) => one.isThere);
    case "admin.v3.RoutesConfigDump":
      return dump.at("dynamic_route_configs").items.map((one) => one.at("route_config"));
    default:
      return [];
  }
}

/** A chain of filters for connections, and what of it decides who is let in. */
export type Manager = {
  readonly config: Place;
  readonly checksClients: boolean;
  /** `trust_chain_verification`, wherever it stands. */
  readonly trust: readonly Place[];
};

/** Every HTTP connection manager of a listener. */
export function managersOf(listener: Place): readonly Manager[] {
  return chainsOf(listener).flatMap((chain) => {
    const tls = chain.at("transport_socket", "typed_config");
    return networkFilters(chain)
      .filter(({ type }) => type === "http_connection_manager.v3.HttpConnectionManager")
      .map((config) => ({ config, checksClients: checksClients(tls), trust: tls.all("trust_chain_verification") }));
  });
}

/** Every TCP proxy of a listener. */
export const tcpProxiesOf = (listener: Place): readonly Place[] =>
  chainsOf(listener)
    .flatMap(networkFilters)
    .filter(({ type }) => type === "tcp_proxy.v3.TcpProxy");

const chainsOf = (listener: Place): readonly Place[] =>
  [...listener.at("filter_chains").items, listener.at("default_filter_chain")].filter((one) => one.isThere);

const networkFilters = (chain: Place): readonly Place[] =>
  chain.at("filters").items.map((filter) => filter.at("typed_config"));

/** Whether it asks clients for certificates that it then has checked. */
function checksClients(tls: Place): boolean {
  const common = tls.at("common_tls_context");
  return ["validation_context", "validation_context_sds_secret_config", "combined_validation_context"].some(
    (name) => common.at(name).isThere,
  );
}
