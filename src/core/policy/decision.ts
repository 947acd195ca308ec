/** What a decision is made of. Which rule decided travels from here to the answer, the metrics and the log. */

export type Mode = "Enforce" | "Audit";

/** `policy` is `<namespace>/<name>`, or `toolgate` for the rules that are built in. */
export type RuleRef = { readonly policy: string; readonly rule: string };

export const BUILT_IN = "toolgate";
export const DEFAULT_DENY: RuleRef = { policy: BUILT_IN, rule: "default-deny" };
export const INVALID_POLICY: RuleRef = { policy: BUILT_IN, rule: "invalid-policy" };
export const BASE_ACCESS: RuleRef = { policy: BUILT_IN, rule: "base-access" };

/** Why policy says no. */
export type DenyReason = "no-rule-allows" | "denied-by-rule" | "invalid-policy" | "no-access";

export type Denial = { readonly reason: DenyReason; readonly rule: RuleRef };
