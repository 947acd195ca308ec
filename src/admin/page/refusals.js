// @ts-check
/** The last refusals, with those that say the same as one: a caller that tries again and again is one line. */

/** @import { DecisionLine } from "./answers.js" */
/** @typedef {{ key: string, line: DecisionLine, times: number, last: number }} Refusal */

/**
 * Newest first.
 * @param {readonly DecisionLine[]} lines
 * @returns {Refusal[]}
 */
export function groupRefusals(lines) {
  /** @type {Map<string, Refusal>} */
  const groups = new Map();
  for (const line of lines) {
    const { caller, server, method, policy, rule, reason, sentence } = line;
    const key = JSON.stringify([caller, server, method, targetOf(line), policy, rule, reason, sentence]);
    const last = Date.parse(line.time);
    const before = groups.get(key);
    if (before === undefined) groups.set(key, { key, line, times: 1, last });
    else
      groups.set(key, {
        key,
        line: before.last < last ? line : before.line,
        times: before.times + 1,
        last: Math.max(last, before.last),
      });
  }
  return [...groups.values()].toSorted((one, other) => other.last - one.last);
}

/** What was asked for, when it has a name. @param {DecisionLine} line */
export const targetOf = ({ tool, prompt, resource }) => tool ?? prompt ?? resource;
