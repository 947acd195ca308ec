/** How a request is recognised as going to a server. Most specific first: Envoy's route, then host and path, then path. */
import type { Problem } from "../result.ts";
import type { ServerDocument } from "./document.ts";
import type { Destination, Server } from "./policy-set.ts";

export type Routes = {
  readonly byRoute: Map<string, Server>;
  /** `<host> <path>`, the host in lower case. */
  readonly byHost: Map<string, Server>;
  readonly byPath: Map<string, Server>;
};

export const createRoutes = (): Routes => ({ byRoute: new Map(), byHost: new Map(), byPath: new Map() });

/** The first server to claim a match has it; another one that claims the same is a problem. */
export function addRoutes(routes: Routes, document: ServerDocument, server: Server): Problem[] {
  const problems: Problem[] = [];
  for (const [i, match] of document.spec.match.entries()) {
    const [map, key] =
      "route" in match
        ? [routes.byRoute, match.route]
        : match.host === undefined
          ? [routes.byPath, match.path]
          : [routes.byHost, `${match.host.toLowerCase()} ${match.path}`];
    const owner = map.get(key);
    if (owner === undefined) map.set(key, server);
    else
      problems.push({
        path: `spec.match[${i}]`,
        message: `must be unique, but MCPServer ${owner.name} matches the same`,
      });
  }
  return problems;
}

/** The path counts byte for byte: `/mcp/`, `//mcp` and `/mcp?x` are not `/mcp`. */
export function findServer(routes: Routes, { route, host, path }: Destination): Server | undefined {
  const byRoute = route === undefined ? undefined : routes.byRoute.get(route);
  if (byRoute !== undefined) return byRoute;
  const byHost =
    host === undefined || routes.byHost.size === 0 ? undefined : routes.byHost.get(`${hostName(host)} ${path}`);
  return byHost ?? routes.byPath.get(path);
}

/** Without the port, in lower case (RFC 9110, section 4.2.3). */
const hostName = (authority: string): string => authority.replace(/:[0-9]+$/, "").toLowerCase();
