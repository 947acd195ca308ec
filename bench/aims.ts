/** What the numbers are held against, and whether they are there. */
import type { Row } from "./end-to-end/measure.ts";
import { TOOLGATE } from "./end-to-end/testbed.ts";
import type { MicroRow } from "./micro.ts";
import { noOp } from "./report.ts";
import type { Aim } from "./report.ts";

/** Of Toolgate, for each part of an answer; the whole call when it has but one. */
const MAX_CPU_US: Readonly<Record<Row["load"], number>> = {
  call: 110,
  decided: 85,
  burst: 4,
  events: 30,
  list: 6,
};
const MIN_SHARE_OF_NO_OP: Readonly<Partial<Record<Row["load"], number>>> = { call: 0.8, decided: 0.8 };
const WORDS: Readonly<Record<Row["load"], string>> = {
  call: "a call, answer read",
  decided: "a call, decided only",
  burst: "an event, of many at once",
  events: "an event by itself",
  list: "a tool of a list",
};
const MAX_DECIDE_NS = 1_000;
const MIN_SCAN_MB_PER_SECOND = 150;

export function endToEndAims(rows: readonly Row[]): readonly Aim[] {
  const ours = rows.filter((row) => row.way === TOOLGATE && row.kind !== "paced");
  const failed = rows.reduce((sum, row) => sum + row.errors + row.unexpectedStatuses, 0);
  const calls = rows.reduce((sum, row) => sum + row.calls, 0);
  return [
    ...ours.flatMap((row) => [cpuAim(row), ...throughputAims(row, rows)]),
    { name: "calls that fail", aim: "0", seen: `${failed} of ${calls}`, reached: failed === 0 },
  ];
}

function cpuAim({ load, parts, cpuUs }: Row): Aim {
  const max = MAX_CPU_US[load];
  const us = cpuUs.processor === undefined ? undefined : cpuUs.processor / parts;
  return {
    name: `Toolgate's CPU for ${WORDS[load]}`,
    aim: `<= ${max} us`,
    seen: us === undefined ? "not available" : `${us.toFixed(us < 10 ? 1 : 0)} us`,
    reached: us !== undefined && us <= max,
  };
}

function throughputAims(row: Row, rows: readonly Row[]): readonly Aim[] {
  const min = MIN_SHARE_OF_NO_OP[row.load];
  if (min === undefined) return [];
  const share = row.callsPerSecond / (noOp(rows, row)?.callsPerSecond ?? NaN);
  return [
    {
      name: `throughput of ${WORDS[row.load]}, of a no-op's`,
      aim: `>= ${min}`,
      seen: share.toFixed(2),
      reached: share >= min,
    },
  ];
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
