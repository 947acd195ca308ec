/**
 * Who calls, as Envoy or a proxy before it verified it: the workload, the user (a JWT), or both.
 * Absence carries its reason, so that "nobody" can always be explained.
 */

export type Claim = string | number | boolean | null | readonly Claim[] | { readonly [name: string]: Claim };

/** A user, as a JWT says that `jwt_authn` has verified. `claims` holds all of the payload. */
export type User = {
  readonly issuer: string;
  readonly subject: string | undefined;
  readonly claims: { readonly [name: string]: Claim };
};

export type Workload = {
  /** A SPIFFE ID or, of a certificate without a URI, the weaker `dns:` and its first DNS name, or `subject:`. */
  readonly uri: string;
  /** In one word: `agents/reader` for a Kubernetes service account of one's own trust domain, else the URI. */
  readonly name: string;
};

export type Absent<Reason> = { readonly absent: Reason };
export type WorkloadAbsence =
  | "no-certificate"
  | "certificate-not-valid"
  | "no-name"
  | "several-uri-sans"
  | "not-a-spiffe-id"
  /** Istio and the certificate name two workloads. */
  | "identities-differ"
  | "xfcc-missing"
  | "xfcc-malformed"
  | "xfcc-too-few-hops"
  | "linkerd-client-missing"
  | "not-a-linkerd-id";
export type UserAbsence = "jwt-missing" | "jwt-without-issuer";

export type Identity = {
  readonly workload: Workload | Absent<WorkloadAbsence>;
  readonly user: User | Absent<UserAbsence>;
};

export const isAbsent = (part: Workload | User | Absent<string>): part is Absent<string> => "absent" in part;

/**
 * The caller in one word, for labels and sentences: the workload's name, else the JWT's subject, else `anonymous`. A
 * subject that could be taken for one of the others has `user:` before it.
 */
export function callerName(identity: Identity): string {
  const { workload, user } = identity;
  if (!isAbsent(workload)) return workload.name;
  if (isAbsent(user)) return ANONYMOUS;
  const name = user.subject ?? user.issuer;
  return AMBIGUOUS.test(name) ? `user:${name}` : name;
}

const ANONYMOUS = "anonymous";
const AMBIGUOUS = /^anonymous$|^_|^(?:dns|subject|user):|\//;

/** No workload has been shown. Otherwise one has, and cannot be told: a Deny rule on workloads is about it too. */
export const isNobody = ({ absent }: Absent<WorkloadAbsence>): boolean =>
  absent === "no-certificate" ||
  absent === "xfcc-missing" ||
  absent === "linkerd-client-missing" ||
  absent === "no-name";

/** Why there is nobody: both reasons, for the log and the denial. Empty when there is somebody. */
export function absenceReason(identity: Identity): string | undefined {
  const { workload, user } = identity;
  return isAbsent(workload) && isAbsent(user) ? `${workload.absent}, ${user.absent}` : undefined;
}
