/**
 * `npm run mutation [-- group ...]`: mutates the sources of each group and runs its tests for each mutant. Keeps what it
 * finds in reports/mutation, and writes docs/mutation.md once all groups are there. Fails when a survivor is not judged.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { Stryker } from "@stryker-mutator/core";
import { GROUPS, GROUP_NAMES } from "./groups.ts";
import type { GroupName } from "./groups.ts";
import { countsOf, documentOf, unjudged } from "./report.ts";
import type { GroupReport, Mutant, Reports } from "./report.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const reportPath = (name: GroupName): string => `${ROOT}reports/mutation/${name}.json`;

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
    source: brief(lines[start.line - 1] ?? ""),
    from: brief(inside.join("\n")),
    to: brief(replacement ?? ""),
    status,
  };
}

async function run(name: GroupName): Promise<GroupReport> {
  const started = Date.now();
  process.env["MUTATION_GROUP"] = name;
  const results = await new Stryker({ mutate: [...GROUPS[name].mutate] }).runMutationTest();
  const mutants = results
    .map(mutantOf)
    .toSorted((one, other) =>
      one.file === other.file
        ? one.line - other.line || one.column - other.column || (one.to < other.to ? -1 : 1)
        : one.file < other.file
          ? -1
          : 1,
    );
  return { seconds: (Date.now() - started) / 1000, mutants };
}

const wanted = process.argv.slice(2);
for (const name of wanted) if (!Object.hasOwn(GROUPS, name)) throw new Error(`no group is called ${name}`);
mkdirSync(`${ROOT}reports/mutation`, { recursive: true });
for (const name of GROUP_NAMES.filter((one) => wanted.length === 0 || wanted.includes(one)))
  writeFileSync(reportPath(name), JSON.stringify(await run(name)));

const found = GROUP_NAMES.filter((name) => existsSync(reportPath(name)));
const reports = Object.fromEntries(
  found.map((name) => [name, JSON.parse(readFileSync(reportPath(name), "utf8")) as GroupReport]),
) as Partial<Reports>;
if (found.length === GROUP_NAMES.length) writeFileSync(`${ROOT}docs/mutation.md`, documentOf(reports as Reports));

const open = found.flatMap((name) => unjudged(reports[name]!));
const summary = [
  ...found.map((name) => countsOf(name, reports[name]!)),
  ...open.map(({ file, line, from, to }) => `not judged: ${file}:${line}: ${from} => ${to}`),
];
process.stdout.write(`${summary.join("\n")}\n`);
if (open.length > 0) process.exitCode = 1;
