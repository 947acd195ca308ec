/** `envoy-config/ext-authz.yaml` for a gateway of these tests. */
import type { Node } from "./gateway.ts";
import { sampleConfig } from "./sample-config.ts";

/** `change` gets the filter's own configuration. */
export const extAuthz = (change: (filter: Node) => void = () => {}): Promise<(config: Node) => void> =>
  sampleConfig("ext-authz.yaml", "toolgate.ext_authz", (filter) => {
    // A busy machine must not turn a slow answer into a failed one.
    Object.assign(filter["grpc_service"] as Node, { timeout: "20s" });
    change(filter);
  });
