/**
 * The slow twin of `policy/decide.ts`: no index, no compilation. Every rule of every document is asked, in words
 * alone: default deny, Deny wins, unknown denies in a Deny rule and does not permit in an Allow rule.
 */
import type { Claim, Identity, User } from "../../src/core/identity/identity.ts";
import { isAbsent } from "../../src/core/identity/identity.ts";
import type { Subject } from "../../src/core/mcp/subject.ts";
import type { DenyReason } from "../../src/core/policy/decision.ts";
import { targetsOf } from "../../src/core/policy/document.ts";
import type {
  AccessPolicyDocument,
  ClaimRequirement,
  FromEntry,
  RuleDocument,
} from "../../src/core/policy/document.ts";
import { matchesSlowly } from "./pattern.ts";

/** `rules`: each `<policy>/<rule>` that may be cited, or undefined for one that is built in. */
export type SlowDecision = {
  readonly verdict: "allow" | "deny";
  readonly audited: boolean;
  readonly reason: DenyReason | undefined;
  readonly rules: readonly string[] | undefined;
};

type Truth = "yes" | "no" | "unknown";
type Question = {
  readonly policies: readonly AccessPolicyDocument[];
  readonly identity: Identity;
  readonly trustDomain: string;
};

/** About one subject; `base`: base access is enough. The server is the only target, and all documents are valid. */
export function decideSlowly(question: Question, subject: Subject, base: boolean): SlowDecision {
  const { policies } = question;
  const enforced = policies.length === 0 || policies.some((policy) => !isAudit(policy));
  const deniers = applying(question, "Deny", (policy) => !isAudit(policy), subject);
  const allowers = applying(question, "Allow", () => true, subject);
  const auditors = applying(question, "Deny", isAudit, subject);
  const hasBase = hasBaseAccess(question);
  if (deniers.length > 0) return hasBase ? no("denied-by-rule", deniers) : no("no-access", undefined);
  const isAllowed = allowers.length > 0 || (base && hasBase);
  if (auditors.length > 0 && (isAllowed || !enforced)) {
    return { ...no("denied-by-rule", auditors), verdict: "allow", audited: true };
  }
  if (!isAllowed) {
    if (!enforced) return { ...no(base ? "no-access" : "no-rule-allows", undefined), verdict: "allow", audited: true };
    return hasBase ? no("no-rule-allows", undefined) : no("no-access", undefined);
  }
  return { verdict: "allow", audited: false, reason: undefined, rules: allowers.length > 0 ? allowers : undefined };
}

/** A caller whom some Allow rule names may list and initialize. */
export const hasBaseAccess = ({ policies, identity, trustDomain }: Question): boolean =>
  policies.some(({ spec }) =>
    spec.rules.some(
      (rule) => rule.action === "Allow" && rule.from.some((from) => isMeant(from, identity, trustDomain) === "yes"),
    ),
  );

const no = (reason: DenyReason, rules: readonly string[] | undefined): SlowDecision => ({
  verdict: "deny",
  audited: false,
  reason,
  rules,
});

const isAudit = (policy: AccessPolicyDocument): boolean => policy.spec.mode === "Audit";

function applying(
  { policies, identity, trustDomain }: Question,
  action: RuleDocument["action"],
  counts: (policy: AccessPolicyDocument) => boolean,
  subject: Subject,
): string[] {
  const doubt: readonly Truth[] = action === "Deny" ? ["yes", "unknown"] : ["yes"];
  return policies.filter(counts).flatMap((policy) =>
    policy.spec.rules
      .filter((rule) => rule.action === action && isAbout(rule, subject))
      .filter((rule) => rule.from.some((from) => doubt.includes(isMeant(from, identity, trustDomain))))
      .map((rule) => `${targetsOf(policy)[0]?.split("/")[0]}/${policy.metadata.name}/${rule.name}`),
  );
}

const LIST = {
  tool: "tools",
  prompt: "prompts",
  resource: "resources",
  template: "resources",
  method: "methods",
} as const;

/** What a name alone grants, a Deny rule may also deny by its method, with all names. */
const CALLED_BY = {
  tool: "tools/call",
  prompt: "prompts/get",
  resource: "resources/read",
  template: "resources/read",
  method: undefined,
} as const;

function isAbout(rule: RuleDocument, subject: Subject): boolean {
  const method = rule.action === "Deny" ? CALLED_BY[subject.kind] : undefined;
  return rule.to.some(
    (to) =>
      (to[LIST[subject.kind]] ?? []).some((pattern) => isPatternAbout(pattern, subject, rule.action)) ||
      (method !== undefined && (to.methods ?? []).some((pattern) => matchesSlowly(pattern, method))),
  );
}

/** A URI that servers read differently may be any other: granted as it is written or with all others, denied with any. */
function isPatternAbout(pattern: string, { name, odd }: Subject, action: RuleDocument["action"]): boolean {
  if (odd === undefined) return matchesSlowly(pattern, name);
  return action === "Deny" || /^\*+$/.test(pattern) || pattern === name;
}

function isMeant(from: FromEntry, { workload, user }: Identity, trustDomain: string): Truth {
  const uri = isAbsent(workload) ? undefined : workload.uri;
  const account = from.serviceAccount;
  const truths: Truth[] = [];
  const names = [
    from.spiffe,
    account && `spiffe://${trustDomain}/ns/${account.namespace}/sa/${account.name}`,
    from.certificate &&
      ("dns" in from.certificate ? `dns:${from.certificate.dns}` : `subject:${from.certificate.subject}`),
  ];
  const NOBODY = ["no-certificate", "no-name", "xfcc-missing", "linkerd-client-missing"];
  const ofUnknown = isAbsent(workload) && !NOBODY.includes(workload.absent) ? "unknown" : "no";
  for (const name of names.filter((one) => one !== undefined))
    truths.push(uri === undefined ? ofUnknown : matchesSlowly(name, uri) ? "yes" : "no");
  if (from.jwt !== undefined) truths.push(...isUser(from.jwt, isAbsent(user) ? undefined : user));
  if (truths.includes("no")) return "no";
  return truths.includes("unknown") ? "unknown" : "yes";
}

function isUser(jwt: NonNullable<FromEntry["jwt"]>, user: User | undefined): Truth[] {
  if (user === undefined || user.issuer !== jwt.issuer) return ["no"];
  const bySubject: Truth[] =
    jwt.subject === undefined
      ? []
      : [user.subject === undefined ? "unknown" : user.subject === jwt.subject ? "yes" : "no"];
  return [...bySubject, ...(jwt.claims ?? []).map((requirement) => hasClaim(requirement, user))];
}

function hasClaim({ name, values }: ClaimRequirement, { claims }: User): Truth {
  const whole = Object.entries(claims).find(([key]) => key === name);
  const claim = whole === undefined ? walk(claims, name.split(".")) : whole[1];
  const list: readonly Claim[] | undefined = Array.isArray(claim)
    ? (claim as readonly Claim[])
    : typeof claim === "string"
      ? [claim]
      : undefined;
  if (list === undefined) return "unknown";
  if (list.some((one) => values.some((value) => value === one))) return "yes";
  return list.some((one) => typeof one !== "string") ? "unknown" : "no";
}

function walk(claim: Claim | undefined, [step, ...rest]: readonly string[]): Claim | undefined {
  if (step === undefined) return claim;
  if (claim === undefined || claim === null || typeof claim !== "object" || Array.isArray(claim)) return undefined;
  return walk(Object.entries(claim).find(([key]) => key === step)?.[1], rest);
}
