// @ts-check
/**
 * How the links are drawn: each as up to three strands, one for each way that calls ended, as wide as their share. A link
 * is as wide as its rate, on a scale that lets a small one be seen beside a large one.
 */

import { isRest } from "./graph.js";

/** @import { Graph, GraphLink, Column } from "./graph.js" */
/** @typedef {{ id: string, path: string, width: number, look: "ok" | "errors" | "denied", from: string, to: string, isRest: boolean }} Strand */

const ROW = 38;
const WIDEST = 13;
const THINNEST = 1.5;
/** Of a node's height what links may use. */
const PORT = 24;

/** @param {Graph} graph */
export const heightOf = ({ nodes }) => Math.max(nodes.caller.length, nodes.server.length, nodes.tool.length) * ROW;

/**
 * Where the middle of each node is: each column is spread over the whole height.
 * @param {Graph} graph
 * @returns {ReadonlyMap<string, number>}
 */
export function middles(graph) {
  const height = heightOf(graph);
  return new Map(
    Object.values(graph.nodes).flatMap((nodes) =>
      nodes.map(({ id }, i) => /** @type {const} */ ([id, ((i + 0.5) * height) / nodes.length])),
    ),
  );
}

/**
 * @param {Graph} graph
 * @param {Readonly<Record<Column, { left: number, right: number }>>} columns
 * @returns {Strand[]}
 */
export function strands(graph, columns) {
  const middle = middles(graph);
  const single = graph.links.filter((link) => !ofRest(link));
  const busiest = Math.max(...(single.length > 0 ? single : graph.links).map(({ rps }) => rps), Number.MIN_VALUE);
  const links = graph.links.map((link) => ({
    link,
    width: Math.min(WIDEST, Math.max(THINNEST, WIDEST * Math.sqrt(link.rps / busiest))),
    y1: middle.get(link.from) ?? 0,
    y2: middle.get(link.to) ?? 0,
  }));
  const leaving = ports(
    links,
    ({ link }) => link.from,
    ({ y2 }) => y2,
  );
  const arriving = ports(
    links,
    ({ link }) => link.to,
    ({ y1 }) => y1,
  );
  return links.flatMap((placed, i) => {
    const { link, width } = placed;
    const isFirst = link.from.startsWith("caller");
    const x1 = isFirst ? columns.caller.right : columns.server.right;
    const x2 = isFirst ? columns.server.left : columns.tool.left;
    return split(link, width).map(({ look, offset, width: own }) => ({
      id: `${link.from}\n${link.to}\n${look}`,
      look,
      from: link.from,
      to: link.to,
      isRest: ofRest(link),
      width: own,
      path: curve(x1, placed.y1 + (leaving[i] ?? 0) + offset, x2, placed.y2 + (arriving[i] ?? 0) + offset),
    }));
  });
}

/** @param {GraphLink} link */
const ofRest = ({ from, to }) => isRest(from) || isRest(to);

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
function curve(x1, y1, x2, y2) {
  const [a, b, c, d] = [y1, y2, x1, x2].map((value) => value.toFixed(1));
  const half = ((x1 + x2) / 2).toFixed(1);
  return `M${c} ${a}C${half} ${a} ${half} ${b} ${d} ${b}`;
}

/** @param {GraphLink} link @param {number} width */
function split({ requests, errors, denied }, width) {
  const shares = [
    { look: /** @type {const} */ ("ok"), calls: Math.max(0, requests - errors - denied) },
    { look: /** @type {const} */ ("errors"), calls: errors },
    { look: /** @type {const} */ ("denied"), calls: denied },
  ].filter(({ calls }) => calls > 0);
  const widths = shares.map(({ calls }) => Math.max(THINNEST, (width * calls) / Math.max(1, requests)));
  const whole = widths.reduce((all, own) => all + own, 0) + (shares.length - 1);
  let top = -whole / 2;
  return shares.map(({ look }, i) => {
    const own = widths[i] ?? THINNEST;
    const offset = top + own / 2;
    top += own + 1;
    return { look, width: own, offset };
  });
}

/**
 * How far from its node's middle each link begins: in the order of their other ends, so that they do not cross there.
 * @template Placed
 * @param {readonly (Placed & { width: number })[]} links
 * @param {(placed: Placed) => string} nodeOf
 * @param {(placed: Placed) => number} otherEnd
 */
function ports(links, nodeOf, otherEnd) {
  /** @type {number[]} */
  const offsets = links.map(() => 0);
  for (const group of Map.groupBy(links.keys(), (i) => nodeOf(at(links, i))).values()) {
    const order = group.toSorted((i, j) => otherEnd(at(links, i)) - otherEnd(at(links, j)));
    const whole = order.reduce((all, i) => all + at(links, i).width + 2, 0);
    const scale = Math.min(1, PORT / whole);
    let top = (-whole * scale) / 2;
    for (const i of order) {
      const room = (at(links, i).width + 2) * scale;
      offsets[i] = top + room / 2;
      top += room;
    }
  }
  return offsets;
}

/** @template T @param {readonly T[]} values @param {number} i @returns {T} */
function at(values, i) {
  const value = values[i];
  if (value === undefined) throw new RangeError(`there is no link ${i}`);
  return value;
}
