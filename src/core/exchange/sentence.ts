/** The sentence a denied caller reads: what was refused, to whom, and by which rule. Never what the rules allow others. */
import { absenceReason, callerName } from "../identity/identity.ts";
import type { Identity } from "../identity/identity.ts";
import type { Call } from "../mcp/call.ts";
import type { Denial } from "../policy/decision.ts";
import type { Server } from "../policy/policy-set.ts";
import { assertNever } from "../result.ts";

export function denialSentence(denial: Denial, server: Server, identity: Identity, call: Call): string {
  const absent = absenceReason(identity);
  const caller = absent === undefined ? callerName(identity) : `anonymous (${absent})`;
  const target = call.target === undefined ? call.method : `${call.target.kind} ${call.target.name}`;
  const rule =
    denial.rule.policy === "toolgate"
      ? `rule ${denial.rule.rule}`
      : `rule ${denial.rule.rule} of policy ${denial.rule.policy}`;
  switch (denial.reason) {
    case "no-rule-allows":
      return `Blocked by policy: no rule lets ${caller} use ${target} on server ${server.name} (${rule}).`;
    case "denied-by-rule":
      return `Blocked by policy: ${rule} denies ${caller} the use of ${target} on server ${server.name}.`;
    case "invalid-policy":
      return `Blocked: a policy for server ${server.name} is not valid, so everything is denied (${rule}).`;
    case "no-access":
      return `Blocked by policy: no rule gives ${caller} access to server ${server.name} (${rule}).`;
    default:
      return assertNever(denial.reason);
  }
}
