/** Where requests can go, and whether Toolgate is asked on the way: a route to the same server without it is a way around. */
import { isToolgate } from "./http-filters.ts";
import type { HttpFilter } from "./http-filters.ts";
import { Place } from "./place.ts";
import type { Finding } from "./place.ts";

/** One destination of a route. */
export type Destination = {
  readonly place: Place;
  /** Undefined: a header or a plug-in chooses it. */
  readonly cluster: string | undefined;
  /** What is said of single filters, from the most specific on. */
  readonly perFilter: readonly Place[];
  /** It gets a copy of each request. */
  readonly isMirror: boolean;
};

export function destinationsOf(routeConfig: Place): readonly Destination[] {
  return routeConfig.at("virtual_hosts").items.flatMap((host) =>
    host.at("routes").items.flatMap((route) => {
      const action = route.at("route");
      if (!action.isThere) return []; // An answer of Envoy's own.
      const outer = [ownOf(route), ownOf(host), ownOf(routeConfig)];
      const to = (place: Place, cluster: Place, perFilter = outer, isMirror = false): Destination => ({
        place,
        cluster: cluster.text,
        perFilter,
        isMirror,
      });
      const weighted = action.at("weighted_clusters", "clusters").items;
      const targets =
        weighted.length === 0
          ? [to(route, action.at("cluster"))]
          : weighted.map((one) => to(one, one.at("name"), [ownOf(one), ...outer]));
      // The most specific that says something counts.
      const mirrors = [action, host, routeConfig]
        .map((place) => place.at("request_mirror_policies"))
        .find(({ isThere }) => isThere);
      return [...targets, ...(mirrors?.items ?? []).map((one) => to(one, one.at("cluster"), outer, true))];
    }),
  );
}

const ownOf = (place: Place): Place => place.at("typed_per_filter_config");

/** What a route says of a filter. */
export type RouteFilter = {
  readonly isOn: boolean;
  /** `ExtProcPerRoute` or `ExtAuthzPerRoute`, or nothing. */
  readonly config: Place;
};

export function filterOn({ perFilter }: Destination, filter: HttpFilter, cluster: string): RouteFilter {
  const said = perFilter.map((place) => place.of(filter.name)).find((place) => place.isThere);
  if (said === undefined) return { isOn: !filter.isOff, config: new Place(filter.place.source, "", undefined) };
  const isWrapped = said.type === "route.v3.FilterConfig";
  const config = isWrapped ? said.at("config") : said;
  const service = config.at("overrides", "grpc_service");
  const isOff = (isWrapped && said.at("disabled").isTrue) || config.at("disabled").isTrue;
  return { isOn: !isOff && (!service.isThere || isToolgate(service, cluster)), config };
}

/** The ways to what is guarded elsewhere, among destinations where no filter asks. */
export function waysAround(open: readonly Destination[], guarded: ReadonlySet<string>): readonly Finding[] {
  return open.flatMap(({ place, cluster }) => {
    if (cluster === undefined)
      return [{ at: place, message: "turn Toolgate's filter on: it chooses its cluster by itself, which can be any" }];
    return guarded.has(cluster) ? [{ at: place, message: wayTo(cluster) }] : [];
  });
}

/** The same for connections that are passed on as they are. */
export function tcpWaysAround(proxy: Place, guarded: ReadonlySet<string>): readonly Finding[] {
  const weighted = proxy.at("weighted_clusters", "clusters").items.map((one) => one.at("name"));
  return [proxy.at("cluster"), ...weighted].flatMap((at) =>
    at.text !== undefined && guarded.has(at.text) ? [{ at, message: wayTo(at.text) }] : [],
  );
}

const wayTo = (cluster: string): string =>
  `turn Toolgate's filter on here, or take this away: it leads to ${cluster} without asking, which other routes ask about`;
