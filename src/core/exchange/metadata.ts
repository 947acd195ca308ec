/** Dynamic metadata of the namespace `toolgate`: for Envoy's access log, its routes and the filters after us. */
import { callerName } from "../identity/identity.ts";
import type { Identity } from "../identity/identity.ts";
import type { Id } from "../jsonrpc/message.ts";
import type { Call } from "../mcp/call.ts";
import type { LoggedArguments } from "../mcp/logged-arguments.ts";
import type { Reason } from "../mcp/refusal.ts";
import type { Mode, RuleRef } from "../policy/decision.ts";
import type { CallTrace } from "./call-trace.ts";
import type { DecisionLabel } from "./record.ts";

export type Metadata = {
  readonly method: string;
  readonly tool?: string;
  readonly prompt?: string;
  readonly resource?: string;
  readonly server: string;
  readonly caller: string;
  readonly decision: DecisionLabel;
  readonly policy: string;
  readonly rule: string;
  readonly reason: string;
  readonly mode: Mode;
};

/** What is known at the decision. */
export type Decided = {
  readonly server: string | undefined;
  readonly identity: Identity;
  readonly call: Pick<Call, "method" | "target"> | undefined;
  readonly decision: DecisionLabel;
  readonly mode: Mode;
  readonly rule: RuleRef;
  readonly reason: Reason | undefined;
  /** What the caller is told of it, or would be. */
  readonly sentence: string | undefined;
  /** Of a request, when it could be read. */
  readonly id: Id | undefined;
  readonly session: string | undefined;
  readonly trace: CallTrace | undefined;
  /** For the record alone. */
  readonly arguments?: LoggedArguments;
};

export function metadataOf(decided: Decided): Metadata {
  const { call, rule } = decided;
  const target = call?.target;
  return {
    method: call?.method ?? "unknown",
    ...(target === undefined ? {} : { [target.kind === "template" ? "resource" : target.kind]: target.name }),
    server: decided.server ?? "",
    caller: callerName(decided.identity),
    decision: decided.decision,
    policy: rule.policy,
    rule: rule.rule,
    reason: decided.reason ?? "",
    mode: decided.mode,
  };
}
