/**
 * Who calls, as Envoy verified it: the workload (a SPIFFE ID), the user (a JWT), or both.
 * Absence carries its reason, so that "nobody" can always be explained.
 */
import type { SpiffeId } from "./spiffe.ts";

export type Claim = string | number | boolean | null | readonly Claim[] | { readonly [name: string]: Claim };

/** A user, as a JWT says that `jwt_authn` has verified. `claims` holds all of the payload. */
export type User = {
  readonly issuer: string;
  readonly subject: string | undefined;
  readonly claims: { readonly [name: string]: Claim };
};

export type WorkloadAbsence =
  | "no-certificate"
  | "no-uri-san"
  | "several-uri-sans"
  | "not-a-spiffe-id"
  | "certificate-not-valid";
export type UserAbsence = "jwt-missing" | "jwt-without-issuer";

export type Identity = {
  readonly workload: SpiffeId | { readonly absent: WorkloadAbsence };
  readonly user: User | { readonly absent: UserAbsence };
};

export const isAbsent = (part: SpiffeId | User | { readonly absent: string }): part is { readonly absent: string } =>
  "absent" in part;

/**
 * The caller in one word, for labels and sentences: `agents/reader` for a Kubernetes service account, the whole SPIFFE ID
 * for another workload, else the JWT's subject, else `anonymous`. A subject that could be taken for one of the others has
 * `user:` before it.
 */
export function callerName(identity: Identity): string {
  const { workload, user } = identity;
  if (!isAbsent(workload)) {
    const { serviceAccount } = workload;
    return serviceAccount === undefined ? workload.uri : `${serviceAccount.namespace}/${serviceAccount.name}`;
  }
  if (isAbsent(user)) return ANONYMOUS;
  const name = user.subject ?? user.issuer;
  return name === ANONYMOUS || name.startsWith("_") || name.includes("/") ? `user:${name}` : name;
}

const ANONYMOUS = "anonymous";

/** Why there is nobody: both reasons, for the log and the denial. Empty when there is somebody. */
export function absenceReason(identity: Identity): string | undefined {
  const { workload, user } = identity;
  return isAbsent(workload) && isAbsent(user) ? `${workload.absent}, ${user.absent}` : undefined;
}
