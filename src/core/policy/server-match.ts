/** How a request is recognised as going to a server. Most specific first: Envoy's route, then host and path, then path. */
import { foldCase } from "../fold-case.ts";
import type { ServerDocument, ServerMatch } from "./document.ts";
import type { Destination, Server } from "./policy-set.ts";

export type Routes = {
  readonly byRoute: Map<string, Server>;
  /** `<host> <path>`, the host in lower case. */
  readonly byHost: Map<string, Server>;
  readonly byPath: Map<string, Server>;
  /** The paths of all of them, as the laxest reader has them. */
  readonly loosePaths: Set<string>;
};

export const createRoutes = (): Routes => ({
  byRoute: new Map(),
  byHost: new Map(),
  byPath: new Map(),
  loosePaths: new Set(),
});

/** A match that another server has claimed already. */
export type Conflict = { readonly path: string; readonly owner: Server };

export function addRoutes(routes: Routes, document: ServerDocument, server: Server): Conflict[] {
  const conflicts: Conflict[] = [];
  for (const [i, match] of document.spec.match.entries()) {
    const [map, key] = claim(routes, match);
    if ("path" in match) routes.loosePaths.add(loosePath(match.path));
    const owner = map.get(key);
    if (owner === undefined) map.set(key, server);
    else conflicts.push({ path: `spec.match[${i}]`, owner });
  }
  return conflicts;
}

function claim(routes: Routes, match: ServerMatch): readonly [Map<string, Server>, string] {
  if ("route" in match) return [routes.byRoute, match.route];
  if (match.host === undefined) return [routes.byPath, match.path];
  return [routes.byHost, `${hostName(match.host)} ${match.path}`];
}

/** The path counts byte for byte: `/mcp/`, `//mcp` and `/mcp?x` are not `/mcp`. */
export function findServer(routes: Routes, { route, host, path }: Destination): Server | undefined {
  const byRoute = route === undefined ? undefined : routes.byRoute.get(route);
  if (byRoute !== undefined) return byRoute;
  const byHost =
    host === undefined || routes.byHost.size === 0 ? undefined : routes.byHost.get(`${hostName(host)} ${path}`);
  return byHost ?? routes.byPath.get(path);
}

/**
 * Whether a request that matches no server may still reach one: by a path that some server or proxy takes for the same,
 * or because Envoy did not tell the route that servers are matched by. Such a request is never let through unseen.
 */
export function mayBeServer(routes: Routes, { route, path }: Destination): boolean {
  return (route === undefined && routes.byRoute.size > 0) || routes.loosePaths.has(loosePath(path));
}

/** As the laxest reader has it: no query, decoded, dots resolved, slashes merged, no trailing one, case ignored. */
function loosePath(path: string): string {
  const bare = path.split(/[?#;]/, 1)[0] ?? "";
  const plain = bare.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const kept: string[] = [];
  for (const segment of plain.replaceAll("\\", "/").split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return foldCase(kept.join("/"));
}

/** Without the port, in lower case (RFC 9110, section 4.2.3), and without the dot of the root: `mcp.example.` is that host. */
const hostName = (authority: string): string =>
  authority
    .replace(/:[0-9]+$/, "")
    .replace(/\.$/, "")
    .toLowerCase();
