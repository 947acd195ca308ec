// @ts-check
/**
 * One chart over the last minutes, drawn by uPlot, with its values of one moment as text: that of the pointer, that which
 * the arrow keys choose, else the last. What the canvas shows is for eyes alone; the text and the slider are for everyone.
 */
import uPlot from "./uplot.js";
import { clock } from "./format.js";
import { h, setProperties, setText, show } from "./h.js";
import { keyedChildren } from "./keyed.js";

/** `height`: where it is drawn, when it stands on others. @typedef {{ label: string, look: string, values: readonly (number | null)[], height?: readonly number[] }} Line */

const HEIGHT = 180;

/**
 * `look` of a line is the class of its swatch, and the custom property `--<look>` its colour.
 * @param {{ title: string, format: (value: number | null) => string, empty: string }} options
 */
export function createChart({ title, format, empty }) {
  const canvas = h("div", { class: "plot", "aria-hidden": "true" });
  const when = h("span", { class: "when" });
  const legend = h("ul", { class: "legend" });
  const slider = h(
    "div",
    { class: "plot-box", role: "slider", tabindex: 0, "aria-label": `${title}, moment`, "aria-valuemin": 0 },
    canvas,
  );
  const nothing = h("p", { class: "empty" }, empty);
  const element = h(
    "figure",
    { class: "chart" },
    h("figcaption", {}, h("h3", {}, title), when),
    slider,
    legend,
    nothing,
  );
  /** @type {uPlot | undefined} */
  let plot;
  /** @type {readonly number[]} */
  let slots = [];
  /** @type {readonly Line[]} */
  let lines = [];
  /** @type {number | undefined} */
  let chosen;
  let looks = "";

  const updateLegend = keyedChildren(legend, {
    key: (/** @type {Line} */ line) => `${line.look} ${line.label}`,
    create: (line) =>
      h("li", {}, h("i", { class: `swatch ${line.look}` }), h("span", {}, line.label), h("b", { class: "number" })),
    update(item, line) {
      const value = item.lastElementChild;
      if (value !== null) setText(value, format(line.values[at()] ?? null));
    },
  });
  const at = () => Math.min(chosen ?? slots.length - 1, slots.length - 1);
  const say = () => {
    updateLegend(lines);
    const time = clock((slots[at()] ?? 0) * 1_000);
    setText(when, slots.length === 0 ? "" : chosen === undefined ? `last at ${time}` : `at ${time}`);
    const values = lines.map(({ label, values: all }) => `${label} ${format(all[at()] ?? null)}`);
    setProperties(slider, {
      "aria-valuemax": Math.max(0, slots.length - 1),
      "aria-valuenow": Math.max(0, at()),
      "aria-valuetext": slots.length === 0 ? empty : `${time}: ${values.join(", ")}`,
    });
  };
  const draw = () => {
    const width = Math.floor(canvas.clientWidth);
    if (width === 0 || slots.length < 2) return;
    const data = /** @type {uPlot.AlignedData} */ ([
      [...slots],
      ...lines.map(({ values, height }) => [...(height ?? values)]),
    ]);
    const key = lines.map(({ look }) => look).join();
    if (plot !== undefined && key === looks) {
      if (plot.width !== width) plot.setSize({ width, height: HEIGHT });
      plot.setData(data);
      return;
    }
    plot?.destroy();
    looks = key;
    plot = new uPlot(plotOptions(width, lines, format, choose), data, canvas);
  };
  /** @param {number | null | undefined} index */
  const choose = (index) => {
    chosen = index ?? undefined;
    say();
  };

  slider.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: at() - 1, ArrowDown: at() - 1, ArrowRight: at() + 1, ArrowUp: at() + 1, Home: 0 };
    const end = { End: slots.length - 1 };
    const next = /** @type {Record<string, number>} */ ({ ...moves, ...end })[event.key];
    if (next === undefined || slots.length === 0) return;
    event.preventDefault();
    choose(Math.max(0, Math.min(next, slots.length - 1)));
    const x = slots[at()];
    if (plot !== undefined && x !== undefined) plot.setCursor({ left: plot.valToPos(x, "x"), top: 0 }, false);
  });
  slider.addEventListener("blur", () => {
    plot?.setCursor({ left: -10, top: -10 }, false);
    choose(undefined);
  });
  new ResizeObserver(draw).observe(canvas);

  return {
    element,
    /** @param {readonly number[]} nextSlots seconds since 1970 @param {readonly Line[]} nextLines the highest first where they stand on each other */
    update(nextSlots, nextLines) {
      slots = nextSlots;
      lines = nextLines;
      const isEmpty = lines.length === 0 || slots.length < 2;
      show(slider, !isEmpty);
      show(legend, !isEmpty);
      show(nothing, isEmpty);
      say();
      draw();
    },
    /** Colours are another theme's now. */
    redraw() {
      looks = "";
      draw();
    },
  };
}

/**
 * @param {number} width
 * @param {readonly Line[]} lines
 * @param {(value: number | null) => string} format
 * @param {(index: number | null | undefined) => void} choose
 * @returns {uPlot.Options}
 */
function plotOptions(width, lines, format, choose) {
  const colours = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const colour = (name) => colours.getPropertyValue(`--${name}`).trim();
  const grid = { stroke: colour("line"), width: 1 };
  const axis = { stroke: colour("muted"), font: "11px system-ui, sans-serif", grid, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    padding: [8, 4, 0, 0],
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      {
        ...axis,
        size: 24,
        values: (_, splits) => splits.map((split) => clock(split * 1_000).slice(0, 5)),
        incrs: [60, 120, 300],
      },
      { ...axis, size: 48, values: (_, splits) => splits.map((split) => (split === 0 ? "0" : format(split))) },
    ],
    series: [
      {},
      ...lines.map(({ look, height }) => ({
        stroke: colour(look),
        width: height ? 1.5 : 2,
        dash: DASHES[look] ?? [],
        points: { show: false },
        spanGaps: true,
        ...(height ? { fill: colour(`${look}-soft`) } : {}),
      })),
    ],
    hooks: {
      setCursor: [
        (self) => choose(self.cursor.left !== undefined && self.cursor.left < 0 ? undefined : self.cursor.idx),
      ],
    },
  };
}

/** Lines differ in more than colour. @type {Readonly<Record<string, number[]>>} */
const DASHES = { errors: [6, 4], denied: [2, 3], second: [8, 3], third: [3, 3], fourth: [10, 3, 2, 3] };
