/** What a run of mutation testing has found, in words: the counts of each group, and a judgement of each survivor. */
import { globSync, readFileSync } from "node:fs";
import { GROUP_NAMES, GROUPS } from "./groups.ts";
import type { GroupName } from "./groups.ts";

/** One change of the source, in one line each. */
export type Mutant = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  /** The line that it is in, what of it was changed, and what that became. */
  readonly source: string;
  readonly from: string;
  readonly to: string;
  readonly status: string;
};
export type GroupReport = { readonly seconds: number; readonly mutants: readonly Mutant[] };
export type Reports = { readonly [name in GroupName]: GroupReport };

/** About the survivors in a file whose line and whose change hold these texts; the first that fits counts. */
type Judgement = {
  readonly file?: string;
  readonly source?: string;
  readonly from?: string;
  readonly to?: string;
  readonly why: string;
};

const JUDGED = JSON.parse(readFileSync(new URL("judged.json", import.meta.url), "utf8")) as readonly Judgement[];

const ROOT = new URL("../../", import.meta.url).pathname;
const GROUPED: ReadonlySet<string> = new Set(GROUP_NAMES.flatMap((name) => GROUPS[name].mutate));
const IN_NO_GROUP = globSync("src/core/**/*.ts", { cwd: ROOT })
  .filter((file) => !GROUPED.has(file))
  .toSorted();

const isKilled = ({ status }: Mutant): boolean => status === "Killed" || status === "Timeout";
const isSurvivor = ({ status }: Mutant): boolean => status === "Survived" || status === "NoCoverage";

function judge({ file, source, from, to }: Mutant): string | undefined {
  return JUDGED.find(
    (one) =>
      file.endsWith(one.file ?? "") &&
      source.includes(one.source ?? "") &&
      (one.from === undefined || from === one.from) &&
      (one.to === undefined || to === one.to),
  )?.why;
}

const survivors = ({ mutants }: GroupReport): Mutant[] => mutants.filter(isSurvivor);
export const unjudged = (report: GroupReport): Mutant[] =>
  survivors(report).filter((mutant) => judge(mutant) === undefined);

function scoreOf({ mutants }: GroupReport): string {
  const killed = mutants.filter(isKilled).length;
  return `${((100 * killed) / (killed + mutants.filter(isSurvivor).length)).toFixed(1)} %`;
}

/** A line of the table. */
export function countsOf(name: string, report: GroupReport): string {
  const count = (status: string): number => report.mutants.filter((mutant) => mutant.status === status).length;
  const counts = ["Killed", "Survived", "Timeout", "NoCoverage"].map(count);
  const minutes = (report.seconds / 60).toFixed(0);
  return `| ${[name, report.mutants.length, ...counts, scoreOf(report), `${minutes} min`].join(" | ")} |`;
}

const code = (text: string): string => `\`${text.replaceAll("`", "'").replaceAll("|", "\\|")}\``;

/** `docs/mutation.md`. */
export function documentOf(reports: Reports): string {
  const all = { seconds: 0, mutants: GROUP_NAMES.flatMap((name) => reports[name].mutants) };
  for (const name of GROUP_NAMES) all.seconds += reports[name].seconds;
  const missing = GROUP_NAMES.flatMap((name) => GROUPS[name].mutate).filter((file) =>
    all.mutants.every((mutant) => mutant.file !== file),
  );
  const lines = [
    readFileSync(new URL("preamble.md", import.meta.url), "utf8").trimEnd(),
    "",
    "| group | mutants | killed | survived | timeout | no coverage | score | time |",
    "|---|--:|--:|--:|--:|--:|--:|--:|",
    ...GROUP_NAMES.map((name) => countsOf(name, reports[name])),
    countsOf("all", all),
    "",
    ...(missing.length === 0 ? [] : [`Nothing to mutate in: ${missing.map(code).join(", ")}.`, ""]),
    `In no group, since they hold types and constants: ${IN_NO_GROUP.map(code).join(", ")}.`,
    "",
    "## What survives",
    "",
    "Each line: what stands in the source, what it became without a test that failed, and why that is left so.",
  ];
  for (const file of new Set(all.mutants.map((mutant) => mutant.file))) {
    const left = survivors(all).filter((mutant) => mutant.file === file);
    if (left.length === 0) continue;
    lines.push("", `### ${file}`, "", "| line | was | became | judgement |", "|--:|---|---|---|");
    for (const mutant of left)
      lines.push(
        `| ${mutant.line} | ${code(mutant.from)} | ${code(mutant.to)} | ${judge(mutant) ?? "**not judged yet**"} |`,
      );
  }
  return `${lines.join("\n")}\n`;
}
