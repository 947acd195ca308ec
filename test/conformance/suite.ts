/** The conformance suite as its own program, and what it found. */
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Program } from "../envoy/program.ts";

export type Check = {
  /** Of a requirement. Several checks of a scenario may have the same. */
  readonly id: string;
  readonly name: string;
  readonly status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";
  readonly errorMessage?: string;
};

/** The checks of each scenario, in their order. */
export type Findings = ReadonlyMap<string, readonly Check[]>;

const SUITE = fileURLToPath(import.meta.resolve("@modelcontextprotocol/conformance/dist/index.js"));
/** `server-tools-list-2026-11-24T23-38-15-396Z`. */
const RESULT_FOLDER = /^server-(?<scenario>.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/;

/** `selection`: the suite's options that say which scenarios. */
export async function runSuite(url: URL, selection: readonly string[]): Promise<Findings> {
  const folder = await mkdtemp(join(tmpdir(), "toolgate-conformance-"));
  try {
    const args = [SUITE, "server", "--url", url.href, ...selection, "--output-dir", folder];
    await using suite = new Program({ name: "the conformance suite", command: process.execPath, args });
    // It ends with an error when a check fails, which is not for here to judge.
    await suite.exitCode();
    const findings = await readFindings(folder);
    if (findings.size === 0) throw new Error(`the conformance suite found nothing:\n${suite.stdout}${suite.stderr}`);
    return findings;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readFindings(folder: string): Promise<Findings> {
  const findings = new Map<string, readonly Check[]>();
  for (const name of await readdir(folder)) {
    const scenario = RESULT_FOLDER.exec(name)?.groups?.["scenario"];
    if (scenario === undefined) throw new Error(`the conformance suite has left a folder ${name}`);
    // A scenario that broke off leaves an empty folder.
    const checks = await readFile(join(folder, name, "checks.json"), "utf8").catch(() => "[]");
    findings.set(scenario, JSON.parse(checks) as readonly Check[]);
  }
  return findings;
}
