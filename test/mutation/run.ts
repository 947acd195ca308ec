/**
 * `npm run mutation [-- group ...]`: mutates the sources of each group and runs its tests for each mutant. Keeps what it
 * finds in reports/mutation, and writes docs/mutation.md once all groups are there. Fails when a survivor is not judged.
 * `--again`: only the lines on which something survived last time that is not judged, for tests that were added since; and
 * all of a file that has changed.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { Stryker } from "@stryker-mutator/core";
import { GROUPS, GROUP_NAMES } from "./groups.ts";
import type { GroupName } from "./groups.ts";
import { countsOf, documentOf, unjudged } from "./report.ts";
import type { GroupReport, Mutant, Reports } from "./report.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const reportPath = (name: GroupName): string => `${ROOT}reports/mutation/${name}.json`;

const readReport = (name: GroupName): GroupReport => JSON.parse(readFileSync(reportPath(name), "utf8")) as GroupReport;

type Results = Awaited<ReturnType<Stryker["runMutationTest"]>>;

/** On one line, and of a readable length. */
const brief = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= 80 ? line : `${line.slice(0, 77)}...`;
};

function mutantOf({ fileName, location, replacement, status }: Results[number]): Mutant {
  const { start, end } = location;
  const lines = readFileSync(fileName, "utf8").split("\n");
  const inside = lines.slice(start.line - 1, end.line);
  inside.push(inside.pop()?.slice(0, end.column - 1) ?? "");
  inside[0] = inside[0]?.slice(start.column - 1) ?? "";
  return {
    file: relative(ROOT, fileName),
    line: start.line,
    column: start.column,
    endLine: end.line,
    source: brief(lines[start.line - 1] ?? ""),
    from: brief(inside.join("\n")),
    to: brief(replacement ?? ""),
    status,
  };
}

const order = (one: Mutant, other: Mutant): number =>
  one.line - other.line || one.column - other.column || (one.to < other.to ? -1 : 1);

async function run(name: GroupName, before: GroupReport | undefined): Promise<GroupReport> {
  const started = Date.now();
  process.env["MUTATION_GROUP"] = name;
  const files: readonly string[] = GROUPS[name].mutate;
  const whole = before === undefined ? files : files.filter((file) => hasChanged(file, before));
  const lines = before === undefined ? [] : unjudged(before).filter(({ file }) => !whole.includes(file));
  const mutate = [...whole, ...new Set(lines.map(({ file, line, endLine }) => `${file}:${line}-${endLine}`))];
  if (before !== undefined && mutate.length === 0) return before;
  const found = (await new Stryker({ mutate: [...mutate] }).runMutationTest()).map(mutantOf);
  const seconds = (before?.seconds ?? 0) + (Date.now() - started) / 1000;
  const tested = new Map(found.map((mutant) => [keyOf(mutant), mutant]));
  const kept = before?.mutants.filter(({ file }) => !whole.includes(file)) ?? [];
  const mutants = [
    ...kept.map((mutant) => tested.get(keyOf(mutant)) ?? mutant),
    ...found.filter(({ file }) => whole.includes(file)),
  ];
  return { seconds, mutants: files.flatMap((file) => mutants.filter((one) => one.file === file).toSorted(order)) };
}

/** Not where it was mutated before, or not with these lines. */
function hasChanged(file: string, { mutants }: GroupReport): boolean {
  const lines = readFileSync(`${ROOT}${file}`, "utf8").split("\n");
  const before = mutants.filter((mutant) => mutant.file === file);
  return before.length === 0 || before.some(({ line, source }) => brief(lines[line - 1] ?? "") !== source);
}

const keyOf = ({ file, line, column, from, to }: Mutant): string => [file, line, column, from, to].join("\0");

const { values, positionals: wanted } = parseArgs({ options: { again: { type: "boolean" } }, allowPositionals: true });
for (const name of wanted) if (!Object.hasOwn(GROUPS, name)) throw new Error(`no group is called ${name}`);
mkdirSync(`${ROOT}reports/mutation`, { recursive: true });
for (const name of GROUP_NAMES.filter((one) => wanted.length === 0 || wanted.includes(one)))
  writeFileSync(
    reportPath(name),
    JSON.stringify(await run(name, values.again === true ? readReport(name) : undefined)),
  );

const found = GROUP_NAMES.filter((name) => existsSync(reportPath(name)));
const reports = Object.fromEntries(found.map((name) => [name, readReport(name)])) as Partial<Reports>;
if (found.length === GROUP_NAMES.length) writeFileSync(`${ROOT}docs/mutation.md`, documentOf(reports as Reports));

const open = found.flatMap((name) => unjudged(reports[name]!));
const summary = [
  ...found.map((name) => countsOf(name, reports[name]!)),
  ...open.map(({ file, line, from, to }) => `not judged: ${file}:${line}: ${from} => ${to}`),
];
process.stdout.write(`${summary.join("\n")}\n`);
if (open.length > 0) process.exitCode = 1;
