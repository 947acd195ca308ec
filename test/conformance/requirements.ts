/** What the suite wants of a server, revision by revision: the lists that come with it. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

export const REVISIONS = ["2025-11-25", "2026-07-28"] as const;
export type Revision = (typeof REVISIONS)[number];

/** `isScored`: not so what is optional, came after the revision, or is new to the suite. */
export type Scenario = { readonly name: string; readonly isScored: boolean };

type Requirements = {
  readonly server: readonly string[];
  readonly not_scored: readonly { readonly scenario: string; readonly leg: "client" | "server" }[];
};

export async function readRequirements(revision: Revision): Promise<readonly Scenario[]> {
  const file = import.meta.resolve(`@modelcontextprotocol/conformance/requirements/${revision}.yaml`);
  const { server, not_scored } = parse(await readFile(fileURLToPath(file), "utf8")) as Requirements;
  const others = not_scored.filter(({ leg }) => leg === "server").map(({ scenario }) => scenario);
  return [
    ...server.map((name) => ({ name, isScored: true })),
    ...[...others, ...UNLISTED[revision]].map((name) => ({ name, isScored: false })),
  ];
}

/** Extensions that the suite knows, but has in none of its lists. */
export const UNLISTED: Readonly<Record<Revision, readonly string[]>> = {
  "2025-11-25": [],
  "2026-07-28": ["sep-2640-skills-enumeration", "sep-2640-skills-manifest", "sep-2640-skills-directory"],
};
