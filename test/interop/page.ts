/** `docs/interop.md`, written from the run itself: it can say nothing that has not been seen. */
import { DIFFERENCES } from "./narrow.ts";
import type { Matrix } from "./outcomes.ts";
import { CLIENTS, SERVERS } from "./peers.ts";
import type { ClientPeer } from "./peers.ts";
import { SCENARIOS } from "./scenario.ts";

const INTRODUCTION = `# Interoperability

The official MCP clients against the official MCP servers, each direct and through a real Envoy with Toolgate. What the
client's API returns, results and errors alike, has to be the same under a policy that allows everything. Under a narrow
policy it differs where the table says so, and nowhere else.

This page is written by the test that runs the matrix (\`test/interop\`), and the test fails when it no longer holds:

\`\`\`
npx vitest run --project envoy test/interop        # the matrix; it needs Python 3.11 with pip for the Python SDKs
npx vitest run --project envoy test/interop -u     # writes this page anew
\`\`\`

The Python SDKs are installed once into the user's cache folder, with the versions of \`test/interop/requirements-*.txt\`. Without
Python the cells that need it are skipped; in CI that is a failure.
`;

const INSPECTOR_NOTE = `The Inspector is run for a few scenarios only, since each is a process of its own. It calls no tool that is not in the list,
so it says itself that a denied tool is not there.
`;

const row = (...cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(...head), row(...head.map(() => "---")), ...rows.map((cells) => row(...cells))].join("\n");
}

const clientTitle = ({ title, mode }: ClientPeer): string => `${title}, ${mode}`;

/** On how many servers a scenario can be played; it is the same through Toolgate on all of them, or the test fails. */
function cell(matrix: Matrix, client: ClientPeer, scenario: string): string {
  const possible = SERVERS.filter((server) => !("unsupported" in (matrix(client, server, "direct")[scenario] ?? {})));
  return possible.length === 0 ? "–" : String(possible.length);
}

/** The text of the page. */
export function interopPage(matrix: Matrix): string {
  const clientRows = CLIENTS.map((client) => [clientTitle(client), client.version]);
  const serverRows = SERVERS.map(({ title, version, eras }) => [title, version, eras.join(", ")]);
  const scenarios = SCENARIOS.map(({ name }) => [
    name,
    ...CLIENTS.map((client) => cell(matrix, client, name)),
    DIFFERENCES[name]?.words ?? "",
  ]);
  const sections = [
    INTRODUCTION,
    "## Who\n",
    table(["client", "version"], clientRows),
    "",
    table(["server", "version", "eras"], serverRows),
    "",
    "`legacy` clients begin with `initialize` (2025-11-25); `auto` clients ask for 2026-07-28 first, and get it from the servers\nthat have it. The Inspector is its command line (`--cli`).\n",
    "## What\n",
    "On how many of the four servers a scenario is played, with the same outcome through Toolgate: `–` where neither the\nclient nor its era has such a thing.\n",
    table(["scenario", ...CLIENTS.map(clientTitle), "under the narrow policy"], scenarios),
    "",
    INSPECTOR_NOTE,
  ];
  return `${sections.join("\n")}\n`;
}
