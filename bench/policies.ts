/** Policies to measure with, as a small platform has them. */
import type { PolicyDocument, RuleDocument, ServerDocument } from "../src/core/policy/document.ts";
import { policyDocument, serverDocument } from "../test/fixtures/policies.ts";

/** As in the tokens of `src/cli/demo/callers.ts`. */
export const ISSUER = "https://demo.toolgate.dev";

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
    policyDocument(
      `${server}-roles`,
      [
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
      ],
      { targets: [server] },
    ),
    policyDocument(
      `${server}-denials`,
      [
        { name: "no-environment", action: "Deny", from: [{ anyone: true }], to: [{ tools: ["get-env"] }] },
        { name: "no-deletes", action: "Deny", from: [{ anyone: true }], to: [{ tools: ["delete-*"] }] },
        { name: "no-auditor-writes", action: "Deny", from: withRole("auditor"), to: [{ tools: ["writer-*"] }] },
      ],
      { targets: [server] },
    ),
  ]);
}

const serverWithHost = (name: string, host: string | undefined): ServerDocument =>
  serverDocument(
    name,
    [host === undefined ? { path: "/mcp" } : { host, path: "/mcp" }],
    host === PASSING_HOST ? { answers: "pass" } : {},
  );
