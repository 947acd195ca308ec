/** How a request is recognised as going to a server. Most specific first: Envoy's route, then host and path, then path. */
import { foldCase } from "../fold-case.ts";
import type { ServerMatch } from "./document.ts";
import type { Destination, Endpoint, Server } from "./policy-set.ts";

export type Routes = {
  readonly byRoute: Map<string, Endpoint>;
  /** `<host> <path>`, the host in lower case. Paths that need a query, which names the session, end in `?`. */
  readonly byHost: Map<string, Endpoint>;
  readonly byPath: Map<string, Endpoint>;
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

export function addRoutes(routes: Routes, matches: readonly ServerMatch[], server: Server): Conflict[] {
  const conflicts: Conflict[] = [];
  for (const [i, match] of matches.entries()) {
    for (const [map, key, endpoint] of claims(routes, match, server)) {
      const owner = map.get(key)?.server;
      if (owner === undefined) map.set(key, endpoint);
      else conflicts.push({ path: `spec.match[${i}]`, owner });
    }
  }
  return conflicts;
}

type Claim = readonly [map: Map<string, Endpoint>, key: string, endpoint: Endpoint];

function claims(routes: Routes, match: ServerMatch, server: Server): Claim[] {
  if ("route" in match) return [[routes.byRoute, match.route, { server, transport: "http", messagesPath: undefined }]];
  const { host, path, messages } = match;
  const claim = (at: string, transport: Endpoint["transport"]): Claim => {
    for (const loose of loosePaths(at)) routes.loosePaths.add(loose);
    const endpoint = { server, transport, messagesPath: transport === "sse-stream" ? messages : undefined };
    return host === undefined ? [routes.byPath, at, endpoint] : [routes.byHost, `${hostName(host)} ${at}`, endpoint];
  };
  return messages === undefined
    ? [claim(path, "http")]
    : [claim(path, "sse-stream"), claim(`${messages}?`, "sse-messages")];
}

/** The path counts byte for byte: `/mcp/`, `//mcp` and `/mcp?x` are not `/mcp`. */
export function findEndpoint(routes: Routes, { route, host, path }: Destination): Endpoint | undefined {
  const byRoute = route === undefined ? undefined : routes.byRoute.get(route);
  if (byRoute !== undefined) return byRoute;
  const find = (at: string): Endpoint | undefined =>
    (host === undefined || routes.byHost.size === 0 ? undefined : routes.byHost.get(`${hostName(host)} ${at}`)) ??
    routes.byPath.get(at);
  const exact = find(path);
  if (exact !== undefined) return exact.transport === "sse-messages" ? undefined : exact;
  const session = SESSION_QUERY.exec(path)?.index;
  return session === undefined ? undefined : find(path.slice(0, session + 1));
}

/** How the SDKs name the session in the path of a message: TypeScript, Java and Go the first, Python the second. */
const SESSION_QUERY = /\?(?:sessionId|sessionid|session_id)=[A-Za-z0-9._~-]{1,256}$/;

/**
 * Whether a request that matches no server may still reach one: by a path that some server or proxy takes for the same,
 * or because Envoy did not tell the route that servers are matched by. Such a request is never let through unseen. Servers
 * of the Java SDK take any path that ends as theirs does.
 */
export function mayBeServer(routes: Routes, { route, path }: Destination): boolean {
  if (route === undefined && routes.byRoute.size > 0) return true;
  return loosePaths(path).some((loose) => {
    const segments = loose.split("/");
    return segments.some((_, i) => routes.loosePaths.has(segments.slice(i).join("/")));
  });
}

/**
 * As the laxest readers have it: no query, decoded, dots resolved, slashes merged, no trailing one, case ignored. What begins
 * with ";" ends the path for some; servlets take it for parameters of one segment.
 */
function loosePaths(path: string): readonly [string, string] {
  const [bare = ""] = path.split(/[?#]/, 1);
  return [loosePath(bare.replace(/;.*/s, "")), loosePath(bare.replaceAll(/;[^/]*/g, ""))];
}

function loosePath(bare: string): string {
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
