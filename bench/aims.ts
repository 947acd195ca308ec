/** What the numbers are held against, and whether they are there. */
import type { Row } from "./end-to-end/measure.ts";
import { TOOLGATE } from "./end-to-end/testbed.ts";
import type { MicroRow } from "./micro.ts";
import { noOp } from "./report.ts";
import type { Aim } from "./report.ts";

const MAX_CPU_US = { call: 110, notification: 85 } as const;
const MIN_SHARE_OF_NO_OP = 0.8;
const MAX_DECIDE_NS = 1_000;
const MIN_SCAN_MB_PER_SECOND = 150;
const WORDS = { call: "answer read", notification: "decided only" } as const;

export function endToEndAims(rows: readonly Row[]): readonly Aim[] {
  const ours = rows.filter((row) => row.way === TOOLGATE);
  const failed = rows.reduce((sum, row) => sum + row.errors + row.unexpectedStatuses, 0);
  const calls = rows.reduce((sum, row) => sum + row.calls, 0);
  return [
    ...ours.filter((row) => row.kind === "closed").flatMap((row) => [cpuAim(row), throughputAim(row, rows)]),
    { name: "calls that fail", aim: "0", seen: `${failed} of ${calls}`, reached: failed === 0 },
  ];
}

function cpuAim({ load, cpuUs }: Row): Aim {
  const { processor } = cpuUs;
  return {
    name: `Toolgate's CPU a call, ${WORDS[load]}`,
    aim: `<= ${MAX_CPU_US[load]} us`,
    seen: processor === undefined ? "not available" : `${processor.toFixed(0)} us`,
    reached: processor !== undefined && processor <= MAX_CPU_US[load],
  };
}

function throughputAim(row: Row, rows: readonly Row[]): Aim {
  const share = row.callsPerSecond / (noOp(rows, row)?.callsPerSecond ?? NaN);
  return {
    name: `throughput, ${WORDS[row.load]}, of a no-op's`,
    aim: `>= ${MIN_SHARE_OF_NO_OP}`,
    seen: share.toFixed(2),
    reached: share >= MIN_SHARE_OF_NO_OP,
  };
}

export function microAims(rows: readonly MicroRow[]): readonly Aim[] {
  const decides = rows.filter(({ name }) => name.startsWith("decide, 10000 "));
  const scans = rows.filter(({ name }) => name.startsWith("scan "));
  return [
    ...decides.map(({ name, ns }) => ({
      name,
      aim: `< ${MAX_DECIDE_NS} ns`,
      seen: `${ns.avg.toFixed(0)} ns`,
      reached: ns.avg < MAX_DECIDE_NS,
    })),
    ...scans.map(({ name, mbPerSecond = 0 }) => ({
      name,
      aim: `> ${MIN_SCAN_MB_PER_SECOND} MB/s`,
      seen: `${mbPerSecond.toFixed(0)} MB/s`,
      reached: mbPerSecond > MIN_SCAN_MB_PER_SECOND,
    })),
  ];
}
