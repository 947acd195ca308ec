// @ts-check
/** What panels are shown: the answers, and what the reader wants to see of them. */
import { matches } from "./filter.js";
import { valueOr } from "./answers.js";

/** @import { Answers, EdgeRow } from "./answers.js" */
/** @import { Term, Field, Subject } from "./filter.js" */

/**
 * @typedef {object} View
 * @property {Answers} answers
 * @property {readonly Term[]} terms
 * @property {number} windowSeconds
 * @property {number} now
 * @property {(server: string) => Subject} aboutServer
 * @property {(server: string, name: string | undefined) => Subject} aboutTool
 */

/** Each panel makes its element once. `choose`: a click on a name. @typedef {(field: Field, name: string) => void} Choose */

/**
 * @param {Answers} answers
 * @param {readonly Term[]} terms
 * @param {number} windowSeconds
 * @param {number} now
 * @returns {View}
 */
export function createView(answers, terms, windowSeconds, now) {
  const tools = valueOr(answers.toolEdges, []);
  const callersOf = index(tools, ({ server, tool }) => JSON.stringify([server, tool]), "caller");
  const callersAt = index(valueOr(answers.edges, []), ({ server }) => server, "caller");
  const toolsAt = index(tools, ({ server }) => server, "tool");
  return {
    answers,
    terms,
    windowSeconds,
    now,
    aboutServer: (server) => ({
      server: [server],
      tool: toolsAt.get(server) ?? [],
      caller: callersAt.get(server) ?? [],
    }),
    aboutTool: (server, name) => ({
      server: [server],
      tool: name === undefined ? [] : [name],
      caller: callersOf.get(JSON.stringify([server, name])) ?? [],
    }),
  };
}

/**
 * @param {readonly EdgeRow[]} rows
 * @param {(row: EdgeRow) => string} keyOf
 * @param {"caller" | "tool"} member
 */
function index(rows, keyOf, member) {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const row of rows) {
    const values = found.get(keyOf(row)) ?? [];
    values.push(row[member] ?? "");
    found.set(keyOf(row), values);
  }
  return found;
}

/** @param {View} view */
export const hasFilter = ({ terms }) => terms.length > 0;

/** Who calls what, by tool, with the calls of a server that are no tool calls as `tool: undefined`; filtered. @param {View} view @returns {readonly EdgeRow[]} */
export function flows({ answers, terms }) {
  const byTool = valueOr(answers.toolEdges, []);
  const rest = valueOr(answers.edges, []).flatMap((edge) => {
    const mine = byTool.filter((row) => isSamePair(row, edge));
    const left = { ...edge };
    for (const row of mine) {
      left.requests -= row.requests;
      left.rps -= row.rps;
      left.answered -= row.answered;
      left.denied -= row.denied;
      left.errors -= row.errors;
    }
    // The two answers are of two moments, a few calls apart.
    if (left.requests <= 0) return [];
    return [
      {
        ...left,
        rps: Math.max(0, left.rps),
        answered: Math.max(0, left.answered),
        denied: Math.max(0, left.denied),
        errors: Math.max(0, left.errors),
      },
    ];
  });
  return [...byTool, ...rest].filter(({ caller, server, tool }) =>
    matches(terms, { caller: [caller], server: [server], tool: tool === undefined ? [] : [tool] }),
  );
}

/** @param {EdgeRow} one @param {EdgeRow} other */
const isSamePair = (one, other) =>
  one.caller === other.caller && one.identity === other.identity && one.server === other.server;
