/** The suite's findings with Toolgate in between, held against those without it. */
import type { Scenario } from "./requirements.ts";
import type { Check, Findings } from "./suite.ts";

export type Pair = { readonly direct: Findings; readonly through: Findings };

/** How many checks passed, of those that could be made. */
export type Tally = { readonly passed: number; readonly made: number };

export type Compared = {
  readonly scenario: Scenario;
  readonly direct: Tally;
  readonly through: Tally;
  /** What passes directly and not through Toolgate. */
  readonly lost: readonly Finding[];
  /** What does not pass directly either. */
  readonly failing: readonly Finding[];
};

/** A check that did not pass, and what the suite says about it. */
export type Finding = { readonly check: string; readonly because: string };

export const compare = (scenarios: readonly Scenario[], { direct, through }: Pair): readonly Compared[] =>
  scenarios.map((scenario) => compareOne(scenario, direct.get(scenario.name) ?? [], through.get(scenario.name) ?? []));

function compareOne(scenario: Scenario, direct: readonly Check[], through: readonly Check[]): Compared {
  const [before, after] = [numbered(direct), numbered(through)];
  const passed = [...before].filter(([, { status }]) => status === "SUCCESS");
  return {
    scenario,
    direct: tally(direct),
    through: tally(through),
    // One that is missing counts as well: a scenario that cannot begin makes few checks or none.
    lost: passed.flatMap(([check]) => (after.get(check)?.status === "SUCCESS" ? [] : finding(check, after.get(check)))),
    failing: [...before].flatMap(([check, found]) =>
      isMade(found) && found.status !== "SUCCESS" ? finding(check, found) : [],
    ),
  };
}

const isMade = ({ status }: Check): boolean => status === "SUCCESS" || status === "FAILURE" || status === "WARNING";

function tally(checks: readonly Check[]): Tally {
  const made = checks.filter(isMade);
  return { passed: made.filter(({ status }) => status === "SUCCESS").length, made: made.length };
}

const finding = (check: string, found: Check | undefined): Finding[] => [
  { check, because: found === undefined ? "not made" : (found.errorMessage ?? found.status) },
];

/** By requirement and name, and by number where a scenario has several of both. */
function numbered(checks: readonly Check[]): ReadonlyMap<string, Check> {
  const byName = new Map<string, Check>();
  for (const check of checks) {
    const name = check.name === check.id ? check.id : `${check.id} (${check.name})`;
    let unique = name;
    for (let number = 2; byName.has(unique); number++) unique = `${name} ${number}`;
    byName.set(unique, check);
  }
  return byName;
}
