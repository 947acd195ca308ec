/** The rounds: each way under each load, in alternating order, and the medians of what was seen. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { LoadOptions, LoadResult } from "./load.ts";
import { cpuSeconds, ownProgram } from "./processes.ts";
import { startTestbed } from "./testbed.ts";
import type { Testbed, TestbedOptions, Way } from "./testbed.ts";

const run = promisify(execFile);

/** Closed: 16 connections, as fast as they go. Paced: at a fixed rate, for latency. */
export type LoadKind = "closed" | "paced";
const LOADS: Readonly<Record<LoadKind, Pick<LoadOptions, "connections" | "callsPerSecond">>> = {
  closed: { connections: 16, callsPerSecond: undefined },
  // Enough connections that a call need not wait for one.
  paced: { connections: 64, callsPerSecond: 500 },
};

/** Medians of the rounds. CPU in microseconds a call, undefined where there is no such process or no such number. */
export type Row = {
  readonly way: string;
  readonly load: Way["load"]["name"];
  readonly kind: LoadKind;
  readonly callsPerSecond: number;
  readonly latencyMs: LoadResult["latencyMs"];
  readonly cpuUs: {
    readonly load: number;
    readonly envoy: number | undefined;
    readonly processor: number | undefined;
    readonly upstream: number | undefined;
  };
  /** Of all rounds together. */
  readonly calls: number;
  readonly errors: number;
  readonly unexpectedStatuses: number;
};

/** `warmUpSeconds`: what a way with a processor gets before it counts. V8 needs some 20,000 calls until the cost stays. */
export type Length = { readonly rounds: number; readonly seconds: number; readonly warmUpSeconds: number };

export async function measureEndToEnd(length: Length, options: TestbedOptions): Promise<readonly Row[]> {
  await using testbed = await startTestbed(options);
  const seen = new Map<Way, Record<LoadKind, Row[]>>(testbed.ways.map((way) => [way, { closed: [], paced: [] }]));
  for (const way of testbed.ways) {
    await measure(testbed, way, "closed", way.processorPid === undefined ? 1 : length.warmUpSeconds);
  }
  for (let round = 0; round < length.rounds; round++) {
    const order = round % 2 === 0 ? testbed.ways : testbed.ways.toReversed();
    for (const kind of ["closed", "paced"] as const) {
      for (const way of order) seen.get(way)?.[kind].push(await measure(testbed, way, kind, length.seconds));
    }
  }
  return (["closed", "paced"] as const).flatMap((kind) => [...seen.values()].map((rows) => medianRow(rows[kind])));
}

async function measure(testbed: Testbed, way: Way, kind: LoadKind, seconds: number): Promise<Row> {
  const { url, load } = way;
  const options: LoadOptions = { ...LOADS[kind], url, headers: testbed.headers, body: load.body, seconds };
  const before = cpuOf(testbed, way);
  const [command, ...args] = ownProgram("load");
  const { stdout } = await run(command, [...args, JSON.stringify(options)]);
  const after = cpuOf(testbed, way);
  const {
    calls,
    cpuSeconds: loadSeconds,
    callsPerSecond,
    latencyMs,
    errors,
    statuses,
  } = JSON.parse(stdout) as LoadResult;
  const perCall = (name: keyof Cpu): number | undefined => {
    const [from, to] = [before[name], after[name]];
    return from === undefined || to === undefined ? undefined : ((to - from) * 1e6) / calls;
  };
  return {
    way: way.name,
    load: load.name,
    kind,
    callsPerSecond,
    latencyMs,
    cpuUs: {
      load: (loadSeconds * 1e6) / calls,
      envoy: perCall("envoy"),
      processor: perCall("processor"),
      upstream: perCall("upstream"),
    },
    calls,
    errors,
    unexpectedStatuses: calls - (statuses[load.status] ?? 0),
  };
}

type Cpu = Readonly<Record<"envoy" | "processor" | "upstream", number | undefined>>;

const cpuOf = ({ upstreamPid }: Testbed, { envoyPid, processorPid }: Way): Cpu => ({
  envoy: envoyPid === undefined ? undefined : cpuSeconds(envoyPid),
  processor: processorPid === undefined ? undefined : cpuSeconds(processorPid),
  upstream: cpuSeconds(upstreamPid),
});

function medianRow(rows: readonly Row[]): Row {
  const [first] = rows;
  if (first === undefined) throw new Error("no round was measured");
  const middle = (of: (row: Row) => number): number => median(rows.map(of));
  const maybe = (of: (row: Row) => number | undefined): number | undefined =>
    of(first) === undefined ? undefined : middle((row) => of(row) ?? 0);
  const sum = (of: (row: Row) => number): number => rows.reduce((total, row) => total + of(row), 0);
  return {
    way: first.way,
    load: first.load,
    kind: first.kind,
    callsPerSecond: middle((row) => row.callsPerSecond),
    latencyMs: {
      p50: middle((row) => row.latencyMs.p50),
      p90: middle((row) => row.latencyMs.p90),
      p99: middle((row) => row.latencyMs.p99),
      p999: middle((row) => row.latencyMs.p999),
    },
    cpuUs: {
      load: middle((row) => row.cpuUs.load),
      envoy: maybe((row) => row.cpuUs.envoy),
      processor: maybe((row) => row.cpuUs.processor),
      upstream: maybe((row) => row.cpuUs.upstream),
    },
    calls: sum((row) => row.calls),
    errors: sum((row) => row.errors),
    unexpectedStatuses: sum((row) => row.unexpectedStatuses),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
