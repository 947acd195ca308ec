/**
 * The conformance suite of the MCP project, with Toolgate in between and without. `npm run conformance` is this test with
 * `--update`, which writes `docs/conformance.md`.
 */
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import { describeWithEnvoy } from "../envoy/real-envoy.ts";
import type { Compared, Finding } from "./compare.ts";
import { report } from "./report.ts";
import { runConformance } from "./run.ts";
import type { RevisionRun } from "./run.ts";

const told = (runs: readonly RevisionRun[], findings: (compared: Compared) => readonly Finding[]): readonly string[] =>
  runs.flatMap(({ revision, scenarios }) =>
    scenarios.flatMap((compared) =>
      findings(compared).map(({ check, because }) => `${revision} ${compared.scenario.name}, ${check}: ${because}`),
    ),
  );

describeWithEnvoy("the conformance suite", () => {
  let runs: readonly RevisionRun[];
  beforeAll(async () => {
    runs = await runConformance();
  });

  // Otherwise there would be little to lose.
  test("passes directly", () => {
    expect(told(runs, ({ failing }) => failing)).toEqual([]);
  });

  test("passes through Toolgate what it passes directly", () => {
    expect(told(runs, ({ lost }) => lost)).toEqual([]);
  });

  test("finds what docs/conformance.md says", async () => {
    await expect(await report(runs)).toMatchFileSnapshot(join(PACKAGE_ROOT, "docs", "conformance.md"));
  });
});
