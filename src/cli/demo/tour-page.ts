/** Tells the tour: what each caller saw, what it could do, and what metrics and log say about it afterwards. */
import { CALLERS } from "./callers.ts";
import type { CallerName } from "./callers.ts";
import type { DecisionLine } from "./decision-log.ts";
import { bold, column, dim, green, heading, red, say, wrap, yellow } from "./screen.ts";
import type { Attempt, Tour, TurnedAway, View } from "./tour.ts";

const KIND_WIDTH = 12;
const COUNT_WIDTH = 10;
const INDENT = 2;

const INTRODUCTIONS: Readonly<Record<CallerName, string>> = {
  reader: "has a token with the claim role=reader, which Envoy has verified",
  admin: "has a token with the claim role=admin",
};

/** Prints what happened to each caller. `decisions` are Toolgate's own words for the same calls. */
export function printTour(tour: Tour, decisions: readonly DecisionLine[]): void {
  for (const caller of CALLERS) {
    heading(`${caller} ${INTRODUCTIONS[caller]}`);
    for (const refused of tour.turnedAway.filter((one) => one.caller === caller)) printTurnedAway(refused);
    for (const view of tour.views.filter((one) => one.caller === caller)) printView(view);
    const attempts = tour.attempts.filter((one) => one.caller === caller);
    if (attempts.length > 0) say();
    for (const attempt of attempts) printAttempt(attempt, decisions);
  }
  heading("a stranger has no token at all");
  for (const refused of tour.turnedAway.filter(({ caller }) => caller === "stranger")) printTurnedAway(refused);
}

function printView({ kind, seen, all }: View): void {
  const count = all === undefined ? `${seen.length}` : `${seen.length} of ${all.length}`;
  const hidden = (all ?? []).filter((name) => !seen.includes(name));
  const isNearlyAll = hidden.length > 0 && hidden.length <= 2 && seen.length > 2;
  const names = isNearlyAll ? `all but ${hidden.join(", ")}` : shortList(seen);
  say(" ".repeat(INDENT) + column(`sees ${kind}`, KIND_WIDTH + 4) + column(bold(count), COUNT_WIDTH) + names);
}

/** As many names as a line takes. */
function shortList(names: readonly string[]): string {
  const room = 66;
  let text = "";
  for (const [index, name] of names.entries()) {
    const next = index === 0 ? name : `${text}, ${name}`;
    if (next.length > room) return `${text}${dim(index === 0 ? "..." : ", ...")}`;
    text = next;
  }
  return text;
}

function printAttempt({ caller, call, answer }: Attempt, decisions: readonly DecisionLine[]): void {
  const decision = decisions.find((one) => one.caller === caller && call.startsWith(`${one.method} ${one.name}`));
  const mark = answer.refused ? red("refused") : decision?.decision === "audit" ? yellow("on trial") : green("allowed");
  say(" ".repeat(INDENT) + column(mark, 10) + call);
  say(...wrap(answer.text, INDENT + 10));
  if (decision === undefined || answer.refused) return; // A refusal's own sentence names the rule.
  const words = decision.decision === "audit" ? "would be refused by" : "by";
  say(...wrap(`${words} the rule ${decision.rule}`, INDENT + 10).map(dim));
}

function printTurnedAway({ status, sentence }: TurnedAway): void {
  say(" ".repeat(INDENT) + column(red("refused"), 10) + `with HTTP ${status}, before any session begins`);
  say(...wrap(sentence, INDENT + 10));
}

/** Prints some of what the tour has left behind: the metric lines of the tool calls, and a log line for each decision. */
export function printTraces(metrics: string, decisions: readonly DecisionLine[]): void {
  heading("What Toolgate has counted");
  for (const line of metricLines(metrics)) say(...hanging(line));

  heading("What Toolgate has logged, one line a call");
  const calls = decisions.filter(({ method }) => method === "tools/call");
  const shown = (calls.length > 0 ? calls : decisions).map(({ text }) => text);
  for (const line of oneOfEach(shown, /"decision":"\w+"/)) say(...hanging(line));
}

const SHOWN_METRICS = ["toolgate_requests_total{", "toolgate_authz_decisions_total{"];
const END_OF_CALL = /(?:result|decision)="\w+"/;

/** Of each metric one line of a tool call for each way that it can end. */
function metricLines(metrics: string): readonly string[] {
  const lines = metrics.split("\n");
  return SHOWN_METRICS.flatMap((name) => {
    const all = lines.filter((line) => line.startsWith(name) && !line.endsWith(" 0"));
    const calls = all.filter((line) => line.includes('"tools/call"'));
    // An empty label is the same as none, and only takes room.
    return oneOfEach(calls.length > 0 ? calls : all, END_OF_CALL).map((line) => line.replace(/,\w+=""/g, ""));
  });
}

/** The first of the lines that have the same word at this place. */
function oneOfEach(lines: readonly string[], place: RegExp): readonly string[] {
  const wordOf = (line: string) => place.exec(line)?.[0];
  return lines.filter((line, index) => lines.findIndex((other) => wordOf(other) === wordOf(line)) === index);
}

/** Wrapped, with all lines but the first further in. */
function hanging(text: string): readonly string[] {
  const [first = "", ...rest] = wrap(text, INDENT);
  return [first, ...rest.map((line) => dim(`  ${line}`))];
}
