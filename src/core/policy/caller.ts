/**
 * The `from` of a rule, compiled: does this entry mean this caller? Three-valued: a claim that is missing or of another
 * type makes it unknown, which denies in a Deny rule and does not permit in an Allow rule.
 */
import { isAbsent, isNobody } from "../identity/identity.ts";
import type { Claim, Identity, User } from "../identity/identity.ts";
import type { ClaimRequirement, FromEntry } from "./document.ts";
import { isExact, matches, parsePattern } from "./pattern.ts";
import type { Pattern } from "./pattern.ts";

export type Truth = "yes" | "no" | "unknown";

export type UserTest = {
  readonly issuer: string;
  readonly subject: string | undefined;
  readonly claims: readonly ClaimRequirement[];
};

/** Each part that is written has to hold; `anyone` has none. */
export type CallerTest = { readonly workloads: readonly Pattern[]; readonly user: UserTest | undefined };

/** The SPIFFE ID of a Kubernetes service account, in the form that Istio and Linkerd give it. */
export const serviceAccountId = ({ namespace, name }: ServiceAccount, trustDomain: string): string =>
  `spiffe://${trustDomain}/ns/${namespace}/sa/${name}`;

/** As an identity has it: names that no SPIFFE ID can be. */
const certificateName = (certificate: NonNullable<FromEntry["certificate"]>): string =>
  "dns" in certificate ? `dns:${certificate.dns}` : `subject:${certificate.subject}`;

type ServiceAccount = NonNullable<FromEntry["serviceAccount"]>;

export function compileCaller(entry: FromEntry, trustDomain: string): CallerTest {
  const { spiffe, serviceAccount, certificate, jwt } = entry;
  const workloads: Pattern[] = [];
  if (spiffe !== undefined) workloads.push(parsePattern(spiffe));
  if (serviceAccount !== undefined) workloads.push(parsePattern(serviceAccountId(serviceAccount, trustDomain)));
  if (certificate !== undefined) workloads.push(parsePattern(certificateName(certificate)));
  const user = jwt && { issuer: jwt.issuer, subject: jwt.subject, claims: jwt.claims ?? [] };
  return { workloads, user };
}

/** The one workload that a test takes, if it takes exactly one. */
export const onlyWorkload = ({ workloads }: CallerTest): string | undefined => workloads.find(isExact)?.text;

export function isCaller(test: CallerTest, identity: Identity): Truth {
  const { workload, user } = identity;
  if (test.workloads.length > 0) {
    if (isAbsent(workload)) {
      if (isNobody(workload)) return "no";
      // Somebody, and it cannot be said who.
      return test.user === undefined || isUser(test.user, user) !== "no" ? "unknown" : "no";
    }
    if (!test.workloads.every((pattern) => matches(pattern, workload.uri))) return "no";
  }
  return test.user === undefined ? "yes" : isUser(test.user, user);
}

function isUser(test: UserTest, user: Identity["user"]): Truth {
  if (isAbsent(user) || user.issuer !== test.issuer) return "no";
  const { subject, claims } = test;
  if (subject !== undefined && user.subject !== undefined && subject !== user.subject) return "no";
  const truth = hasClaims(claims, user);
  return truth === "yes" && subject !== undefined && user.subject === undefined ? "unknown" : truth;
}

function hasClaims(requirements: readonly ClaimRequirement[], user: User): Truth {
  let truth: Truth = "yes";
  for (const requirement of requirements) {
    const one = hasClaim(requirement, user);
    if (one === "no") return "no";
    if (one === "unknown") truth = "unknown";
  }
  return truth;
}

function hasClaim({ name, values }: ClaimRequirement, user: User): Truth {
  const claim = claimValues(user, name);
  if (claim.values.some((value) => values.includes(value))) return "yes";
  return claim.isKnown ? "no" : "unknown";
}

/** The texts of a claim, and whether they are all of it: false when it is missing or holds something of another type. */
export function claimValues(
  user: User,
  name: string,
): { readonly values: readonly string[]; readonly isKnown: boolean } {
  const claim = findClaim(user.claims, name);
  if (typeof claim === "string") return { values: [claim], isKnown: true };
  if (!Array.isArray(claim)) return { values: [], isKnown: false };
  const values = (claim as readonly Claim[]).filter((value) => typeof value === "string");
  return { values, isKnown: values.length === claim.length };
}

/** The claim of that whole name first (`https://example.com/roles`), then step by step (`realm_access.roles`). */
function findClaim(claims: { readonly [name: string]: Claim }, name: string): Claim | undefined {
  if (Object.hasOwn(claims, name)) return claims[name];
  let at: Claim | undefined = claims;
  for (const step of name.split(".")) {
    if (at === null || typeof at !== "object" || Array.isArray(at)) return undefined;
    const object: { readonly [name: string]: Claim } = at as { readonly [name: string]: Claim };
    if (!Object.hasOwn(object, step)) return undefined;
    at = object[step];
  }
  return at;
}
