/** `envoy-config/ext-authz.yaml` for a gateway of these tests: its filter and its route, in the configuration of the demo. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import { firstRoute, manager } from "./gateway.ts";
import type { Node } from "./gateway.ts";

/** `change` gets the filter's own configuration. */
export async function extAuthz(change: (filter: Node) => void = () => {}): Promise<(config: Node) => void> {
  const text = await readFile(join(PACKAGE_ROOT, "envoy-config", "ext-authz.yaml"), "utf8");
  return (config) => {
    const file = parse(text) as Node;
    const filter = (manager(file)["http_filters"] as readonly (Node & { typed_config: Node })[])[0];
    if (filter === undefined) throw new Error("ext-authz.yaml has no filter");
    // A busy machine must not turn a slow answer into a failed one.
    Object.assign(filter.typed_config["grpc_service"] as Node, { timeout: "20s" });
    change(filter.typed_config);
    const filters = manager(config)["http_filters"] as Node[];
    filters.splice(
      filters.findIndex(({ name }) => name === "toolgate.ext_proc"),
      1,
      filter,
    );
    firstRoute(config)["typed_per_filter_config"] = firstRoute(file)["typed_per_filter_config"];
    const { access_log, local_reply_config } = manager(file);
    Object.assign(manager(config), { access_log, local_reply_config });
  };
}
