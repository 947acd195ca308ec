/** The hosts that tell routes and servers apart: one Envoy and one Toolgate then serve every case, all at a time. */
import { readFileSync } from "node:fs";
import type { RequestCase, ResponseCase } from "../../fixtures/corpus.ts";
import { routeOfMode, wrongModeOf } from "./on-envoy.ts";

/** A route for every path, as somebody has it who does not want to list the paths of the server. */
export const ANY_PATH = "any-path.example";

/** A route on which Envoy keeps nothing of a body: FULL_DUPLEX_STREAMED, both ways. */
export const FULL_DUPLEX = "full-duplex.example";

/** Routes on which Envoy shows bodies alone, of requests and of answers: `envoy-config/two-message.yaml`. */
export const BODIES_ALONE = "bodies-alone.example";

/** A server without a policy, for the case in which the policies of the caller are gone. */
const REVOKED = "revoked.example";
/** A server that has changed the definition of a tool. */
const PINNED = "pinned.example";

/** The authority without which a case is not the one that it is; undefined when any will do. */
export function authorityOf(one: RequestCase | ResponseCase): string | undefined {
  if (one.policy_context.policy === "deny-all") return REVOKED;
  if (one.policy_context.pins !== undefined) return PINNED;
  const mode = one.phase === "request" ? wrongModeOf(one) : undefined;
  return mode === undefined ? one.http.headers.find(([name]) => name === "host")?.[1] : routeOfMode(mode);
}

const SERVERS = `
apiVersion: toolgate.dev/v1alpha1
kind: MCPServer
metadata: { name: revoked, namespace: tools }
spec: { match: [{ host: ${REVOKED}, path: /mcp }] }
---
apiVersion: toolgate.dev/v1alpha1
kind: MCPServer
metadata: { name: pinned, namespace: tools }
spec:
  match: [{ host: ${PINNED}, path: /mcp }]
  pins: [{ tool: echo, sha256: "${"0".repeat(64)}" }]
---
apiVersion: toolgate.dev/v1alpha1
kind: MCPAccessPolicy
metadata: { name: reader-on-pinned, namespace: tools }
spec:
  targetRefs: [{ kind: MCPServer, name: pinned }]
  rules:
    - name: reader-on-pinned
      action: Allow
      from: [{ spiffe: "spiffe://cluster.local/ns/agents/sa/reader" }]
      to: [{ tools: [echo] }]
`;

const fileText = (name: string): string =>
  readFileSync(new URL(`../../fixtures/corpus/policies/${name}.yaml`, import.meta.url), "utf8");

/** What the corpus assumes of policy, and these servers beside it. */
export const POLICIES = [fileText("everything"), fileText("background"), SERVERS].join("\n---\n");
