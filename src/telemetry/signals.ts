/**
 * The golden signals of calls that belong together. Two ratios, since a model that uses a tool wrongly and a server that
 * is down are two problems: `success` wants that nothing failed, `availability` counts only what the server could help.
 * Refusals are in neither.
 */
import { quantile } from "./latency.ts";
import type { Latency } from "./latency.ts";
import type { TrafficRow } from "./traffic.ts";

export type Signals = {
  readonly requests: number;
  readonly rps: number;
  /** Those whose end says how the server did: not refused, nor left, nor unread. */
  readonly answered: number;
  /** Their share, from 0 to 1; null when there are none. */
  readonly success: number | null;
  /** The same, without the errors that tools report themselves (`isError`). */
  readonly availability: number | null;
  readonly tool_errors: number;
  /** What callers got wrong, and what HTTP turned away (3xx, 4xx). */
  readonly client_errors: number;
  readonly denied: number;
  readonly audited: number;
  /** Seconds. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
};

type Counted = Pick<TrafficRow, "method" | "result" | "requests" | "audited" | "latency">;

export function signalsOf(rows: readonly Counted[], seconds: number): Signals {
  const requests = sum(rows);
  const ended = rows.filter(({ result }) => ENDED.has(result));
  const latency = merge(rows.map((row) => row.latency));
  return {
    requests,
    rps: requests / seconds,
    answered: sum(ended),
    success: share(ended, (row) => !isError(row)),
    availability: share(ended, ({ result }) => result !== "server_error"),
    tool_errors: sum(rows.filter(({ result }) => result === "tool_error")),
    client_errors: sum(rows.filter(({ result }) => result === "client_error")),
    denied: sum(rows.filter(({ result }) => result === "denied")),
    audited: rows.reduce((total, row) => total + row.audited, 0),
    p50: quantile(0.5, latency),
    p95: quantile(0.95, latency),
    p99: quantile(0.99, latency),
  };
}

const ENDED: ReadonlySet<Counted["result"]> = new Set(["ok", "tool_error", "client_error", "server_error"]);

/** What the server, or the tool itself, could not do. */
export const isError = ({ result }: Pick<TrafficRow, "result">): boolean =>
  result === "server_error" || result === "tool_error";

const sum = (rows: readonly Counted[]): number => rows.reduce((total, { requests }) => total + requests, 0);

function share(rows: readonly Counted[], isGood: (row: Counted) => boolean): number | null {
  const all = sum(rows);
  return all === 0 ? null : sum(rows.filter(isGood)) / all;
}

/** All of one source, and so between the same bounds; one without counts has nothing to add. */
export function merge(latencies: readonly Latency[]): Latency {
  const filled = latencies.filter(({ counts }) => counts.length > 0);
  const bounds = filled[0]?.bounds ?? [];
  const counts = Array.from({ length: filled.length === 0 ? 0 : bounds.length + 1 }, () => 0);
  for (const latency of filled)
    for (let i = 0; i < counts.length; i++) counts[i] = (counts[i] ?? 0) + (latency.counts[i] ?? 0);
  return { bounds, counts };
}

/** Rows that agree in these members, with what they agree in; in the order of its values. */
export function groupBy<Row, Key extends Readonly<Record<string, string>>>(
  rows: readonly Row[],
  keyOf: (row: Row) => Key,
): readonly { readonly key: Key; readonly rows: readonly Row[] }[] {
  const groups = new Map<string, { readonly key: Key; readonly rows: Row[] }>();
  for (const row of rows) {
    const key = keyOf(row);
    const text = JSON.stringify(Object.values(key));
    const group = groups.get(text);
    if (group === undefined) groups.set(text, { key, rows: [row] });
    else group.rows.push(row);
  }
  return [...groups].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, group]) => group);
}
