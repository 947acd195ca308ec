/** `docs/conformance.md`. It has nothing in it that another run would find otherwise: no times, no ports, no ids. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import type { Compared, Finding, Tally } from "./compare.ts";
import type { RevisionRun } from "./run.ts";

export async function report(runs: readonly RevisionRun[]): Promise<string> {
  const versions = await readVersions();
  const version = (name: string): string =>
    `\`@modelcontextprotocol/${name}\` ${versions[`@modelcontextprotocol/${name}`]}`;
  return `# Conformance

The MCP project has a suite that tells whether a server keeps to the protocol. Here it is run twice against the same server:
directly, and through Envoy with Toolgate under a policy that allows everyone everything. A check that passes directly has
to pass through Toolgate: whoever may do something must not notice that there is something in between.

${table(
  ["requirements of", "scenarios", "checks passed directly", "through Toolgate"],
  runs.map(({ revision, scenarios }) => [
    revision,
    String(scenarios.length),
    ratio(sum(scenarios.map(({ direct }) => direct))),
    ratio(sum(scenarios.map(({ through }) => through))),
  ]),
)}

- The suite: ${version("conformance")}, \`server --requirements\` for each revision, and its scenarios of the skills extension, which are in neither list.
- The server: \`test/conformance/fixture\`, on ${version("server")} with ${version("node")}, one endpoint for both revisions. The SDK has no tasks; those are the fixture's own.
- In between: \`toolgate serve\`, and an Envoy with \`envoy-config/demo.yaml\`. Callers have no token.

\`npm run conformance\` does all this and writes this file; \`npm test\` fails when a check is lost, or when this file says something else than the run.

## Lost through Toolgate

${list(runs, ({ lost }) => lost)}

## Failing directly too

${list(runs, ({ failing }) => failing)}

${runs.map(section).join("\n\n")}
`;
}

const section = ({ revision, scenarios }: RevisionRun): string => `## ${revision}

Checks passed of those that were made. In italics: run, and not scored by the suite, since it is optional or came later.

${table(
  ["scenario", "directly", "through Toolgate"],
  scenarios.map(({ scenario, direct, through }) => [
    scenario.isScored ? scenario.name : `*${scenario.name}*`,
    ratio(direct),
    ratio(through),
  ]),
)}`;

/** What the suite says of it is left out: there are ids in it. */
function list(runs: readonly RevisionRun[], findings: (compared: Compared) => readonly Finding[]): string {
  const lines = runs.flatMap(({ revision, scenarios }) =>
    scenarios.flatMap((compared) =>
      findings(compared).map(({ check }) => `- ${revision}, \`${compared.scenario.name}\`: \`${check}\``),
    ),
  );
  return lines.length === 0 ? "Nothing." : lines.join("\n");
}

/** The suite skips one scenario altogether. */
const ratio = ({ passed, made }: Tally): string => (made === 0 ? "-" : `${passed}/${made}`);

const sum = (tallies: readonly Tally[]): Tally => ({
  passed: tallies.reduce((total, { passed }) => total + passed, 0),
  made: tallies.reduce((total, { made }) => total + made, 0),
});

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

async function readVersions(): Promise<Readonly<Record<string, string>>> {
  const manifest = JSON.parse(await readFile(join(PACKAGE_ROOT, "package.json"), "utf8")) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  return manifest.devDependencies;
}
