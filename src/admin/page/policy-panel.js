// @ts-check
/** The policy in force: how often each rule has decided since the start, those that never have, and what is wrong. */
import { isChosen, matches } from "./filter.js";
import { count, plural } from "./format.js";
import { h, setProperties, setText, show } from "./h.js";
import { createPanel } from "./panel.js";
import { createTable } from "./table.js";
import { hasFilter } from "./view.js";

/** @import { Problem, RuleRow } from "./answers.js" */
/** @import { View, Choose } from "./view.js" */

/** @typedef {RuleRow & { chosen: boolean }} Row */

/** @param {Choose} choose */
export function createPolicyPanel(choose) {
  /** @type {View | undefined} */
  let shown;
  let onlyUnused = false;
  const problems = h("ul", { class: "problems", "aria-label": "Problems" });
  const unused = h("button", { type: "button", "aria-pressed": "false", onclick: () => flip() }, "Never matched");
  const table = createRulesTable(choose);
  const none = h("p", { class: "empty" });
  const panel = createPanel({ id: "policy", title: "Policy" }, problems, table.element, none);
  panel.element.querySelector("header")?.append(h("div", { class: "switch" }, unused));

  const flip = () => {
    onlyUnused = !onlyUnused;
    setProperties(unused, { "aria-pressed": String(onlyUnused) });
    if (shown !== undefined) update(shown);
  };
  /** @param {View} view */
  const update = (view) => {
    shown = view;
    const { answers, terms } = view;
    const answer = answers.policies;
    const rules = answer.ok ? answer.value.rules : [];
    const wanted = rules
      .filter((rule) => matches(terms, aboutRule(rule)) && (!onlyUnused || hits(rule) === 0))
      .map((rule) => ({ ...rule, chosen: isChosen(terms, "rule", ruleOf(rule)) }));
    const faults = answer.ok ? [...answer.value.problems, ...answer.value.warnings] : [];
    const empty =
      rules.length === 0 && faults.length === 0
        ? "No rule is in force, so nothing passes: write an MCPServer and an MCPAccessPolicy into the policy folder."
        : undefined;
    if (!panel.state([answer], empty) || !answer.ok) return;
    const never = rules.filter((rule) => hits(rule) === 0).length;
    const { generation, counts } = answer.value;
    panel.setAbout(
      [
        plural(counts["policies"] ?? 0, "policy", "policies"),
        plural(rules.length, "rule"),
        never === 0 ? "each has matched" : `${never} never matched`,
        `generation ${generation}`,
      ].join(" · "),
    );
    show(problems, faults.length > 0);
    problems.replaceChildren(
      ...answer.value.problems.map((problem) => describeProblem(problem, "problem")),
      ...answer.value.warnings.map((warning) => describeProblem(warning, "warning")),
    );
    table.update(wanted);
    show(table.element, wanted.length > 0);
    show(none, wanted.length === 0);
    setText(none, noRule(view));
  };
  return { element: panel.element, update };
}

/** @param {{ policy: string, rule: string }} row */
const ruleOf = ({ policy, rule }) => `${policy}/${rule}`;

/** @param {RuleRow} rule */
const hits = ({ allowed, denied, audited }) => allowed + denied + audited;

/** @param {RuleRow} rule */
const aboutRule = (rule) => ({
  rule: [ruleOf(rule), rule.action, rule.mode],
  ...(rule.servers === undefined ? {} : { server: rule.servers }),
});

/** @param {View} view */
const noRule = (view) => (hasFilter(view) ? "No rule matches the filter." : "Each rule in force has matched.");

/** @param {Problem} problem @param {"problem" | "warning"} kind */
function describeProblem({ file, line, path, message }, kind) {
  const where = [file, line].filter((part) => part !== undefined).join(":");
  return h(
    "li",
    { class: kind },
    h("b", {}, kind === "problem" ? "Not in force: " : "Warning: "),
    where === "" ? undefined : h("code", {}, where),
    ` ${path === undefined || path === "" ? "" : `${path}: `}${message}`,
  );
}

/** @param {Choose} choose */
const createRulesTable = (choose) =>
  createTable({
    caption: "Rules in force, with the decisions since the start",
    noun: "rules",
    key: (/** @type {Row} */ row) => ruleOf(row),
    order: { column: "hits", descending: true },
    columns: [
      {
        id: "rule",
        label: "Rule",
        heading: true,
        value: ({ rule }) => rule,
        fill(cell, row) {
          if (cell.firstChild === null)
            cell.append(
              h("button", { type: "button", class: "name", onclick: () => choose("rule", ruleOf(row)) }, row.rule),
              h("span", { class: "where" }, row.policy),
              " ",
              h("span", { class: "badge never", hidden: true }, "never matched"),
            );
          const [button, , badge] = /** @type {HTMLElement[]} */ ([...cell.children]);
          if (button !== undefined) setProperties(button, { "aria-pressed": String(row.chosen) });
          if (badge !== undefined) show(badge, hits(row) === 0);
        },
      },
      { id: "policy", label: "Policy", wide: true, value: ({ policy }) => policy },
      {
        id: "action",
        label: "Action",
        value: ({ action }) => action,
        fill(cell, { action, mode }) {
          if (cell.firstChild === null) cell.append(h("span"), " ", h("span", { class: "badge audit" }, "Audit"));
          const [word, badge] = /** @type {HTMLElement[]} */ ([...cell.children]);
          if (word !== undefined) setText(word, action);
          if (badge !== undefined) show(badge, mode === "Audit");
        },
      },
      { id: "hits", label: "Decisions", numeric: true, wide: true, value: hits, text: (row) => count(hits(row)) },
      {
        id: "allowed",
        label: "Allowed",
        numeric: true,
        value: ({ allowed }) => allowed,
        text: ({ allowed }) => count(allowed),
      },
      {
        id: "denied",
        label: "Denied",
        numeric: true,
        value: ({ denied }) => denied,
        text: ({ denied }) => count(denied),
        look: ({ denied }) => (denied > 0 ? "denied" : ""),
      },
      {
        id: "audited",
        label: "Would deny",
        numeric: true,
        value: ({ audited }) => audited,
        text: ({ audited }) => count(audited),
        look: ({ audited }) => (audited > 0 ? "audit" : ""),
      },
    ],
  });
