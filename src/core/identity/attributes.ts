/** From what Envoy attaches to a request to an Identity. Headers that a client can set are not among it. */
import type { Claim, Identity, User, UserAbsence, WorkloadAbsence } from "./identity.ts";
import { parseSpiffeId } from "./spiffe.ts";
import type { SpiffeId } from "./spiffe.ts";

export type Attributes = {
  /** `connection.mtls` */
  readonly mtls: boolean;
  /** `connection.peer_certificate_valid`; undefined where Envoy does not know the attribute (before 1.40). */
  readonly certificateValid: boolean | undefined;
  /** The URI SANs of the peer's certificate that are known. Envoy's attribute has the first one only. */
  readonly uriSans: readonly string[];
  /** The payload of a JWT that `jwt_authn` has verified. */
  readonly jwtPayload: { readonly [name: string]: Claim } | undefined;
};

export const identify = (attributes: Attributes): Identity => ({
  workload: identifyWorkload(attributes),
  user: identifyUser(attributes.jwtPayload),
});

/** Exactly one URI SAN, as the SPIFFE X.509-SVID specification asks (section 2). */
function identifyWorkload({ mtls, certificateValid, uriSans }: Attributes): SpiffeId | { absent: WorkloadAbsence } {
  if (!mtls) return { absent: "no-certificate" };
  if (certificateValid === false) return { absent: "certificate-not-valid" };
  const [uri, ...others] = uriSans;
  if (uri === undefined || uri === "") return { absent: "no-uri-san" };
  if (others.length > 0) return { absent: "several-uri-sans" };
  return parseSpiffeId(uri) ?? { absent: "not-a-spiffe-id" };
}

function identifyUser(payload: Attributes["jwtPayload"]): User | { absent: UserAbsence } {
  if (payload === undefined) return { absent: "jwt-missing" };
  const issuer = payload["iss"];
  if (typeof issuer !== "string" || issuer === "") return { absent: "jwt-without-issuer" };
  const subject = payload["sub"];
  return { issuer, subject: typeof subject === "string" ? subject : undefined, claims: payload };
}
