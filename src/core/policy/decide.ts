/**
 * HOT: may this caller make this call? Set semantics: default deny, Deny wins, order means nothing. The one function for
 * calls and for lists, so that what is shown and what may be called cannot drift apart. It alone makes permits, and a
 * permit is the only thing that lets an exchange go on. Twin: test/oracle/decide.ts. Bench: bench/decide.bench.ts.
 */
import type { Identity } from "../identity/identity.ts";
import type { Call } from "../mcp/call.ts";
import { GRANTABLE_METHODS } from "../mcp/methods.ts";
import { methodSubject } from "../mcp/subject.ts";
import type { CheckedText, Subject } from "../mcp/subject.ts";
import { BASE_ACCESS, BUILT_IN, DEFAULT_DENY, INVALID_POLICY } from "./decision.ts";
import type { Denial, DenyReason, RuleRef } from "./decision.ts";
import { coversAll, mayOverlap, templatePattern } from "./pattern.ts";
import type { Pattern } from "./pattern.ts";
import type { Server } from "./policy-set.ts";
import { ALLOW_APPLIES, DENY_APPLIES } from "./rule-index.ts";
import type { Applies, NameIndex } from "./rule-index.ts";

declare const minted: unique symbol; // not exported: only this module makes permits

export type Permit = {
  readonly [minted]: true;
  readonly rule: RuleRef;
  /** Policy says no, and its mode lets it through. */
  readonly audited: Denial | undefined;
};

export type Decision =
  | { readonly verdict: "allow"; readonly permit: Permit }
  | { readonly verdict: "deny"; readonly denial: Denial };

export function decide(server: Server, identity: Identity, call: Call): Decision {
  const { subjects, base } = call;
  if (subjects.length === 0) return settle(server, judgeBase(server, identity));
  let granted: Verdict | undefined;
  for (const subject of subjects) {
    const verdict = judge(server, identity, subject, base);
    if (verdict.denial !== undefined && !verdict.audited) return settle(server, verdict);
    // The first names the rule that allowed what the call is about; an audited refusal of any subject is kept.
    if (granted === undefined || (granted.denial === undefined && verdict.denial !== undefined)) granted = verdict;
  }
  return settle(server, granted ?? judgeBase(server, identity));
}

/** Whether an entry of a list stays in it: whether it could be called. */
export function isVisible(server: Server, identity: Identity, subject: Subject): boolean {
  if (server.invalid) return false;
  const verdict = judge(server, identity, subject, false);
  return verdict.denial === undefined || verdict.audited;
}

/**
 * Whether nothing of the server is hidden from this caller: then nothing that the server says can tell of it, and what
 * cannot be judged by its form may be delivered.
 */
export const seesAll = (server: Server, identity: Identity): boolean =>
  ANYTHING.every((subject) => isVisible(server, identity, subject));

const ANYTHING: readonly Subject[] = [
  ...(["tool", "prompt", "resource"] as const).map((kind) => ({ kind, name: "" as CheckedText, odd: "is any" })),
  ...GRANTABLE_METHODS.map(methodSubject),
];

/** For `unmatched: pass`: a request that goes to no server of ours is let through unseen. */
export const permitUnmatched = (): Permit => mint({ policy: BUILT_IN, rule: "unmatched-pass" }, undefined);

const mint = (rule: RuleRef, audited: Denial | undefined): Permit => ({ rule, audited }) as Permit;

/** `audited`: the denial is only recorded. */
type Verdict = { readonly rule: RuleRef; readonly denial: DenyReason | undefined; readonly audited: boolean };

function settle(server: Server, verdict: Verdict): Decision {
  if (server.invalid) return { verdict: "deny", denial: { reason: "invalid-policy", rule: INVALID_POLICY } };
  const { rule, denial, audited } = verdict;
  if (denial === undefined) return { verdict: "allow", permit: mint(rule, undefined) };
  if (audited) return { verdict: "allow", permit: mint(rule, { reason: denial, rule }) };
  return { verdict: "deny", denial: { reason: denial, rule } };
}

function judge(server: Server, identity: Identity, subject: Subject, base: boolean): Verdict {
  const denied = find(server, "denies", identity, subject, DENY_APPLIES);
  if (denied !== undefined) return refuse(server, identity, denied, "denied-by-rule");
  const verdict = judgeAllows(server, identity, subject, base);
  if (verdict.denial !== undefined && !verdict.audited) return verdict;
  // Named before default deny, as it would be in Enforce mode.
  const audited = find(server, "auditedDenies", identity, subject, DENY_APPLIES);
  return audited === undefined ? verdict : { rule: audited, denial: "denied-by-rule", audited: true };
}

function judgeAllows(server: Server, identity: Identity, subject: Subject, base: boolean): Verdict {
  const allowed = find(server, "allows", identity, subject, ALLOW_APPLIES);
  if (allowed !== undefined) return { rule: allowed, denial: undefined, audited: false };
  if (base) return judgeBase(server, identity);
  if (!server.enforced) return { rule: DEFAULT_DENY, denial: "no-rule-allows", audited: true };
  return refuse(server, identity, DEFAULT_DENY, "no-rule-allows");
}

function judgeBase(server: Server, identity: Identity): Verdict {
  if (hasBaseAccess(server, identity)) return { rule: BASE_ACCESS, denial: undefined, audited: false };
  return { rule: DEFAULT_DENY, denial: "no-access", audited: !server.enforced };
}

/** A caller whom no rule on this server allows anything is told that, and nothing about the rules for others. */
function refuse(server: Server, identity: Identity, rule: RuleRef, reason: DenyReason): Verdict {
  if (hasBaseAccess(server, identity)) return { rule, denial: reason, audited: false };
  return { rule: DEFAULT_DENY, denial: "no-access", audited: false };
}

const hasBaseAccess = (server: Server, identity: Identity): boolean =>
  server.base.find(identity, undefined, ALLOW_APPLIES) !== undefined;

function find(
  server: Server,
  set: "denies" | "auditedDenies" | "allows",
  identity: Identity,
  subject: Subject,
  applies: Applies,
): RuleRef | undefined {
  const { kind, name, odd } = subject;
  const index: NameIndex = server.rules[kind === "template" ? "resource" : kind][set];
  // What servers may take for any other name is granted as it is written, or with all others; any Deny rule is about it.
  if (odd !== undefined)
    return (set === "allows" ? index.findLiteral(identity, name, applies) : index.findAny(identity, applies))?.rule;
  if (kind !== "template") return index.find(identity, name, applies)?.rule;
  // A template stands for all its expansions: all must be allowed, none may be denied.
  const template = templatePattern(name);
  const relates = set === "allows" ? coversAll(template) : (pattern: Pattern) => mayOverlap(pattern, template);
  return index.findWhere(identity, relates, applies)?.rule;
}
