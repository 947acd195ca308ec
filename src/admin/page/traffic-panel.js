// @ts-check
/** How it goes: calls by how they ended, and how long they take, over the last minutes. */
import { duration, rate } from "./format.js";
import { h } from "./h.js";
import { createChart } from "./chart.js";
import { createPanel } from "./panel.js";
import { chosenHistory, latencies, rates } from "./series.js";
import { createTiles } from "./tiles.js";
import { hasFilter } from "./view.js";

/** @import { View } from "./view.js" */

const LOOKS = ["first", "second", "third", "fourth"];

export function createTrafficPanel() {
  const tiles = createTiles();
  const calls = createChart({
    title: "Calls a second",
    format: (value) => rate(value ?? 0),
    empty: "Nothing to draw yet: a point is added every 10 seconds.",
  });
  const times = createChart({
    title: "Latency, p95 of the busiest",
    format: duration,
    empty: "No answered call to time in the last 5 minutes.",
  });
  const charts = h("div", { class: "charts" }, calls.element, times.element);
  const panel = createPanel({ id: "traffic", title: "Traffic" }, tiles.element, charts);
  return {
    element: panel.element,
    redraw() {
      calls.redraw();
      times.redraw();
    },
    /** @param {View} view */
    update(view) {
      const { answers, terms } = view;
      const isShown = panel.state([answers.edges, answers.toolEdges, answers.history], undefined);
      if (!isShown) return;
      const hasCaller = terms.some(({ field }) => field === "caller");
      panel.setAbout(
        hasCaller
          ? "Numbers are of the callers chosen; the charts and the latency are of all callers."
          : hasFilter(view)
            ? "Of what the filter chooses."
            : "",
      );
      tiles.update(view);
      const history = chosenHistory(view);
      const { slots, ok, errors, denied, total } = rates(history);
      const isQuiet = total.every((value) => value === 0);
      const stacked = [
        { label: "denied", look: "denied", values: denied, height: total },
        { label: "errors", look: "errors", values: errors, height: ok.map((value, i) => value + (errors[i] ?? 0)) },
        { label: "ok", look: "ok", values: ok, height: ok },
      ];
      calls.update(slots, isQuiet ? [] : stacked);
      times.update(
        slots,
        latencies(history, LOOKS.length).map((line, i) => ({ ...line, look: LOOKS[i] ?? "first" })),
      );
    },
  };
}
