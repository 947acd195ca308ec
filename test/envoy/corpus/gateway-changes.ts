/** What the ring adds to the configuration of the gateway: the marker in the access log, and routes of other kinds. */
import { extProcFilter, firstRoute, manager } from "../gateway.ts";
import type { Node } from "../gateway.ts";
import { readSample } from "../sample-config.ts";
import { ANY_PATH, BODIES_ALONE, FULL_DUPLEX } from "./authorities.ts";
import { routeOfMode, WRONG_MODES } from "./on-envoy.ts";
import { MARKER } from "./recorder.ts";

const DUPLEX_MODES = {
  request_body_mode: "FULL_DUPLEX_STREAMED",
  request_trailer_mode: "SEND",
  response_body_mode: "FULL_DUPLEX_STREAMED",
  response_trailer_mode: "SEND",
};

export function logMarkers(config: Node): void {
  const [log] = manager(config)["access_log"] as readonly [{ typed_config: { log_format: { json_format: Node } } }];
  log.typed_config.log_format.json_format["case"] = `%REQ(${MARKER})%`;
}

export function addRoutes(config: Node): void {
  const { virtual_hosts: hosts } = manager(config)["route_config"] as { virtual_hosts: Node[] };
  const modes = extProcFilter(config)["processing_mode"] as Node;
  const add = (domain: string, change: (route: Node) => void): void => {
    const route = structuredClone(firstRoute(config));
    change(route);
    hosts.push({ name: domain, domains: [domain], routes: [route] });
  };
  const addWithModes = (domain: string, changed: Node): void =>
    add(domain, (route) => {
      const { "toolgate.ext_proc": filter } = route["typed_per_filter_config"] as Record<string, { config: Node }>;
      if (filter === undefined) throw new Error("the route has no filter toolgate.ext_proc");
      filter.config["overrides"] = { processing_mode: { ...modes, ...changed } };
    });
  add(ANY_PATH, (route) => (route["match"] = { prefix: "/" }));
  addWithModes(FULL_DUPLEX, DUPLEX_MODES);
  for (const mode of WRONG_MODES) addWithModes(routeOfMode(mode), { request_body_mode: mode });
}

/** The routes of `two-message.yaml` on a host of their own, its filters, and its attributes beside those that are there. */
export async function bodiesAlone(): Promise<(config: Node) => void> {
  const sample = await readSample("two-message.yaml");
  return (config) => {
    const [own, theirs] = [extProcFilter(config), extProcFilter(sample)];
    own["request_attributes"] = [
      ...new Set([...(own["request_attributes"] as string[]), ...(theirs["request_attributes"] as string[])]),
    ];
    own["response_attributes"] = theirs["response_attributes"];
    const filters = manager(config)["http_filters"] as Node[];
    const more = (manager(sample)["http_filters"] as Node[]).slice(1, -1);
    filters.splice(filters.length - 1, 0, ...more);
    // What the filter of the file has, the first of its routes has here.
    const perRoute = firstRoute(sample)["typed_per_filter_config"] as { "toolgate.ext_proc": { config: Node } };
    perRoute["toolgate.ext_proc"].config["overrides"] = { processing_mode: theirs["processing_mode"] };
    const [host] = (manager(sample)["route_config"] as { virtual_hosts: Node[] }).virtual_hosts;
    const { virtual_hosts: hosts } = manager(config)["route_config"] as { virtual_hosts: Node[] };
    hosts.push({ ...host, name: BODIES_ALONE, domains: [BODIES_ALONE] });
  };
}
