/** A file of `envoy-config/` for a gateway of these tests: its filters and its routes, in the configuration of the demo. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import { manager } from "./gateway.ts";
import type { Node } from "./gateway.ts";

type Filter = Node & { readonly name: string; readonly typed_config: Node };

const filtersOf = (config: Node): Filter[] => manager(config)["http_filters"] as Filter[];

/** A file of `envoy-config/`. */
export const readSample = async (file: string): Promise<Node> =>
  parse(await readFile(join(PACKAGE_ROOT, "envoy-config", file), "utf8")) as Node;

/** `name`: Toolgate's filter in it; `change` gets that filter's own configuration. */
export async function sampleConfig(
  file: string,
  name: string,
  change: (filter: Node) => void = () => {},
): Promise<(config: Node) => void> {
  const sample = await readSample(file);
  return (config) => {
    const filters = filtersOf(sample).filter((filter) => filter.name !== "envoy.filters.http.router");
    const own = filters.find((filter) => filter.name === name);
    if (own === undefined) throw new Error(`${file} has no filter ${name}`);
    change(own.typed_config);
    const before = filtersOf(config);
    before.splice(
      before.findIndex((filter) => filter.name === "toolgate.ext_proc"),
      1,
      ...filters,
    );
    const { access_log, local_reply_config, route_config } = manager(sample);
    Object.assign(manager(config), { access_log, local_reply_config, route_config });
  };
}

/** One in which Toolgate is asked by ext_proc. A busy machine must not turn a slow answer into a failed one. */
export const extProcSample = (
  file: string,
  change: (filter: Node) => void = () => {},
): Promise<(config: Node) => void> =>
  sampleConfig(file, "toolgate.ext_proc", (filter) => {
    filter["message_timeout"] = "20s";
    change(filter);
  });
