// @ts-check
/** What was refused, or would have been: the sentence that the caller got, and the rule that decided. */
import { isChosen, matches } from "./filter.js";
import { ago, plural } from "./format.js";
import { h, setProperties, setText, show } from "./h.js";
import { keyedChildren } from "./keyed.js";
import { createPanel } from "./panel.js";
import { groupRefusals, targetOf } from "./refusals.js";
import { hasFilter } from "./view.js";

/** @import { DecisionLine } from "./answers.js" */
/** @import { Refusal } from "./refusals.js" */
/** @import { View, Choose } from "./view.js" */

const MOST = 6;

/**
 * @param {object} options
 * @param {"deny" | "audit"} options.decision
 * @param {string} options.id
 * @param {string} options.title
 * @param {string} options.about
 * @param {(view: View) => string} options.empty
 * @param {Choose} choose
 */
export function createRefusalsPanel({ decision, id, title, about, empty }, choose) {
  /** @type {View | undefined} */
  let shown;
  let isWhole = false;
  const list = h("ol", { class: "refusals" });
  const more = h("button", { type: "button", class: "more", onclick: () => toggle() });
  const panel = createPanel({ id, title, about }, list, more);

  const updateList = keyedChildren(list, {
    key: (/** @type {Refusal} */ { key }) => key,
    create: ({ line }) => createRefusal(line, decision, choose),
    update(item, { line, times, last }) {
      const now = shown?.now ?? last;
      const when = item.querySelector("time");
      if (when !== null) setText(when, ago(last, now));
      if (when !== null) setProperties(when, { datetime: line.time, title: line.time });
      const number = item.querySelector(".times");
      if (number !== null) setText(number, times === 1 ? "" : `${times} times`);
      const rule = item.querySelector(".rule");
      if (rule !== null)
        setProperties(rule, { "aria-pressed": String(isChosen(shown?.terms ?? [], "rule", ruleOf(line))) });
    },
  });
  const toggle = () => {
    isWhole = !isWhole;
    if (shown !== undefined) update(shown);
  };
  /** @param {View} view */
  const update = (view) => {
    shown = view;
    const { answers, terms } = view;
    const lines = answers.denials.ok ? answers.denials.value.filter((line) => line.decision === decision) : [];
    const refusals = groupRefusals(lines.filter((line) => matches(terms, aboutLine(line))));
    const none = hasFilter(view) && lines.length > 0 ? "Nothing here matches the filter." : empty(view);
    if (!panel.state([answers.denials], refusals.length > 0 ? undefined : none)) return;
    updateList(isWhole ? refusals : refusals.slice(0, MOST));
    show(more, refusals.length > MOST);
    setText(more, isWhole ? "Show fewer" : `Show all ${refusals.length}`);
  };
  return { element: panel.element, update };
}

/** @param {{ policy: string, rule: string }} line */
const ruleOf = ({ policy, rule }) => `${policy}/${rule}`;

/** @param {DecisionLine} line */
const aboutLine = (line) => ({
  server: [line.server ?? ""],
  tool: [targetOf(line) ?? line.method],
  caller: [line.caller],
  rule: [ruleOf(line)],
});

/** @param {DecisionLine} line @param {"deny" | "audit"} decision @param {Choose} choose */
function createRefusal(line, decision, choose) {
  const what = targetOf(line);
  const verb = decision === "audit" ? "would be refused by" : "refused by";
  return h(
    "li",
    { class: `refusal ${decision}` },
    h(
      "p",
      { class: "refusal-head" },
      h(
        "span",
        { class: "refusal-what" },
        h("b", {}, line.caller),
        ` → ${line.server ?? "no known server"} `,
        h("code", {}, line.method),
        what === undefined ? undefined : " ",
        what === undefined ? undefined : h("b", {}, what),
      ),
      h("span", { class: "refusal-when" }, h("span", { class: "times" }), " ", h("time")),
    ),
    h(
      "p",
      { class: "verdict" },
      `${verb} `,
      h("button", { type: "button", class: "rule", onclick: () => choose("rule", ruleOf(line)) }, ruleOf(line)),
      " ",
      line.reason === undefined ? undefined : h("span", { class: "reason" }, line.reason),
    ),
    line.sentence === undefined ? undefined : h("blockquote", {}, line.sentence),
    h("details", {}, h("summary", {}, "The whole decision"), members(line)),
  );
}

/** @param {DecisionLine} line */
const members = (line) =>
  h(
    "dl",
    { class: "members" },
    ...Object.entries(line).map(([name, value]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, typeof value === "string" ? value : JSON.stringify(value))),
    ),
  );

/** @param {View} view */
export const noDenials = ({ answers }) =>
  answers.servers.ok && answers.servers.value.some(({ requests }) => requests > 0)
    ? "Nothing was refused: every call that came was allowed by a rule."
    : "Nothing was refused yet. What policy does not allow is refused, and told here with the rule that decided.";

/** @param {View} view */
export function noAudits({ answers }) {
  const rules = answers.policies.ok ? answers.policies.value.rules : [];
  const audited = new Set(rules.filter(({ mode }) => mode === "Audit").map(({ policy }) => policy));
  return audited.size === 0
    ? "No policy is in audit mode. Set mode: Audit in a policy to see here what it would refuse, before it does."
    : `${plural(audited.size, "policy is", "policies are")} in audit mode, and would have refused nothing so far.`;
}
