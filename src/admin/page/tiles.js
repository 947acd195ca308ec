// @ts-check
/** The state of everything, or of what the filter chooses, in one line of numbers. */
import { matches } from "./filter.js";
import { count, duration, percent, plural, rate } from "./format.js";
import { h, setText } from "./h.js";
import { valueOr } from "./answers.js";
import { chosenHistory, rates } from "./series.js";
import { createSparkline } from "./sparkline.js";
import { flows, hasFilter } from "./view.js";

/** @import { StatRow } from "./answers.js" */
/** @import { View } from "./view.js" */

/** @param {string} label @param {string} look */
function createTile(label, look) {
  const value = h("b", { class: "tile-value" }, "–");
  const note = h("span", { class: "tile-note" });
  const spark = createSparkline();
  const element = h("li", { class: `tile ${look}` }, h("span", { class: "tile-label" }, label), value, note);
  return {
    element,
    /** @param {string} text @param {string} about @param {{ values?: readonly number[], alarm?: boolean }} [more] */
    update(text, about, { values, alarm = false } = {}) {
      setText(value, text);
      setText(note, about);
      element.classList.toggle("alarm", alarm);
      if (values !== undefined && spark.element.parentNode === null) element.append(spark.element);
      if (values !== undefined) spark.update(values);
    },
  };
}

export function createTiles() {
  const calls = createTile("Calls", "total");
  const success = createTile("Success", "ok");
  const errors = createTile("Errors", "errors");
  const slowest = createTile("Slowest p95", "latency");
  const denied = createTile("Denied", "denied");
  const audited = createTile("Would be denied", "audit");
  const open = createTile("Open streams", "open");
  const tiles = [calls, success, errors, slowest, denied, audited, open];
  return {
    element: h("ul", { class: "tiles", "aria-label": "Signals" }, ...tiles.map(({ element }) => element)),
    /** @param {View} view */
    update(view) {
      const { answers, terms, windowSeconds } = view;
      const rows = flows(view);
      /** @param {"requests" | "rps" | "answered" | "denied" | "errors"} member */
      const sum = (member) => rows.reduce((all, row) => all + row[member], 0);
      const requests = sum("requests");
      const answered = sum("answered");
      const history = rates(chosenHistory(view));
      const last = `in ${windowSeconds === 60 ? "the last minute" : "the last 5 minutes"}`;
      calls.update(`${rate(sum("rps"))}/s`, `${count(requests)} ${last}`, { values: history.total });
      const share = answered > 0 ? 1 - sum("errors") / answered : null;
      success.update(percent(share), answered > 0 ? `of ${count(answered)} answered` : "nothing was answered");
      errors.update(count(sum("errors")), "of servers and tools", { values: history.errors, alarm: sum("errors") > 0 });
      const slow = slowestOf(view);
      slowest.update(duration(slow?.p95), slow === undefined ? "nothing was timed" : (slow.name ?? slow.server));
      const refused = sum("denied");
      denied.update(count(refused), requests > 0 ? `${percent(refused / requests)} of calls` : last, {
        values: history.denied,
        alarm: refused > 0,
      });
      const shadow = auditedOf(view);
      audited.update(count(shadow), "by policies in audit mode", { alarm: shadow > 0 });
      const activity = valueOr(answers.streams, []).filter(({ server }) => matches(terms, view.aboutServer(server)));
      const inflight = activity.reduce((all, one) => all + one.inflight, 0);
      open.update(count(activity.reduce((all, one) => all + one.streams, 0)), `${plural(inflight, "call")} in flight`);
    },
  };
}

/** @param {View} view @returns {StatRow | undefined} */
function slowestOf(view) {
  const { answers, terms } = view;
  const tools = [answers.tools, answers.prompts, answers.resources].flatMap((answer) => valueOr(answer, []));
  const rows = hasFilter(view)
    ? tools.filter(({ server, name }) => matches(terms, view.aboutTool(server, name)))
    : tools;
  return rows.filter(({ p95 }) => p95 !== null).toSorted((one, other) => (other.p95 ?? 0) - (one.p95 ?? 0))[0];
}

/** @param {View} view */
const auditedOf = ({ answers, terms, aboutTool }) =>
  valueOr(answers.authz, [])
    .filter(({ server, name }) => matches(terms, aboutTool(server, name)))
    .reduce((all, { audited }) => all + audited, 0);
