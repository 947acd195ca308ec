/**
 * core/policy/decide.ts: it must cost the same whatever the number of rules. `spread`: each rule has a tool of its own.
 * `one tool`: all rules are about the same tool, each for another caller, and the last one is asked for.
 */
import type { Identity } from "../src/core/identity/identity.ts";
import type { Call } from "../src/core/mcp/call.ts";
import { decide } from "../src/core/policy/decide.ts";
import type { FromEntry, RuleDocument } from "../src/core/policy/document.ts";
import type { Server } from "../src/core/policy/policy-set.ts";
import { identity } from "../test/fixtures/identities.ts";
import { compiled, policyDocument, policySetWith } from "../test/fixtures/policies.ts";
import { toolCall } from "../test/fixtures/subjects.ts";
import { toolName } from "./documents.ts";
import type { Micro } from "./micro.ts";
import { ISSUER, platformPolicies } from "./policies.ts";

const workload = (name: string): string => `spiffe://cluster.local/ns/agents/sa/${name}`;
const spiffe = (name: string): Identity => identity(workload(name));
const user = (subject: string, role: string): Identity => identity(undefined, { iss: ISSUER, sub: subject, role });

function serverWith(count: number, rule: (i: number) => { readonly from: FromEntry; readonly tool: string }): Server {
  const rules = Array.from({ length: count }, (_, i): RuleDocument => {
    const { from, tool } = rule(i);
    return { name: `rule-${i}`, action: "Allow", from: [from], to: [{ tools: [tool] }] };
  });
  return onlyServer(policySetWith(policyDocument("all", rules)).servers);
}

function onlyServer(servers: readonly Server[]): Server {
  const [server] = servers;
  if (server === undefined) throw new Error("the policies must have a server");
  return server;
}

function bench(name: string, server: Server, caller: Identity, call: Call): Micro {
  if (decide(server, caller, call).verdict !== "allow") throw new Error(`${name}: must be allowed`);
  return { name: `decide, ${name}`, run: () => decide(server, caller, call) };
}

const COUNTS = [1, 100, 10_000];
const last = (count: number): number => count - 1;
const jwt = (i: number): FromEntry => ({
  jwt: { issuer: ISSUER, subject: `user-${i}`, claims: [{ name: "role", values: ["reader"] }] },
});
const anyRole = (i: number): FromEntry => ({
  jwt: { issuer: ISSUER, claims: [{ name: "role", values: [`role-${i}`] }] },
});

export const decideBenches: readonly Micro[] = [
  ...COUNTS.flatMap((n) => [
    bench(
      `${n} rules, spread`,
      serverWith(n, (i) => ({ from: { spiffe: workload("reader") }, tool: toolName(i) })),
      spiffe("reader"),
      toolCall(toolName(last(n))),
    ),
    bench(
      `${n} rules on one tool, by workload`,
      serverWith(n, (i) => ({ from: { spiffe: workload(`agent-${i}`) }, tool: "echo" })),
      spiffe(`agent-${last(n)}`),
      toolCall("echo"),
    ),
    bench(
      `${n} rules on one tool, by user and claim`,
      serverWith(n, (i) => ({ from: jwt(i), tool: "echo" })),
      user(`user-${last(n)}`, "reader"),
      toolCall("echo"),
    ),
  ]),
  bench(
    "10000 rules on one tool, by claim alone",
    serverWith(10_000, (i) => ({ from: anyRole(i), tool: "echo" })),
    user("alice", `role-${last(10_000)}`),
    toolCall("echo"),
  ),
  bench(
    "the 50 rules of the end-to-end run",
    onlyServer(compiled(platformPolicies()).policies.servers.filter(({ name }) => name === "tools/everything")),
    user("reader", "reader"),
    toolCall("echo"),
  ),
];
