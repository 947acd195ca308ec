// @ts-check
/** A line as high as the text beside it. It says nothing that the text does not: screen readers pass it over. */
import { setProperties, svg } from "./h.js";

const WIDTH = 80;
const HEIGHT = 20;

/** @returns {{ element: SVGSVGElement, update(values: readonly number[]): void }} */
export function createSparkline() {
  const area = svg("path", { class: "spark-area" });
  const line = svg("path", { class: "spark-line" });
  const element = svg(
    "svg",
    {
      class: "spark",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
      focusable: "false",
    },
    area,
    line,
  );
  return {
    element,
    update(values) {
      const path = linePath(values, WIDTH, HEIGHT);
      setProperties(line, { d: path });
      setProperties(area, { d: path === "" ? "" : `${path}V${HEIGHT}H0Z` });
    },
  };
}

/** @param {readonly number[]} values @param {number} width @param {number} height */
export function linePath(values, width, height) {
  if (values.length < 2) return "";
  const most = Math.max(...values, Number.MIN_VALUE);
  const points = values.map((value, i) => {
    const x = (i / (values.length - 1)) * width;
    const y = height - 1 - (value / most) * (height - 2);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}
