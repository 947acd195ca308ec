/**
 * telemetry: one record into the metrics, and into the decision log with its share of a write that costs nothing; and a
 * scrape of metrics that are full, which must not hold up calls.
 */
import { createSecretKey } from "node:crypto";
import process from "node:process";
import { Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { ExchangeRecord } from "../src/core/exchange/record.ts";
import { Segment } from "../src/telemetry/chain.ts";
import type { ChainKey } from "../src/telemetry/chain.ts";
import { createDecisionLog } from "../src/telemetry/decision-log.ts";
import type { DecisionLog } from "../src/telemetry/decision-log.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";
import { createTap } from "../src/telemetry/tap.ts";
import { createTraffic } from "../src/telemetry/traffic.ts";
import { create } from "../test/telemetry/samples.ts";
import { callRecord } from "./exchange.bench.ts";
import type { Micro } from "./micro.ts";
import type { Aim } from "./report.ts";

const record = callRecord();
const metrics = create({ isNamed: () => true });
const sink = () => new Writable({ write: (_chunk, _encoding, done) => done() });
const chained = (key: ChainKey) =>
  createDecisionLog({ out: sink(), chain: { segment: new Segment("bench", key), before: () => ({}) } });
const traffic = createTraffic({ isNamed: () => true });
const tap = createTap();
/** Of 50 callers and 20 tools, one after another. */
const RECORDS = Array.from({ length: 1_000 }, (_, i) => ({
  ...record,
  identity: {
    ...record.identity,
    workload: { uri: `spiffe://cluster.local/ns/agents/sa/${i % 50}`, name: `agents/${i % 50}` },
  },
  target: { kind: "tool", name: `tool-${i % 20}` } as const,
}));
let next = 0;
const varied = (): ExchangeRecord => RECORDS[next++ % RECORDS.length] ?? record;
const LINES = 20;
const LOGS: readonly (readonly [name: string, log: DecisionLog])[] = [
  ["decision log", createDecisionLog({ out: sink() })],
  ["decision log with a chain", chained(undefined)],
  ["decision log with a chain and a key", chained(createSecretKey(new Uint8Array(32)))],
];

export const telemetryBenches: readonly Micro[] = [
  { name: "metrics, one record", run: () => metrics.record(record) },
  { name: "the last minutes, one record", run: () => traffic.record(varied()) },
  { name: "a tap that nobody watches, one record", run: () => tap.record(record) },
  { name: "metrics, our own time for one message", run: () => metrics.meter.processed("requestBody", 0.02) },
  ...LOGS.map(([name, log]) => ({
    name: `${name}, ${LINES} records and their write`,
    async run() {
      for (let i = 0; i < LINES; i++) log.record(record);
      await new Promise((resolve) => void setImmediate(resolve));
    },
  })),
];

export type ScrapeCost = {
  readonly lines: number;
  readonly bytes: number;
  /** Of this thread, of the whole scrape and of its longest turn of the event loop. */
  readonly cpuMs: number;
  readonly longestTurnMs: number;
};

const [SERVERS, TOOLS, OPEN_STREAMS] = [20, 100, 10_000];

/** All series at their caps, and as many streams open as may be by default. The median of some scrapes. */
export async function measureScrape(): Promise<ScrapeCost> {
  const full = create({ isNamed: () => true });
  fill(full);
  const scrapes: ScrapeCost[] = [];
  for (let i = 0; i < 7; i++) scrapes.push(await scrape(full));
  return scrapes.toSorted((a, b) => a.longestTurnMs - b.longestTurnMs)[3] as ScrapeCost;
}

function fill(full: Metrics): void {
  const { meter } = full;
  for (let i = 0; i < SERVERS * TOOLS; i++) {
    const [server, name] = [`tools/server-${i % SERVERS}`, `tool-number-${i}`];
    full.record({
      ...record,
      server,
      target: { kind: "tool", name },
      rule: { policy: "tools/many", rule: `rule-${i}` },
      client: { name: `client-${i}`, version: "1.0.0" },
      hiddenItems: 1,
    });
    full.record({ ...record, server: name, decision: "deny", reason: "no-rule-allows", outcome: { kind: "denied" } });
    meter.streamEvents(name, 1);
    meter.streamEnded(name, "complete");
    meter.streamResumed(name);
  }
  for (let i = 0; i < OPEN_STREAMS; i++)
    meter.open.add({ server: `tools/server-${i % SERVERS}`, calls: 1, stream: { events: 0, heardAtMs: 0 } });
}

/** CPU time, not the clock's: what else the machine does must not look like a long turn. */
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

async function scrape(full: Metrics): Promise<ScrapeCost> {
  let longestTurnMs = 0;
  let isOver = false;
  let last = cpuMs();
  const began = last;
  const look = (): void => {
    const now = cpuMs();
    longestTurnMs = Math.max(longestTurnMs, now - last);
    last = now;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  const text = await full.expose("openmetrics");
  await turn();
  isOver = true;
  const spent = cpuMs() - began;
  return { lines: text.toString().split("\n").length, bytes: text.length, cpuMs: spent, longestTurnMs };
}

const MAX_TURN_MS = 50;

export const scrapeAim = ({ lines, bytes, cpuMs: spent, longestTurnMs }: ScrapeCost): Aim => ({
  name: "a scrape at all caps, longest turn of the event loop",
  aim: `<= ${MAX_TURN_MS} ms`,
  seen: `${longestTurnMs.toFixed(0)} ms of ${spent.toFixed(0)} (${lines} lines, ${(bytes / 1e6).toFixed(0)} MB)`,
  reached: longestTurnMs <= MAX_TURN_MS,
});
