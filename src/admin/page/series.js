// @ts-check
/** From the history that the API tells to what charts draw. */
import { matches } from "./filter.js";
import { valueOr } from "./answers.js";

/** @import { History, Series } from "./answers.js" */
/** @import { View } from "./view.js" */

/** @type {History} */
const NONE = { slotSeconds: 10, slots: [], series: [] };

/** What of the history passes the filter. @param {View} view @returns {History} */
export function chosenHistory({ answers, terms, aboutTool }) {
  const history = valueOr(answers.history, NONE);
  const series = history.series.filter(({ server, name }) => matches(terms, aboutTool(server, name || undefined)));
  return { ...history, series };
}

/**
 * Calls a second by how they ended, slot by slot.
 * @param {History} history
 * @returns {{ slots: number[], ok: number[], errors: number[], denied: number[], total: number[] }}
 */
export function rates({ slots, slotSeconds, series }) {
  /** @param {"requests" | "errors" | "denied"} member */
  const sum = (member) =>
    slots.map((_, i) => series.reduce((all, one) => all + (one[member][i] ?? 0), 0) / slotSeconds);
  const [total, errors, denied] = [sum("requests"), sum("errors"), sum("denied")];
  const ok = total.map((all, i) => Math.max(0, all - (errors[i] ?? 0) - (denied[i] ?? 0)));
  return { slots, ok, errors, denied, total };
}

/**
 * The p95 of the busiest things, slot by slot. Quantiles cannot be added up: each keeps its own line.
 * @param {History} history
 * @param {number} most
 * @returns {{ label: string, values: (number | null)[] }[]}
 */
export function latencies({ series }, most) {
  const timed = series.filter(({ p95 }) => p95.some((value) => value !== null));
  const several = new Set(timed.map(({ server }) => server)).size > 1;
  return timed
    .toSorted((one, other) => callsOf(other) - callsOf(one))
    .slice(0, most)
    .map(({ server, method, name, p95 }) => ({
      label: `${name === "" ? method : name}${several ? ` (${server})` : ""}`,
      values: p95,
    }));
}

/** @param {Series} one */
const callsOf = ({ requests }) => requests.reduce((all, some) => all + some, 0);

/**
 * Calls in each slot of what has this key, for the line in a table's row.
 * @param {History} history
 * @returns {(key: { server: string, method?: string | undefined, name?: string | undefined }) => readonly number[]}
 */
export function requestsOf({ slots, series }) {
  /** @type {Map<string, number[]>} */
  const sums = new Map();
  /** @param {string} key @param {readonly number[]} values */
  const add = (key, values) => {
    const sum = sums.get(key) ?? slots.map(() => 0);
    for (const [i, value] of values.entries()) sum[i] = (sum[i] ?? 0) + value;
    sums.set(key, sum);
  };
  for (const { server, method, name, requests } of series) {
    add(JSON.stringify([server]), requests);
    add(JSON.stringify([server, method, name]), requests);
  }
  return ({ server, method, name }) =>
    sums.get(JSON.stringify(method === undefined ? [server] : [server, method, name ?? ""])) ?? [];
}
