/** A request or an answer that does not go on, and why. `local-reply.ts` turns it into what the client gets. */
import { BUILT_IN } from "../policy/decision.ts";
import type { DenyReason, RuleRef } from "../policy/decision.ts";

/** Stable words: metric label, log field and dynamic metadata. The sentence beside them is not part of the API. */
export type Reason =
  | DenyReason
  | "unknown-server"
  | "unknown-method"
  | "method-not-allowed"
  | "unsupported-media-type"
  | "unsupported-version"
  | "header-mismatch"
  | "malformed-request"
  | "invalid-params"
  | "name-too-long"
  | "uri-too-long"
  | "malformed-json"
  | "too-deep"
  | "too-many-keys"
  | "too-many-messages"
  | "too-large"
  | "unsafe-answer"
  /** Policy asks for what cannot be done where Envoy asks: in ext_authz. */
  | "not-enforceable";

export type Refusal = {
  readonly reason: Reason;
  readonly rule: RuleRef;
  /** One sentence for the person or the model at the other end: what, and what was expected. */
  readonly message: string;
  /** Of a method that is not allowed: those that are (RFC 9110, section 10.2.1). */
  readonly allow?: string;
};

export const notAllowed = (message: string, allow: string): Refusal => ({
  ...refusal("method-not-allowed", message),
  allow,
});

export const malformed = (message: string): Refusal => refusal("malformed-request", message);

/** A refusal by one of the rules that are built in, which are called like their reasons. */
export const refusal = (reason: Exclude<Reason, DenyReason>, message: string): Refusal => ({
  reason,
  rule: { policy: BUILT_IN, rule: reason },
  message,
});
