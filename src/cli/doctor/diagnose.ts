/** What is wrong with a configuration of Envoy, as far as Toolgate is trusted for it. */
import { managersOf, tcpProxiesOf } from "./envoy-config.ts";
import type { EnvoyConfig, Manager } from "./envoy-config.ts";
import { extAuthzFindings } from "./ext-authz.ts";
import { extProcFindings } from "./ext-proc.ts";
import type { Settings, Surroundings } from "./ext-proc.ts";
import { asksToolgate, EXT_PROC, httpFilters } from "./http-filters.ts";
import type { HttpFilter } from "./http-filters.ts";
import { BUFFER_TYPE, JWT_AUTHN_TYPE, NATIVE_MCP_TYPE, orderFindings } from "./order.ts";
import type { Finding, Place } from "./place.ts";
import { destinationsOf, filterOn, tcpWaysAround, waysAround } from "./routes.ts";
import type { Destination } from "./routes.ts";

export type Diagnosis = {
  /** How many filters ask Toolgate. */
  readonly filters: number;
  readonly problems: readonly Finding[];
  /** What could not be looked at. */
  readonly unseen: readonly Finding[];
};

/** `cluster`: by which Envoy knows Toolgate. */
export function diagnose(config: EnvoyConfig, cluster: string): Diagnosis {
  const chains = config.listeners.flatMap(managersOf).map((manager) => chainOf(manager, config, cluster));
  const ways = chains.flatMap((chain) => chain.ways);
  const asked = ways.filter((way) => isGuarded(way) && !way.destination.isMirror);
  const guarded = new Set(asked.flatMap(({ destination }) => destination.cluster ?? []));
  const open = ways.filter((way) => !isGuarded(way)).map(({ destination }) => destination);
  const filters = chains.flatMap((chain) => chain.toolgates);
  const problems = [
    ...chains.flatMap(chainProblems),
    ...chains.filter(({ toolgates }) => toolgates.length > 0).flatMap(unverified),
    ...(guarded.size === 0 ? [] : waysAround(open, guarded)),
    ...config.listeners.flatMap(tcpProxiesOf).flatMap((proxy) => tcpWaysAround(proxy, guarded)),
  ];
  return { filters: filters.length, problems: unique(problems), unseen: chains.flatMap((chain) => chain.unseen) };
}

/** A destination, and the filters that ask Toolgate on the way there. */
type Way = { readonly destination: Destination; readonly asks: readonly Asking[] };
const isGuarded = ({ asks }: Way): boolean => asks.length > 0;
type Asking = { readonly filter: HttpFilter; readonly route: Place; readonly around: Surroundings };

type Chain = {
  readonly filters: readonly HttpFilter[];
  readonly toolgates: readonly HttpFilter[];
  readonly manager: Manager;
  readonly ways: readonly Way[];
  readonly unseen: readonly Finding[];
};

function chainOf(manager: Manager, config: EnvoyConfig, cluster: string): Chain {
  const filters = httpFilters(manager);
  const toolgates = filters.filter((one) => asksToolgate(one, cluster));
  const { found, unseen } = routesOf(manager, config);
  const ways = found.flatMap(destinationsOf).map((destination) => {
    const on = filters.filter((one) => filterOn(destination, one, cluster).isOn);
    return {
      destination,
      asks: toolgates
        .filter((filter) => on.includes(filter))
        .map((filter) => ({
          filter,
          route: filterOn(destination, filter, cluster).config,
          around: surroundingsOf(filter, on, manager),
        })),
    };
  });
  return { filters, toolgates, manager, ways, unseen };
}

/** By the filters that are on. */
function surroundingsOf(
  toolgate: HttpFilter,
  on: readonly HttpFilter[],
  { config, checksClients }: Manager,
): Surroundings {
  const place = on.indexOf(toolgate);
  return {
    certificates: checksClients,
    underscores: config.at("common_http_protocol_options", "headers_with_underscores_action"),
    tokens: on.some((one) => one.config.type === JWT_AUTHN_TYPE),
    isHeld: on.slice(place + 1).some((one) => one.config.type === BUFFER_TYPE),
    nativeMcp: on.slice(0, place).find((one) => one.config.type === NATIVE_MCP_TYPE)?.config,
  };
}

function routesOf({ config }: Manager, { routeConfigs }: EnvoyConfig) {
  const inline = config.at("route_config");
  if (inline.isThere) return { found: [inline], unseen: treesOf(inline) };
  const name = config.at("rds", "route_config_name");
  const found = routeConfigs.filter((one) => one.at("name").text === name.text);
  const message = "these routes come from elsewhere: ask the Envoy that has them, with --envoy-admin";
  return { found, unseen: found.length > 0 ? found.flatMap(treesOf) : [{ at: name, message }] };
}

/** Routes in another form than a list. */
const treesOf = (routeConfig: Place): readonly Finding[] =>
  routeConfig.at("virtual_hosts").items.flatMap((host) => {
    const at = host.at("matcher");
    return at.isThere ? [{ at, message: "see yourself that each of its routes has Toolgate's filter on" }] : [];
  });

function chainProblems({ filters, toolgates, manager, ways, unseen }: Chain): readonly Finding[] {
  return toolgates.flatMap((filter) => {
    const routes = ways.flatMap(({ asks }) => asks).filter((one) => one.filter === filter);
    const isNowhere = routes.length === 0 && unseen.length === 0;
    const message = "turn it on for a route, with typed_per_filter_config: no route has it, so that nothing is asked";
    const settings: Settings = (name) => filter.config.at(name);
    const around = surroundingsOf(filter, filters, manager);
    return [
      ...(isNowhere ? [{ at: filter.place, message }] : []),
      ...orderFindings(filters, filter),
      ...(routes.length === 0 ? filterFindings(filter, settings, around) : []),
      ...routes.flatMap((one) => routeFindings(one)),
    ];
  });
}

/** Anybody can be anyone then. */
function unverified({ filters, manager }: Chain): readonly Finding[] {
  const tokens = filters.filter(({ config }) => config.type === JWT_AUTHN_TYPE);
  return [
    ...manager.trust
      .filter(({ text }) => text === "ACCEPT_UNTRUSTED")
      .map((at) => ({ at, message: "set it to VERIFY_TRUST_CHAIN: callers could sign certificates of any name" })),
    ...tokens
      .flatMap(({ config }) => config.all("extract_only_without_validation"))
      .map((at) => ({ at, message: "take it out: callers could write tokens with any claim" })),
  ];
}

const filterFindings = ({ config }: HttpFilter, settings: Settings, around: Surroundings): readonly Finding[] =>
  config.type === EXT_PROC ? extProcFindings(settings, around) : extAuthzFindings(settings, around);

/** With what the route has of its own in place of the filter's. */
function routeFindings({ filter, route, around }: Asking): readonly Finding[] {
  const own = filter.config.type === EXT_PROC ? route.at("overrides") : route.at("check_settings");
  const blind = own.at("disable_request_body_buffering");
  const settings: Settings = (name) => (own.at(name).isThere ? own.at(name) : filter.config.at(name));
  return [
    ...(blind.isTrue ? [{ at: blind, message: "set it to false: Toolgate is not shown what is called" }] : []),
    ...filterFindings(filter, settings, around),
  ];
}

/** Each place once for each message: what a filter has wrong is wrong for all its routes. */
const unique = (findings: readonly Finding[]): readonly Finding[] => [
  ...new Map(findings.map((one) => [`${one.at.source} ${one.at.path} ${one.message}`, one])).values(),
];
