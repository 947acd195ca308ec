/** Policies to measure with: a set as a small platform has it, and sets of any size in two shapes. */
import { API_VERSION } from "../src/core/policy/document.ts";
import type {
  AccessPolicyDocument,
  PolicyDocument,
  RuleDocument,
  ServerDocument,
} from "../src/core/policy/document.ts";

/** As in the tokens of `src/cli/demo/callers.ts`. */
export const ISSUER = "https://demo.toolgate.dev";

export const serverDocument = (
  name: string,
  match: ServerDocument["spec"]["match"],
  options: Omit<ServerDocument["spec"], "match"> = {},
): ServerDocument => ({
  apiVersion: API_VERSION,
  kind: "MCPServer",
  metadata: { name, namespace: "tools" },
  spec: { match, ...options },
});

export const policyDocument = (name: string, server: string, rules: readonly RuleDocument[]): AccessPolicyDocument => ({
  apiVersion: API_VERSION,
  kind: "MCPAccessPolicy",
  metadata: { name, namespace: "tools" },
  spec: { targetRefs: [{ kind: "MCPServer", name: server }], rules },
});

const ROLES = ["writer", "analyst", "operator", "auditor", "admin"] as const;
const withRole = (role: string): RuleDocument["from"] => [
  { jwt: { issuer: ISSUER, claims: [{ name: "role", values: [role] }] } },
];

/** The one server whose answers pass unread. */
export const PASSING_HOST = "search.tools.example";

/** Five servers with ten rules each. The caller `reader` may call `echo` on the one at `/mcp`, by one of the last rules. */
export function platformPolicies(): readonly PolicyDocument[] {
  const servers = ["everything", "search", "tickets", "billing", "files"];
  return servers.flatMap((server, i) => [
    serverWithHost(server, i === 0 ? undefined : `${server}.tools.example`),
    policyDocument(`${server}-roles`, server, [
      ...ROLES.map((role): RuleDocument => ({
        name: `${role}s`,
        action: "Allow",
        from: withRole(role),
        to: [{ tools: [`${role}-*`, "get-sum"], prompts: ["simple-prompt"], resources: [`demo://${role}/*`] }],
      })),
      {
        name: "agents",
        action: "Allow",
        from: [{ serviceAccount: { namespace: "agents", name: server } }],
        to: [{ tools: ["*"] }],
      },
      {
        name: "readers",
        action: "Allow",
        from: withRole("reader"),
        to: [{ tools: ["echo", "get-*"], prompts: ["*"] }],
      },
    ]),
    policyDocument(`${server}-denials`, server, [
      { name: "no-environment", action: "Deny", from: [{ anyone: true }], to: [{ tools: ["get-env"] }] },
      { name: "no-deletes", action: "Deny", from: [{ anyone: true }], to: [{ tools: ["delete-*"] }] },
      { name: "no-auditor-writes", action: "Deny", from: withRole("auditor"), to: [{ tools: ["writer-*"] }] },
    ]),
  ]);
}

const serverWithHost = (name: string, host: string | undefined): ServerDocument =>
  serverDocument(
    name,
    [host === undefined ? { path: "/mcp" } : { host, path: "/mcp" }],
    host === PASSING_HOST ? { answers: "pass" } : {},
  );
