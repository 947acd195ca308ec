/** Policies and places to put them, for the tests beside this file. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { readPolicyFile } from "../../src/policies/read.ts";
import type { PolicyFile } from "../../src/policies/source.ts";

/** A server `tools/<name>` at path `/<name>`. */
export const server = (name: string): string => `apiVersion: toolgate.dev/v1alpha1
kind: MCPServer
metadata: { name: ${name}, namespace: tools }
spec: { match: [ { path: /${name} } ] }
`;

/** A policy `tools/<name>` that lets everyone use one tool of a server. */
export const policy = (name: string, tool: string, target = "everything"): string => `apiVersion: toolgate.dev/v1alpha1
kind: MCPAccessPolicy
metadata: { name: ${name}, namespace: tools }
spec:
  targetRefs: [ { kind: MCPServer, name: ${target} } ]
  rules:
    - { name: only, action: Allow, from: [ { anyone: true } ], to: [ { tools: [ ${tool} ] } ] }
`;

/** A server and a policy of many fields. */
export const FULL_SERVER = `apiVersion: toolgate.dev/v1alpha1
kind: MCPServer
metadata: { name: everything, namespace: tools }
spec:
  match:
    - { host: everything.tools.svc.cluster.local, path: /mcp }
    - { route: everything }
`;

export const FULL_POLICY = `apiVersion: toolgate.dev/v1alpha1
kind: MCPAccessPolicy
metadata: { name: readers, namespace: tools }
spec:
  targetRefs: [ { kind: MCPServer, name: everything } ]
  mode: Enforce
  rules:
    - name: readers-may-read
      action: Allow
      from:
        - serviceAccount: { namespace: agents, name: reader }
          jwt: { issuer: https://idp.example, claims: [ { name: team, values: [search] } ] }
        - spiffe: spiffe://cluster.local/ns/agents/sa/reader
      to:
        - tools: [ echo, "get-*" ]
        - resources: [ "demo://resource/static/*" ]
        - prompts: [ simple-prompt ]
`;

/** Documents of one file. */
export const file = (...documents: readonly string[]): string => documents.join("---\n");

/** What a source delivers for these texts. */
export const files = (texts: Readonly<Record<string, string>>): readonly PolicyFile[] =>
  Object.entries(texts).map(([name, text]) => readPolicyFile(name, new TextEncoder().encode(text)));

/** A directory that is gone when the test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "toolgate-policies-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
