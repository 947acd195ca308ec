/** Both runs of the suite: against the fixture, and against another one behind Envoy and Toolgate that allow everything. */
import { startStack } from "../envoy/stack.ts";
import { compare } from "./compare.ts";
import type { Compared } from "./compare.ts";
import { startFixture } from "./fixture/start.ts";
import { REVISIONS, UNLISTED, readRequirements } from "./requirements.ts";
import type { Revision } from "./requirements.ts";
import { runSuite } from "./suite.ts";
import type { Findings } from "./suite.ts";

export type RevisionRun = { readonly revision: Revision; readonly scenarios: readonly Compared[] };

const ALLOW_ALL = `
apiVersion: toolgate.dev/v1alpha1
kind: MCPServer
metadata: { name: fixture, namespace: conformance }
spec: { match: [{ path: /mcp }] }
---
apiVersion: toolgate.dev/v1alpha1
kind: MCPAccessPolicy
metadata: { name: all, namespace: conformance }
spec:
  targetRefs: [{ kind: MCPServer, name: fixture }]
  mode: Enforce
  rules:
    - name: everyone-may-do-everything
      action: Allow
      from: [{ anyone: true }]
      to: [{ tools: ["*"], prompts: ["*"], resources: ["*"], methods: ["*"] }]
`;

export async function runConformance(): Promise<readonly RevisionRun[]> {
  await using fixture = await startFixture();
  await using hidden = await startFixture();
  await using stack = await startStack({ policies: ALLOW_ALL, upstreamPort: hidden.port });
  const urls = [new URL(`http://127.0.0.1:${fixture.port}/mcp`), stack.gateway.url] as const;
  const runs: RevisionRun[] = [];
  // One revision at a time: for some answers the suite waits half a second, which is little while others of it start.
  for (const revision of REVISIONS) {
    const [direct, through] = await Promise.all([runRevision(urls[0], revision), runRevision(urls[1], revision)]);
    runs.push({ revision, scenarios: compare(await readRequirements(revision), { direct, through }) });
  }
  return runs;
}

async function runRevision(url: URL, revision: Revision): Promise<Findings> {
  const findings = [...(await runSuite(url, ["--requirements", revision]))];
  for (const scenario of UNLISTED[revision]) {
    findings.push(...(await runSuite(url, ["--scenario", scenario, "--spec-version", revision, "--force"])));
  }
  return new Map(findings);
}
