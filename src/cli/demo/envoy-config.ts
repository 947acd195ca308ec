/**
 * `envoy-config/demo.yaml` with the values of this run put in: ports, the key for the tokens, the MCP server. They are
 * set in the parsed document, so that the file is a configuration that Envoy takes as it stands, and not a template.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import type { Document } from "yaml";
import { PACKAGE_ROOT } from "./options.ts";
import type { DemoOptions } from "./options.ts";

type Endpoint = { readonly host: string; readonly port: number };
type Path = readonly (string | number)[];

const LISTENER: Path = ["static_resources", "listeners", 0];
const MANAGER: Path = [...LISTENER, "filter_chains", 0, "filters", 0, "typed_config"];
const ROUTE: Path = [...MANAGER, "route_config", "virtual_hosts", 0, "routes", 0, "route"];
const JWT_PROVIDER: Path = [...MANAGER, "http_filters", 0, "typed_config", "providers", "demo"];
const TOOLGATE: Path = ["static_resources", "clusters", 0];
const MCP_SERVER: Path = ["static_resources", "clusters", 1];
const ENDPOINT: Path = ["load_assignment", "endpoints", 0, "lb_endpoints", 0, "endpoint"];
const SOCKET: Path = ["address", "socket_address"];

const loopback = (port: number): Endpoint => ({ host: "127.0.0.1", port });

/** The configuration as JSON, which is what `envoy --config-yaml` also takes. */
export async function demoEnvoyConfig(options: DemoOptions, keySet: string): Promise<string> {
  const config = parseDocument(await readFile(join(PACKAGE_ROOT, "envoy-config", "demo.yaml"), "utf8"));

  setSocket(config, ["admin", ...SOCKET], loopback(options.envoyAdminPort));
  setSocket(config, [...LISTENER, ...SOCKET], loopback(options.port));
  setSocket(config, [...TOOLGATE, ...ENDPOINT, ...SOCKET], options.listen);
  set(config, [...JWT_PROVIDER, "local_jwks", "inline_string"], keySet);
  if (options.upstream === undefined) {
    setSocket(config, [...MCP_SERVER, ...ENDPOINT, ...SOCKET], loopback(options.serverPort));
  } else {
    setUpstream(config, options.upstream);
  }
  return JSON.stringify(config.toJS());
}

/** The user's own server: by name, under its own path and host. */
function setUpstream(config: Document, upstream: URL): void {
  const host = upstream.hostname.replace(/^\[|\]$/g, ""); // [::1] is written so in a URL only
  setSocket(config, [...MCP_SERVER, ...ENDPOINT, ...SOCKET], { host, port: Number(upstream.port || 80) });
  set(config, [...MCP_SERVER, "type"], "STRICT_DNS");
  config.setIn([...MCP_SERVER, "dns_lookup_family"], "ALL");
  // Servers that guard against DNS rebinding answer to their own name only.
  config.setIn([...ROUTE, "host_rewrite_literal"], upstream.host);
  config.setIn([...ROUTE, "prefix_rewrite"], upstream.pathname);
}

function setSocket(config: Document, path: Path, { host, port }: Endpoint): void {
  set(config, [...path, "address"], host);
  set(config, [...path, "port_value"], port);
}

/** INVARIANT: demo.yaml has what is replaced; otherwise a run would silently use the values of the file. */
function set(config: Document, path: Path, value: string | number): void {
  if (!config.hasIn(path)) throw new Error(`envoy-config/demo.yaml has no ${path.join(".")}`);
  config.setIn(path, value);
}
