/** `toolgate stat`, `edges` and `authz`: a table, or the rows as JSON. */
import { err, ok } from "../../core/result.ts";
import type { Result } from "../../core/result.ts";
import { STAT_KINDS } from "../../telemetry/stat.ts";
import type { StatKind } from "../../telemetry/stat.ts";
import { createAdminClient } from "./admin-client.ts";
import { AUTHZ_COLUMNS, EDGE_COLUMNS, STAT_COLUMNS } from "./columns.ts";
import { fleet } from "./fleet.ts";
import { createQuery } from "./prometheus.ts";
import type { Screen } from "./screen.ts";
import { instance } from "./source.ts";
import type { Answered, Source } from "./source.ts";
import { printTable } from "./table.ts";
import type { Column } from "./table.ts";

/** As given on the command line. */
export type StatFlags = {
  readonly admin: string;
  readonly prometheus?: string;
  readonly window: string;
  readonly output: string;
};

/** Where complaints go. */
type Complain = { readonly write: (text: string) => unknown };

export const OUTPUTS = ["table", "wide", "json"] as const;
type Output = (typeof OUTPUTS)[number];

/** Of what is called with a mistake; of what could not be had. */
const WRONG_USAGE = 2;
const FAILED = 1;

type Shown = { readonly screen: Screen; readonly complain: Complain; readonly server?: string | undefined };

export async function runStat(kind: string, flags: StatFlags, shown: Shown): Promise<number> {
  const known = STAT_KINDS.find((one) => one === kind);
  if (known === undefined) {
    shown.complain.write(`stat ${kind}: expected ${list(STAT_KINDS)}\n`);
    return WRONG_USAGE;
  }
  return run(flags, shown, (source, seconds) => source.stat(known, seconds), STAT_COLUMNS[known], what(known));
}

const what = (kind: StatKind): string => (kind === "servers" ? "server" : `call about ${kind}`);

export const runEdges = (flags: StatFlags, shown: Shown): Promise<number> =>
  run(flags, shown, (source, seconds) => source.edges(seconds), EDGE_COLUMNS, "call");

export const runAuthz = (flags: StatFlags, shown: Shown): Promise<number> =>
  run(flags, shown, (source, seconds) => source.authz(seconds), AUTHZ_COLUMNS, "decision");

async function run<Row extends { readonly server: string }>(
  flags: StatFlags,
  { screen, complain, server }: Shown,
  read: (source: Source, windowSeconds: number) => Answered<Row>,
  columns: readonly Column<Row>[],
  noun: string,
): Promise<number> {
  const asked = parse(flags);
  if (!asked.ok) {
    complain.write(`${asked.error}\n`);
    return WRONG_USAGE;
  }
  const { source, windowSeconds, output } = asked.value;
  const answer = await read(source, windowSeconds);
  if (!answer.ok) {
    complain.write(`${answer.error}\n`);
    return FAILED;
  }
  const rows = server === undefined ? answer.value : answer.value.filter((row) => isCalled(row.server, server));
  if (output === "json") {
    screen.write(`${JSON.stringify({ windowSeconds, rows }, undefined, 2)}\n`);
  } else if (rows.length === 0) {
    complain.write(`no ${noun} in the last ${windowSeconds} seconds${server === undefined ? "" : ` on ${server}`}\n`);
  } else {
    const isWide = output === "wide";
    const all = columns.filter((column) => isWide || column.isWide !== true);
    printTable(isWide ? { ...screen, columns: undefined } : screen, all, rows);
  }
  return 0;
}

/** With its namespace or without. */
const isCalled = (name: string, asked: string): boolean => name === asked || name.endsWith(`/${asked}`);

type Asked = { readonly source: Source; readonly windowSeconds: number; readonly output: Output };

function parse({ admin, prometheus, window, output }: StatFlags): Result<Asked, string> {
  const windowSeconds = Number(window);
  if (!/^[0-9]+$/.test(window) || windowSeconds < 10)
    return err(`--window ${window}: expected a whole number of seconds from 10`);
  const form = parseOutput(output, OUTPUTS);
  if (!form.ok) return form;
  const source = prometheus === undefined ? onInstance(admin) : onFleet(prometheus);
  return source.ok ? ok({ source: source.value, windowSeconds, output: form.value }) : source;
}

export function parseOutput<One extends string>(given: string, outputs: readonly One[]): Result<One, string> {
  const output = outputs.find((one) => one === given);
  return output === undefined ? err(`--output ${given}: expected ${list(outputs)}`) : ok(output);
}

const list = (words: readonly string[]): string => words.join(" or ");

function onInstance(admin: string): Result<Source, string> {
  const client = createAdminClient(admin);
  return client.ok ? ok(instance(client.value)) : client;
}

function onFleet(prometheus: string): Result<Source, string> {
  const query = createQuery(prometheus);
  return query.ok ? ok(fleet(query.value)) : query;
}
