// @ts-check
/** The golden signals of each tool, prompt, resource method or server: one table, and a choice of which. */
import { isChosen, matches } from "./filter.js";
import { count, duration, percent, plural, rate } from "./format.js";
import { h, setProperties, setText } from "./h.js";
import { createPanel } from "./panel.js";
import { chosenHistory, requestsOf } from "./series.js";
import { createSparkline } from "./sparkline.js";
import { createTable } from "./table.js";
import { hasFilter } from "./view.js";

/** @import { StatRow } from "./answers.js" */
/** @import { View, Choose } from "./view.js" */
/** @import { Column } from "./table.js" */

/** @typedef {StatRow & { calls: readonly number[], chosen: boolean }} Row */

const KINDS = /** @type {const} */ (["tools", "prompts", "resources", "servers"]);
/** @typedef {typeof KINDS[number]} Kind */

const EMPTY = {
  tools: "No tool has been called yet. A tool has its row here as soon as a caller lists or calls it through Envoy.",
  prompts: "No prompt has been asked for yet.",
  resources: "No resource has been read yet.",
  servers: "No server is known: write an MCPServer document into the policy folder, and it has its row here.",
};

const UNKNOWN = "_unknown: names that no policy and no list of the server has. A caller may have made them up.";

/** @param {Choose} choose */
export function createSignalsPanel(choose) {
  /** @type {Kind} */
  let kind = "tools";
  /** @type {View | undefined} */
  let shown;
  const place = h("div");
  const buttons = KINDS.map((each) =>
    h("button", { type: "button", onclick: () => select(each) }, `${each[0]?.toUpperCase()}${each.slice(1)}`),
  );
  const switcher = h("div", { class: "switch", role: "group", "aria-label": "Signals of" }, ...buttons);
  const panel = createPanel({ id: "signals", title: "Signals" }, place);
  panel.element.querySelector("header")?.append(switcher);
  const tables = new Map(KINDS.map((each) => [each, createSignalsTable(each, choose)]));

  /** @param {Kind} next */
  const select = (next) => {
    kind = next;
    if (shown !== undefined) update(shown);
  };
  /** @param {View} view */
  const update = (view) => {
    shown = view;
    for (const [i, button] of buttons.entries()) setProperties(button, { "aria-pressed": String(KINDS[i] === kind) });
    const answer = view.answers[kind];
    const rows = answer.ok ? answer.value.filter((row) => isWanted(view, kind, row)) : [];
    const empty = rows.length > 0 ? undefined : hasFilter(view) ? `Nothing here matches the filter.` : EMPTY[kind];
    panel.setAbout(rows.some(({ name }) => name === "_unknown") ? UNKNOWN : "");
    if (!panel.state([answer], empty)) return;
    const table = tables.get(kind);
    if (table === undefined) return;
    if (place.firstChild !== table.element) place.replaceChildren(table.element);
    const callsOf = requestsOf(chosenHistory(view));
    table.update(rows.map((row) => ({ ...row, calls: callsOf(row), chosen: isRowChosen(view, kind, row) })));
  };
  return { element: panel.element, update };
}

/** @param {View} view @param {Kind} kind @param {StatRow} row */
const isWanted = ({ terms, aboutServer, aboutTool }, kind, { server, name }) =>
  matches(terms, kind === "servers" ? aboutServer(server) : aboutTool(server, name));

/** @param {View} view @param {Kind} kind @param {StatRow} row */
const isRowChosen = ({ terms }, kind, { server, name }) =>
  kind === "servers" ? isChosen(terms, "server", server) : name !== undefined && isChosen(terms, "tool", name);

/** @param {Kind} kind @param {Choose} choose */
function createSignalsTable(kind, choose) {
  /** @param {Row} row */
  const nameOf = ({ server, name, method }) => (kind === "servers" ? server : (name ?? method ?? server));
  /** @type {Column<Row>} */
  const name = {
    id: "name",
    label: kind === "servers" ? "Server" : kind === "resources" ? "Method" : kind === "tools" ? "Tool" : "Prompt",
    heading: true,
    value: nameOf,
    fill(cell, row) {
      const isTarget = kind === "servers" || row.name !== undefined;
      if (cell.firstChild === null) {
        const field = kind === "servers" ? "server" : "tool";
        const label = isTarget
          ? h("button", { type: "button", class: "name", onclick: () => choose(field, nameOf(row)) }, nameOf(row))
          : h("span", { class: "name method" }, nameOf(row));
        cell.append(label);
        if (kind !== "servers") cell.append(h("span", { class: "where" }, row.server));
      }
      if (isTarget && cell.firstElementChild !== null)
        setProperties(cell.firstElementChild, { "aria-pressed": String(row.chosen) });
    },
  };
  /** @type {Column<Row>} */
  const server = { id: "server", label: "Server", wide: true, value: (row) => row.server };
  const toolErrors = number("tool_errors", "Tool errors", (row) => row.tool_errors, count);
  const streams = number("streams", "Streams", (row) => row.streams ?? 0, count);
  const columns = [
    name,
    ...(kind === "servers" ? [] : [server]),
    {
      id: "rps",
      label: "Calls/s",
      numeric: true,
      value: (/** @type {Row} */ row) => row.rps,
      text: (/** @type {Row} */ row) => rate(row.rps),
    },
    sparkColumn,
    { ...percentColumn, look: (/** @type {Row} */ { success }) => (success !== null && success < 1 ? "errors" : "") },
    ...(kind === "tools" ? [{ ...toolErrors, wide: true }] : []),
    { ...number("client_errors", "Client errors", (row) => row.client_errors, count), wide: true },
    {
      ...number("denied", "Denied", (row) => row.denied, count),
      look: (/** @type {Row} */ row) => (row.denied > 0 ? "denied" : ""),
    },
    { ...number("p50", "p50", (row) => row.p50, duration), wide: true },
    number("p95", "p95", (row) => row.p95, duration),
    { ...number("p99", "p99", (row) => row.p99, duration), wide: true },
    ...(kind === "servers" ? [streams] : []),
  ];
  return createTable({
    caption: `Signals of ${kind}`,
    columns,
    key: ({ server: where, method, name: what }) => JSON.stringify([where, method, what]),
    order: { column: "rps", descending: true },
    noun: kind === "resources" ? "methods" : kind,
  });
}

/** @type {Column<Row>} */
const percentColumn = {
  id: "success",
  label: "Success",
  numeric: true,
  value: ({ success }) => success,
  text: ({ success }) => percent(success),
};

/** @type {WeakMap<HTMLElement, ReturnType<typeof createSparkline>>} */
const sparks = new WeakMap();

/** @type {Column<Row>} */
const sparkColumn = {
  id: "trend",
  label: "Last 5 min",
  wide: true,
  value: ({ calls }) => calls.reduce((all, some) => all + some, 0),
  fill(cell, { calls }) {
    const spark = sparks.get(cell) ?? createSparkline();
    if (!sparks.has(cell)) {
      sparks.set(cell, spark);
      cell.append(spark.element, h("span", { class: "unseen" }));
    }
    spark.update(calls);
    const words = cell.lastElementChild;
    if (words !== null)
      setText(
        words,
        plural(
          calls.reduce((all, some) => all + some, 0),
          "call",
        ),
      );
  },
};

/**
 * @param {string} id
 * @param {string} label
 * @param {(row: Row) => number | null} value
 * @param {(value: any) => string} format
 * @returns {Column<Row>}
 */
function number(id, label, value, format) {
  return { id, label, numeric: true, value, text: (row) => format(value(row)) };
}
