// @ts-check
/** Who calls what, as nodes in three columns and links between them. What is too much to draw becomes one node. */

/** @import { EdgeRow } from "./answers.js" */

/** @typedef {"caller" | "server" | "tool"} Column */
/**
 * @typedef {object} GraphNode
 * @property {string} id
 * @property {Column} column
 * @property {string} name
 * @property {string} detail identity of a caller, server of a tool
 * @property {number} rps
 * @property {number} errors
 * @property {number} denied
 * @property {boolean} isGroup stands for several, or for no one thing: it cannot be chosen
 */
/** @typedef {{ from: string, to: string, rps: number, requests: number, errors: number, denied: number }} GraphLink */
/** @typedef {{ nodes: Readonly<Record<Column, GraphNode[]>>, links: GraphLink[], paths: ReadonlySet<string>[] }} Graph */

export const MOST = { caller: 12, server: 12, tool: 20 };

/** @param {readonly EdgeRow[]} rows by tool; without one: the other methods @returns {Graph} */
export function createGraph(rows) {
  const caller = ranked(rows, "caller", "callers", (row) => [row.caller, row.identity]);
  const server = ranked(rows, "server", "servers", (row) => [row.server, ""]);
  const tool = ranked(rows, "tool", "tools", (row) => [row.tool ?? "", row.server]);
  /** @type {Map<string, GraphLink>} */
  const links = new Map();
  /** @type {Map<string, ReadonlySet<string>>} */
  const paths = new Map();
  for (const row of rows) {
    const ids = [caller.idOf(row), server.idOf(row), tool.idOf(row)];
    const [from = "", at = "", to = ""] = ids;
    addTo(links, from, at, row);
    addTo(links, at, to, row);
    paths.set(ids.join("\n"), new Set(ids));
  }
  const place = new Map(server.nodes.map(({ id }, i) => [id, i]));
  /** @param {GraphNode} node */
  const middle = ({ id }) => {
    const mine = [...links.values()].filter(({ from, to }) => from === id || to === id);
    const all = mine.reduce((sum, { rps }) => sum + rps, 0);
    const sum = mine.reduce((total, { from, to, rps }) => total + (place.get(from) ?? place.get(to) ?? 0) * rps, 0);
    return all === 0 ? 0 : sum / all;
  };
  /** Beside what they are linked to, so that few links cross. @param {GraphNode[]} nodes */
  const beside = (nodes) => {
    const order = new Map(nodes.map((node) => [node, middle(node)]));
    return nodes.toSorted(
      (one, other) =>
        Number(isRest(one.id)) - Number(isRest(other.id)) ||
        (order.get(one) ?? 0) - (order.get(other) ?? 0) ||
        other.rps - one.rps,
    );
  };
  const nodes = { caller: beside(caller.nodes), server: server.nodes, tool: beside(tool.nodes) };
  return { nodes, links: [...links.values()], paths: [...paths.values()] };
}

/** Whether the node stands for all that are not drawn. @param {string} id */
export const isRest = (id) => id.endsWith(REST);

const REST = ":rest";

/**
 * The busiest, and one node for all others.
 * @param {readonly EdgeRow[]} rows
 * @param {Column} column
 * @param {string} noun
 * @param {(row: EdgeRow) => [name: string, detail: string]} partsOf
 */
function ranked(rows, column, noun, partsOf) {
  /** @param {EdgeRow} row */
  const fullId = (row) => `${column}:${JSON.stringify(partsOf(row))}`;
  /** @type {Map<string, GraphNode>} */
  const found = new Map();
  for (const row of rows) {
    const [name, detail] = partsOf(row);
    const node = found.get(fullId(row)) ?? nodeOf(column, fullId(row), name, detail);
    found.set(node.id, plus(node, row));
  }
  const all = [...found.values()].toSorted((one, other) => other.rps - one.rps);
  // One more is as much room as the node that would stand for it.
  const kept = all.length <= MOST[column] + 1 ? all : all.slice(0, MOST[column]);
  const others = all.slice(kept.length);
  const ids = new Set(kept.map(({ id }) => id));
  const rest = others.reduce(plus, {
    ...nodeOf(column, `${column}${REST}`, `${others.length} more ${noun}`, ""),
    isGroup: true,
  });
  return {
    nodes: others.length === 0 ? kept : [...kept, rest],
    /** @param {EdgeRow} row */
    idOf: (row) => (ids.has(fullId(row)) ? fullId(row) : rest.id),
  };
}

/** @param {Column} column @param {string} id @param {string} name @param {string} detail @returns {GraphNode} */
const nodeOf = (column, id, name, detail) =>
  name === ""
    ? { id, column, name: "other methods", detail, rps: 0, errors: 0, denied: 0, isGroup: true }
    : { id, column, name, detail, rps: 0, errors: 0, denied: 0, isGroup: false };

/**
 * @template {{ rps: number, errors: number, denied: number }} Sum
 * @param {Sum} sum
 * @param {{ rps: number, errors: number, denied: number }} row
 * @returns {Sum}
 */
const plus = (sum, { rps, errors, denied }) => ({
  ...sum,
  rps: sum.rps + rps,
  errors: sum.errors + errors,
  denied: sum.denied + denied,
});

/** @param {Map<string, GraphLink>} links @param {string} from @param {string} to @param {EdgeRow} row */
function addTo(links, from, to, row) {
  const key = `${from}\n${to}`;
  const link = links.get(key) ?? { from, to, rps: 0, requests: 0, errors: 0, denied: 0 };
  links.set(key, { ...plus(link, row), requests: link.requests + row.requests });
}
