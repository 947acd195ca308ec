/**
 * `npm run fuzz`: all properties, round after round, until one breaks or the time is over. Says what it has tried and how
 * it ended, and with which seed; a break is shrunk and kept as a file that every test run plays again.
 */
import process from "node:process";
import { inspect } from "node:util";
import { Command } from "commander";
import { excusedFor, writeCaseFile } from "./case-file.ts";
import { hunt } from "./hunt.ts";
import { PROPERTIES } from "./properties.ts";
import { Readers } from "./readers/readers.ts";

type Options = { readonly seconds?: string; readonly seed?: string; readonly only?: string; readonly runs: string };

const program = new Command("fuzz")
  .description("Tries the promises of docs/fuzzing.md on generated requests, answers and policies.")
  .option("--seconds <n>", "stop after so many seconds; without it, never")
  .option("--seed <n>", "begin with this seed instead of a random one")
  .option("--only <property>", "one property alone")
  .option("--runs <n>", "cases a round", "40000");
const { seconds, seed: asked, only, runs } = program.parse().opts<Options>();

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const chosen = PROPERTIES.filter(({ property }) => only === undefined || property.name === only);
if (chosen.length === 0)
  program.error(`no property is called ${only}: ${PROPERTIES.map(({ property }) => property.name).join(", ")}`);
const seed = asked === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(asked);
const deadline = seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + 1000 * Number(seconds);
const readers = await Readers.start();
if (readers.missing.size > 0) say(`NOT TRIED, for want of ${[...readers.missing].join(", ")}: see docs/fuzzing.md`);
say(`seed ${seed}`);

/** By property, how often each end was reached. */
const reached = new Map<string, Map<string, number>>();
let round = 0;
let failed = false;
while (!failed && performance.now() < deadline) {
  for (const { property, share } of chosen) {
    if (failed || performance.now() >= deadline || property.needs.some((reader) => readers.missing.has(reader)))
      continue;
    const excused = excusedFor(property.name);
    // Seeds of two rounds are far apart, since one hunt uses several in a row.
    const plan = { runs: Math.ceil(Number(runs) * share), seed: (seed + round * 7919) | 0, excused };
    const report = await hunt(property, readers, plan);
    const ends = reached.get(property.name) ?? new Map<string, number>();
    for (const [end, count] of report.reached) ends.set(end, (ends.get(end) ?? 0) + count);
    reached.set(property.name, ends);
    if (report.failure === undefined) continue;
    failed = true;
    say(`\n${property.name} is broken: ${report.failure.message}`);
    say(`seed ${report.failure.seed}, after ${report.tried} cases of this hunt; the case, as small as it got:`);
    say(inspect(report.failure.case, { depth: 9, breakLength: 120 }));
    say(`kept as ${writeCaseFile(property.name, report.failure)}`);
  }
  round++;
  say(`round ${round}: ${[...reached].map(([name, ends]) => `${name} ${total(ends)}`).join(", ")}`);
}
readers.stop();
for (const [name, ends] of reached) {
  say(`\n${name}: ${total(ends)} cases, ${ends.size} ends`);
  for (const [end, count] of [...ends].sort((one, other) => other[1] - one[1]))
    say(`${String(count).padStart(9)}  ${end}`);
}
process.exitCode = failed ? 1 : 0;

function total(ends: ReadonlyMap<string, number>): number {
  return [...ends.values()].reduce((sum, count) => sum + count, 0);
}
