/** The rounds: each way under each load, in alternating order, and the medians of what was seen. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { LoadOptions, LoadResult } from "./load.ts";
import type { Load } from "./messages.ts";
import { cpuSeconds, ownProgram } from "./processes.ts";
import { startTestbed } from "./testbed.ts";
import type { Testbed, TestbedOptions, Way } from "./testbed.ts";

const run = promisify(execFile);

/** Closed: as fast as they go. Paced: at a fixed rate, for latency. Large: answers that are more work. Streams: slow ones. */
export type LoadKind = "closed" | "paced" | "large" | "streams";
const LOAD_KINDS = ["closed", "paced", "large", "streams"] as const;
const SENDING: Readonly<Record<LoadKind, Pick<LoadOptions, "connections" | "callsPerSecond" | "warmUpMs">>> = {
  closed: { connections: 16, callsPerSecond: undefined, warmUpMs: 500 },
  // Enough connections that a call need not wait for one.
  paced: { connections: 64, callsPerSecond: 500, warmUpMs: 500 },
  large: { connections: 4, callsPerSecond: undefined, warmUpMs: 500 },
  // What comes in a second must not be more than any of the ways can take: events would come together.
  streams: { connections: 8, callsPerSecond: undefined, warmUpMs: 0 },
};
const KINDS: Readonly<Record<Load["name"], readonly [LoadKind, ...LoadKind[]]>> = {
  call: ["closed", "paced"],
  decided: ["closed", "paced"],
  burst: ["large"],
  events: ["streams"],
  list: ["large"],
};

/** Medians of the rounds. CPU in microseconds a call, undefined where there is no such process or no such number. */
export type Row = {
  readonly way: string;
  readonly load: Load["name"];
  readonly parts: number;
  readonly kind: LoadKind;
  /** From Envoy to the processor, a call. */
  readonly messages: number | undefined;
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
export type Length = {
  readonly rounds: number;
  readonly seconds: Readonly<Record<LoadKind, number>>;
  readonly warmUpSeconds: Readonly<Record<LoadKind, number>>;
};

export async function measureEndToEnd(length: Length, options: TestbedOptions): Promise<readonly Row[]> {
  await using testbed = await startTestbed(options);
  const runs = testbed.ways.flatMap((way) =>
    KINDS[way.load.name].map((kind) => ({ way, kind, isFirst: kind === KINDS[way.load.name][0], rows: [] as Row[] })),
  );
  for (const { way, kind } of runs.filter(({ isFirst }) => isFirst)) {
    await measure(testbed, way, kind, way.processorPid === undefined ? 1 : length.warmUpSeconds[kind]);
  }
  // One kind after the other, so that what is compared is near in time.
  const inOrder = LOAD_KINDS.flatMap((kind) => runs.filter((one) => one.kind === kind));
  for (let round = 0; round < length.rounds; round++) {
    const order = round % 2 === 0 ? inOrder : inOrder.toReversed();
    for (const { way, kind, rows } of order) rows.push(await measure(testbed, way, kind, length.seconds[kind]));
  }
  return inOrder.map(({ rows }) => medianRow(rows));
}

async function measure(testbed: Testbed, way: Way, kind: LoadKind, seconds: number): Promise<Row> {
  const { url, load, answer } = way;
  const said = { url, headers: testbed.headers(load), body: load.body, answerBytes: answer.length, seconds };
  const options: LoadOptions = { ...SENDING[kind], ...said };
  const before = cpuOf(testbed, way);
  const messagesBefore = await way.messages();
  const [command, ...args] = ownProgram("load");
  const { stdout } = await run(command, [...args, JSON.stringify(options)]);
  const after = cpuOf(testbed, way);
  const messages = await way.messages();
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
    parts: load.parts,
    kind,
    messages: messages === undefined || messagesBefore === undefined ? undefined : (messages - messagesBefore) / calls,
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
    unexpectedStatuses: calls - (statuses[200] ?? 0),
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
    parts: first.parts,
    kind: first.kind,
    messages: maybe((row) => row.messages),
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
