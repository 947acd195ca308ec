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

export function endToEndTable(rows: readonly Row[], kind: Row["kind"]): string {
  const shown = rows.filter((row) => row.kind === kind);
  const alone = shown.find((row) => row.way === ENVOY_ALONE);
  const head = [
    "",
    "messages",
    "req/s",
    "p50 ms",
    "p90",
    "p99",
    "p99.9",
    "CPU Envoy",
    "processor",
    "upstream",
    "load",
    "failed",
    "/alone",
    "/no-op",
  ];
  const cells = shown.map((row): Cells => {
    const { latencyMs, cpuUs } = row;
    return [
      row.way,
      cpuUs.processor === undefined ? "" : row.load === "call" ? "4" : "2",
      row.callsPerSecond.toFixed(0),
      ...[latencyMs.p50, latencyMs.p90, latencyMs.p99, latencyMs.p999].map((ms) => ms.toFixed(2)),
      ...[cpuUs.envoy, cpuUs.processor, cpuUs.upstream, cpuUs.load].map((us) =>
        us === undefined ? "-" : us.toFixed(0),
      ),
      String(row.errors + row.unexpectedStatuses),
      ratio(row, alone),
      cpuUs.processor === undefined ? "" : ratio(row, noOp(rows, row)),
    ];
  });
  return table([head, ...cells]);
}

/** With closed loops the ratio of rates, at a fixed rate that of median latencies. */
const ratio = (row: Row, other: Row | undefined): string => {
  if (other === undefined) return "";
  const of =
    row.kind === "closed" ? row.callsPerSecond / other.callsPerSecond : row.latencyMs.p50 / other.latencyMs.p50;
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
