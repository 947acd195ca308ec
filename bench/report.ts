/** The results as tables for a terminal. */
import type { MicroRow } from "./micro.ts";
import type { Row } from "./end-to-end/measure.ts";
import { ENVOY_ALONE, NO_OP } from "./end-to-end/testbed.ts";

export type Aim = { readonly name: string; readonly aim: string; readonly seen: string; readonly reached: boolean };

type Cells = readonly string[];

export function microTable(rows: readonly MicroRow[]): string {
  const cells = rows.map(({ name, ns, mbPerSecond }) => [
    name,
    time(ns.avg),
    time(ns.p50),
    time(ns.p99),
    mbPerSecond === undefined ? "" : mbPerSecond.toFixed(0),
  ]);
  return table([["", "average", "p50", "p99", "MB/s"], ...cells]);
}

/** All tables of the end-to-end part, for what was measured. */
export function endToEndReport(rows: readonly Row[]): string {
  const tables = [
    callTable(rows, "closed", "16 connections, as fast as they go. CPU in us a call; ratios are of rates."),
    callTable(rows, "paced", "500 calls a second. CPU in us a call; ratios are of p50."),
    partsTable(
      rows,
      ["burst", "event"],
      "A call answered with 1,000 events at once: 4 connections, as fast as they go. CPU in us; ratios are of rates.",
    ),
    partsTable(
      rows,
      ["events", "event"],
      "A call answered with 1,000 events, one a millisecond: 8 connections. CPU in us; ratios are of rates: 1 keeps up.",
    ),
    partsTable(
      rows,
      ["list", "tool"],
      "A list of 500 tools, half of them for the caller: 4 connections, as fast as they go. CPU in us; ratios are of rates.",
    ),
  ];
  return tables.filter((one) => one !== undefined).join("\n\n");
}

const CPU = ["CPU Envoy", "processor", "upstream", "load"] as const;
/** Without that of the load, for want of room. */
const PARTS_CPU = CPU.slice(0, 3);

function callTable(rows: readonly Row[], kind: "closed" | "paced", text: string): string | undefined {
  const shown = rows.filter((row) => row.kind === kind);
  const alone = shown.find((row) => row.way === ENVOY_ALONE);
  const head = ["", "messages", "calls/s", "p50 ms", "p90", "p99", "p99.9", ...CPU, "failed", "/alone", "/no-op"];
  const cells = shown.map((row): Cells => {
    const { p50, p90, p99, p999 } = row.latencyMs;
    return [
      row.way,
      messages(row),
      row.callsPerSecond.toFixed(0),
      ...[p50, p90, p99, p999].map((ms) => ms.toFixed(2)),
      ...cpu(row, 1),
      ...ending(row, rows, alone),
    ];
  });
  return shown.length === 0 ? undefined : `${text}\n\n${table([head, ...cells])}`;
}

/** What an answer of many parts costs, and each of them. */
function partsTable(
  rows: readonly Row[],
  [load, part]: readonly [load: Row["load"], part: string],
  text: string,
): string | undefined {
  const shown = rows.filter((row) => row.load === load);
  const alone = shown.find((row) => row.way === ENVOY_ALONE);
  const perPart = [`/${part}: Envoy`, "processor", "upstream"];
  const head = ["", "messages", "calls/s", `${part}s/s`, "p50 ms", "p90", "p99", ...PARTS_CPU, ...perPart];
  const cells = shown.map((row): Cells => {
    const { p50, p90, p99 } = row.latencyMs;
    return [
      row.way,
      messages(row),
      row.callsPerSecond.toFixed(row.callsPerSecond < 100 ? 1 : 0),
      (row.callsPerSecond * row.parts).toFixed(0),
      ...[p50, p90, p99].map((ms) => ms.toFixed(1)),
      ...cpu(row, 1).slice(0, PARTS_CPU.length),
      ...cpu(row, row.parts).slice(0, PARTS_CPU.length),
      ...ending(row, rows, alone),
    ];
  });
  return shown.length === 0 ? undefined : `${text}\n\n${table([[...head, "failed", "/alone", "/no-op"], ...cells])}`;
}

const messages = (row: Row): string => row.messages?.toFixed(0) ?? "";

const cpu = ({ cpuUs }: Row, parts: number): Cells =>
  [cpuUs.envoy, cpuUs.processor, cpuUs.upstream, cpuUs.load].map((us) =>
    us === undefined ? "-" : (us / parts).toFixed(parts === 1 ? 0 : 1),
  );

const ending = (row: Row, rows: readonly Row[], alone: Row | undefined): Cells => [
  String(row.errors + row.unexpectedStatuses),
  ratio(row, alone),
  row.messages === undefined ? "" : ratio(row, noOp(rows, row)),
];

/** With closed loops the ratio of rates, at a fixed rate that of median latencies. */
const ratio = (row: Row, other: Row | undefined): string => {
  if (other === undefined) return "";
  const of = row.kind === "paced" ? row.latencyMs.p50 / other.latencyMs.p50 : row.callsPerSecond / other.callsPerSecond;
  return of.toFixed(2);
};

/** The no-op processor with the same messages. */
export const noOp = (rows: readonly Row[], { kind, load }: Pick<Row, "kind" | "load">): Row | undefined =>
  rows.find((row) => row.way === NO_OP && row.kind === kind && row.load === load);

export const aimTable = (aims: readonly Aim[]): string =>
  table([
    ["aim", "wanted", "seen", ""],
    ...aims.map(({ name, aim, seen, reached }) => [name, aim, seen, reached ? "reached" : "NOT reached"]),
  ]);

const time = (ns: number): string =>
  ns < 1e3 ? `${ns.toFixed(0)} ns` : ns < 1e6 ? `${(ns / 1e3).toFixed(2)} us` : `${(ns / 1e6).toFixed(2)} ms`;

/** The first column to the left, numbers to the right. */
function table(rows: readonly Cells[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  const pad = (cell: string, i: number): string =>
    i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0);
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}
