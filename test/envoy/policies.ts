/** Policies for the canary: `reader` may use what begins with `allowed`, `admin` everything, nobody else anything. */
import { ISSUER } from "./tokens.ts";

export const CANARY_SERVER = `
apiVersion: toolgate.dev/v1alpha1
kind: MCPServer
metadata: { name: canary, namespace: tools }
spec: { match: [{ path: /mcp }] }
`;

const role = (name: string): string =>
  `[{ jwt: { issuer: "${ISSUER}", claims: [{ name: role, values: [${name}] }] } }]`;

/** A policy with one rule for one role; `to` as YAML. */
export const policyFor = (name: string, to: string, { mode = "Enforce", action = "Allow" } = {}): string => `
apiVersion: toolgate.dev/v1alpha1
kind: MCPAccessPolicy
metadata: { name: for-${name}, namespace: tools }
spec:
  targetRefs: [{ kind: MCPServer, name: canary }]
  mode: ${mode}
  rules:
    - { name: ${name}-rule, action: ${action}, from: ${role(name)}, to: ${to} }
`;

export const CANARY_POLICIES = [
  CANARY_SERVER,
  policyFor("reader", '[{ tools: ["allowed*"] }]'),
  policyFor("admin", '[{ tools: ["*"], prompts: ["*"], resources: ["*"] }]'),
].join("---");
