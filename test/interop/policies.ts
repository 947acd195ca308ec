/** The two policies of the matrix: `open` lets everybody do everything, `narrow` keeps a few things from everybody. */
import type { ServerPeer } from "./peers.ts";

export const POLICIES = ["open", "narrow"] as const;
export type PolicyName = (typeof POLICIES)[number];

const EVERYTHING = `
  - name: anything
    action: Allow
    from: [{ anyone: true }]
    to: [{ tools: ["*"], prompts: ["*"], resources: ["*"], methods: ["*"] }]
`;

/** Kept away: four tools, a prompt, a resource, a template and a method. */
const MOST = `
  - name: most
    action: Allow
    from: [{ anyone: true }]
    to:
      - tools: [text, structured, image, echo, "größe-*", region, progress, log, elicit]
      - tools: [wait, fate, touch, interrupted, task]
      - prompts: [greeting]
      - resources: ["note:///text", "note:///watched", "note:///shelf/*"]
      - methods: ["*"]
  - name: no-levels
    action: Deny
    from: [{ anyone: true }]
    to: [{ methods: [logging/setLevel] }]
`;

const RULES: Readonly<Record<PolicyName, string>> = { open: EVERYTHING, narrow: MOST };

/** As `MCPServer` documents name it. */
export const serverName = (policy: PolicyName, server: ServerPeer): string => `interop/${policy}-${server.id}`;

export function policiesFor(servers: readonly ServerPeer[]): string {
  const documents = servers.flatMap(({ id }) =>
    POLICIES.map(
      (policy) => `
apiVersion: toolgate.dev/v1alpha1
kind: MCPServer
metadata: { name: ${policy}-${id}, namespace: interop }
spec: { match: [{ path: /${policy}/${id} }] }
---
apiVersion: toolgate.dev/v1alpha1
kind: MCPAccessPolicy
metadata: { name: ${policy}-${id}, namespace: interop }
spec:
  targetRefs: [{ kind: MCPServer, name: ${policy}-${id} }]
  rules:${RULES[policy]}`,
    ),
  );
  return documents.join("---");
}
