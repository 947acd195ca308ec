/** Two servers, told apart by host. Every tool that is called has an exact name somewhere here, and so is a label. */
import { ISSUER } from "../envoy/tokens.ts";
import { TOOLS } from "./tools.ts";

export const HOSTS = { "tools/alpha": "alpha.example", "tools/beta": "beta.example" } as const;
export type ServerName = keyof typeof HOSTS;
export const SERVERS = Object.keys(HOSTS) as readonly ServerName[];

const server = (name: ServerName, more = ""): string => `
apiVersion: toolgate.dev/v1alpha1
kind: MCPServer
metadata: { name: ${name.split("/")[1]}, namespace: tools }
spec: { match: [{ host: ${HOSTS[name]}, path: /mcp }]${more} }
`;

type Rule = { readonly name: string; readonly action: "Allow" | "Deny"; readonly from: string; readonly to: string };

const policy = (name: string, mode: "Enforce" | "Audit", ...rules: readonly Rule[]): string => `
apiVersion: toolgate.dev/v1alpha1
kind: MCPAccessPolicy
metadata: { name: ${name}, namespace: tools }
spec:
  targetRefs: [{ kind: MCPServer, name: alpha }, { kind: MCPServer, name: beta }]
  mode: ${mode}
  rules:
${rules.map((rule) => `    - { name: ${rule.name}, action: ${rule.action}, from: ${rule.from}, to: ${rule.to} }`).join("\n")}
`;

const role = (name: string): string =>
  `[{ jwt: { issuer: "${ISSUER}", claims: [{ name: role, values: [${name}] }] } }]`;
/** What a server may ask of the client of a caller. */
const MAY_ASK = "{ methods: [elicitation/create] }";
const ANYONE = "[{ anyone: true }]";

export const POLICIES = [
  server("tools/alpha"),
  server("tools/beta", ", batches: judge"),
  policy("readers", "Enforce", {
    name: "readers-may",
    action: "Allow",
    from: role("reader"),
    to: `[{ tools: [${TOOLS.join(", ")}] }, { resources: ["demo://*"] }, { prompts: [greeting] }, ${MAY_ASK}]`,
  }),
  policy("admins", "Enforce", {
    name: "admins-may",
    action: "Allow",
    from: role("admin"),
    to: `[{ tools: ["*"] }, { resources: ["*"] }, { prompts: ["*"] }, ${MAY_ASK}]`,
  }),
  policy("limits", "Enforce", {
    name: "nobody-may",
    action: "Deny",
    from: ANYONE,
    to: "[{ tools: [forbidden] }, { prompts: [secret] }]",
  }),
  policy("trial", "Audit", { name: "on-trial", action: "Deny", from: ANYONE, to: "[{ tools: [watched] }]" }),
].join("---");
