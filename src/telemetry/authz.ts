/** Which rule decided what: the answer to `toolgate authz`. A rule that never decided anything has a row too. */
import type { RuleInForce } from "../core/policy/policy-set.ts";
import { groupBy, signalsOf } from "./signals.ts";
import type { Signals } from "./signals.ts";
import type { TrafficRow, Window } from "./traffic.ts";

export type AuthzRow = Pick<Signals, "denied" | "audited" | "success" | "rps" | "p50" | "p95" | "p99"> & {
  readonly server: string;
  /** Neither of them: no call was decided by the rule. */
  readonly method?: string;
  readonly name?: string;
  readonly policy: string;
  readonly rule: string;
  readonly mode: string;
  readonly allowed: number;
};

export function authz({ rows, seconds }: Window, rules: readonly RuleInForce[]): readonly AuthzRow[] {
  const decided = groupBy(
    rows.filter(({ requests }) => requests > 0),
    ({ server, method, name, policy, rule, mode }) => ({ server, method, name, policy, rule, mode }),
  ).map(({ key: { name, ...key }, rows: group }) => row({ ...key, ...(name === "" ? {} : { name }) }, group, seconds));
  const unused = rules.flatMap(({ policy, rule, mode, servers }) =>
    servers
      .filter((server) => !decided.some((one) => one.server === server && one.policy === policy && one.rule === rule))
      .map((server) => row({ server, policy, rule, mode }, [], seconds)),
  );
  return [...decided, ...unused].toSorted((one, other) =>
    one.server < other.server ? -1 : Number(one.server > other.server),
  );
}

function row(
  key: Pick<AuthzRow, "server" | "method" | "name" | "policy" | "rule" | "mode">,
  group: readonly TrafficRow[],
  seconds: number,
): AuthzRow {
  const { denied, audited, success, rps, p50, p95, p99 } = signalsOf(group, seconds);
  const allowed = group.reduce((sum, { decision, requests }) => sum + (decision === "allow" ? requests : 0), 0);
  return { ...key, allowed, denied, audited, success, rps, p50, p95, p99 };
}
