/**
 * `npm run bench`: the micro-benchmarks and the end-to-end run through a real Envoy, as tables on stdout and as JSON in
 * `bench/results/`. How to read it: docs/performance.md.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { Command, Option } from "commander";
import { endToEndAims, microAims } from "./aims.ts";
import { answerBenches } from "./answer.bench.ts";
import { canonicalBenches } from "./canonical.bench.ts";
import { decideBenches } from "./decide.bench.ts";
import { measureEndToEnd } from "./end-to-end/measure.ts";
import { LOADS } from "./end-to-end/messages.ts";
import { exchangeBenches } from "./exchange.bench.ts";
import { grpcBenches } from "./grpc.bench.ts";
import { measureMicro } from "./micro.ts";
import type { MicroRow } from "./micro.ts";
import { aimTable, endToEndReport, microTable } from "./report.ts";
import type { Aim } from "./report.ts";
import { scanBenches } from "./scan.bench.ts";
import { sseBenches } from "./sse.bench.ts";
import { costAim, measureTelemetryCost } from "./telemetry-cost.ts";
import { measureScrape, scrapeAim, telemetryBenches } from "./telemetry.bench.ts";

const MICRO = [
  ...scanBenches,
  ...canonicalBenches,
  ...decideBenches,
  ...answerBenches,
  ...sseBenches,
  ...exchangeBenches,
  ...grpcBenches,
  ...telemetryBenches,
];
const LENGTHS = {
  full: {
    microCpuMs: 400,
    telemetryRounds: 200,
    endToEnd: {
      rounds: 3,
      seconds: { closed: 2.5, paced: 2.5, large: 1.5, streams: 1.5 },
      warmUpSeconds: { closed: 7, paced: 7, large: 2.5, streams: 1 },
    },
  },
  quick: {
    microCpuMs: 150,
    telemetryRounds: 60,
    endToEnd: {
      rounds: 1,
      seconds: { closed: 1.5, paced: 1.5, large: 1.5, streams: 1 },
      warmUpSeconds: { closed: 3.5, paced: 3.5, large: 1.5, streams: 1 },
    },
  },
} as const;
const LOAD_NAMES = LOADS.map(({ name }) => name);
const RESULTS = join(import.meta.dirname, "results");

type Options = {
  readonly quick?: true;
  readonly only?: "micro" | "e2e";
  readonly load?: readonly string[];
  readonly against?: readonly string[];
  readonly profile?: true;
};

const program = new Command("bench")
  .description("Measures Toolgate. Compare ratios within one run: the figures belong to the machine.")
  .option("--quick", "one short round of everything: two minutes, and rough")
  .addOption(new Option("--only <part>", "one part alone").choices(["micro", "e2e"]))
  .addOption(new Option("--load <names...>", "of the end-to-end part, these loads alone").choices(LOAD_NAMES))
  .option("--against <checkout...>", "measure Toolgate of these checkouts too, side by side")
  .option("--profile", "leave a CPU profile of Toolgate under load in bench/results");

const { quick, only, load: names = LOAD_NAMES, against = [], profile } = program.parse().opts<Options>();
const length = quick === true ? LENGTHS.quick : LENGTHS.full;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
await mkdir(RESULTS, { recursive: true });
const aims: Aim[] = [];
const results: Record<string, unknown> = { node: process.version, platform: `${process.platform}-${process.arch}` };

if (only !== "e2e") {
  const rows: MicroRow[] = [];
  for (const micro of MICRO) rows.push(await measureMicro(micro, length.microCpuMs));
  say(`${microTable(rows)}\n`);
  const [scrape, cost] = [await measureScrape(), await measureTelemetryCost(length.telemetryRounds)];
  aims.push(...microAims(rows), scrapeAim(scrape), costAim(cost));
  results["micro"] = rows;
  results["telemetry"] = { scrape, cost };
}
if (only !== "micro") {
  const profileInto = profile === true ? RESULTS : undefined;
  const loads = LOADS.filter(({ name }) => names.includes(name));
  const options = { loads, against, profileInto };
  const rows = await measureEndToEnd(length.endToEnd, options).catch((error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
  if (process.platform !== "linux") say("The CPU time of processes is not available on this system.\n");
  say(`${endToEndReport(rows)}\n`);
  aims.push(...endToEndAims(rows));
  results["endToEnd"] = rows;
}
say(aimTable(aims));
const file = join(RESULTS, `${new Date().toISOString().replaceAll(":", "-")}.json`);
await writeFile(file, `${JSON.stringify({ ...results, aims }, undefined, 2)}\n`);
say(`\n${file}`);
