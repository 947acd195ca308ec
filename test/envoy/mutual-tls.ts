/** `envoy-config/mtls.yaml` for a gateway of these tests, with a CA that a test has made. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import type { Certificate } from "./certificates.ts";
import { filterChain, manager } from "./gateway.ts";
import type { Node } from "./gateway.ts";

/** What mtls.yaml marks as TLS, put into the configuration of the demo, which has the JWTs; with our own certificates. */
export async function mutualTls(server: Certificate, ca: string): Promise<(config: Node) => void> {
  const file = parse(await readFile(join(PACKAGE_ROOT, "envoy-config", "mtls.yaml"), "utf8")) as Node;
  const { transport_socket: socket } = filterChain(file) as { transport_socket: { typed_config: Node } };
  const context = socket.typed_config["common_tls_context"] as Node;
  context["tls_certificates"] = [
    { certificate_chain: { inline_string: server.cert }, private_key: { inline_string: server.key } },
  ];
  (context["validation_context"] as Node)["trusted_ca"] = { inline_string: ca };
  const { forward_client_cert_details, set_current_client_cert_details } = manager(file);
  return (config) => {
    filterChain(config)["transport_socket"] = socket;
    Object.assign(manager(config), { forward_client_cert_details, set_current_client_cert_details });
  };
}
