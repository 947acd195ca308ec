/**
 * From what Envoy says of a request to an Identity. Where a workload is found is one choice of configuration: in what
 * Envoy has verified of its peer or, behind a proxy of one's own, in the header in which that proxy says what it has
 * verified. A header is believed only where the configuration names it.
 */
import { L5D_CLIENT_ID, XFCC } from "../mcp/headers.ts";
import type { HeaderChanges, HeaderList } from "../mcp/headers.ts";
import { assertNever } from "../result.ts";
import type { Absent, Claim, Identity, User, UserAbsence, Workload, WorkloadAbsence } from "./identity.ts";
import { parseLinkerdId } from "./linkerd.ts";
import { parseSpiffeId } from "./spiffe.ts";
import type { SpiffeId } from "./spiffe.ts";
import { parseXfcc, trustedElements } from "./xfcc.ts";
import type { Names } from "./xfcc.ts";

/** The other end of the connection, as Envoy has verified it. */
export type Peer = {
  /** `connection.mtls` */
  readonly mtls: boolean;
  /** `connection.peer_certificate_valid`; undefined where Envoy does not know the attribute (before 1.40). */
  readonly certificateValid: boolean | undefined;
  /** Those that are known: `connection.uri_san_peer_certificate` is the first one. */
  readonly uriSans: readonly string[];
  /** `connection.dns_san_peer_certificate`: the first one. */
  readonly dnsSan: string | undefined;
  /** `connection.subject_peer_certificate` */
  readonly subject: string | undefined;
  /** `filter_state["io.istio.peer_principal"]`: in a mesh of Istio, in a waypoint too, where no certificate is seen. */
  readonly istioPrincipal: string | undefined;
};

/**
 * Who is believed about the workload. `xfcc`: the element of `x-forwarded-client-cert` that is so many from the end, each
 * hop having added one. `linkerd`: `l5d-client-id`, for an Envoy that only a proxy of Linkerd can reach.
 */
export type Trust = (
  | { readonly workload: "peer" }
  | { readonly workload: "xfcc"; readonly hops: number }
  | { readonly workload: "linkerd" }
) & {
  /** One's own: its service accounts go by their names alone. */
  readonly trustDomain: string;
};

export type Evidence = {
  readonly peer: Peer;
  readonly headers: HeaderList;
  /** The payload of a JWT that `jwt_authn` has verified. */
  readonly jwtPayload: { readonly [name: string]: Claim } | undefined;
};

export const identify = ({ peer, headers, jwtPayload }: Evidence, trust: Trust): Identity => ({
  workload: identifyWorkload(peer, headers, trust),
  user: identifyUser(jwtPayload),
});

function identifyWorkload(peer: Peer, headers: HeaderList, trust: Trust): Workload | Absent<WorkloadAbsence> {
  const found = findWorkload(peer, headers, trust);
  if ("absent" in found) return found;
  const { uri, serviceAccount } = found;
  const isOwn = serviceAccount?.trustDomain === trust.trustDomain;
  return { uri, name: isOwn ? `${serviceAccount.namespace}/${serviceAccount.name}` : uri };
}

/** A name that is no SPIFFE ID belongs to no service account. */
type Named = SpiffeId | { readonly uri: `dns:${string}` | `subject:${string}`; readonly serviceAccount?: undefined };
type Found = Named | Absent<WorkloadAbsence>;

function findWorkload(peer: Peer, headers: HeaderList, trust: Trust): Found {
  switch (trust.workload) {
    case "peer":
      return fromPeer(peer, headers);
    case "xfcc":
      return fromXfcc(headers, trust.hops);
    case "linkerd":
      return fromLinkerd(headers);
    default:
      return assertNever(trust);
  }
}

function fromPeer(peer: Peer, headers: HeaderList): Found {
  const { istioPrincipal } = peer;
  const certificate = fromCertificate(peer, headers);
  if (istioPrincipal === undefined || istioPrincipal === "") return certificate;
  const principal = parseSpiffeId(istioPrincipal) ?? NOT_SPIFFE;
  if (!peer.mtls || "absent" in principal) return principal;
  return "absent" in certificate || certificate.uri === principal.uri ? certificate : { absent: "identities-differ" };
}

/** The kinds of name, from the strongest: a weaker one counts only where there is none of the stronger. */
function fromCertificate({ mtls, certificateValid, uriSans, dnsSan, subject }: Peer, headers: HeaderList): Found {
  if (!mtls) return { absent: "no-certificate" };
  if (certificateValid === false) return { absent: "certificate-not-valid" };
  // Envoy's attribute hides a second URI, which the header shows where Envoy writes it (SANITIZE_SET). A forged one can
  // only make its sender one that cannot be told.
  const elements = parseXfcc(headers);
  if (elements === undefined) return { absent: "xfcc-malformed" };
  const seen = elements.at(-1)?.uris ?? [];
  const uris = uriSans.length > 0 && seen.length > 1 ? seen : uriSans;
  return named({ uris, dnsNames: dnsSan === undefined ? [] : [dnsSan], subject });
}

function fromXfcc(headers: HeaderList, hops: number): Found {
  if (!has(headers, XFCC)) return { absent: "xfcc-missing" };
  const elements = trustedElements(headers, hops);
  if (elements === undefined) return { absent: "xfcc-malformed" };
  const [element] = elements;
  return element === undefined || elements.length < hops ? { absent: "xfcc-too-few-hops" } : named(element);
}

function fromLinkerd(headers: HeaderList): Found {
  const [id, ...others] = headers.flatMap(([name, value]) => (name === L5D_CLIENT_ID ? [value] : []));
  if (id === undefined) return { absent: "linkerd-client-missing" };
  return (others.length > 0 ? undefined : parseLinkerdId(id)) ?? { absent: "not-a-linkerd-id" };
}

/** Exactly one URI SAN, as the SPIFFE X.509-SVID specification asks (section 2). */
function named({ uris, dnsNames: [dnsName], subject }: Names): Found {
  const [uri, ...others] = uris;
  if (others.length > 0) return { absent: "several-uri-sans" };
  if (uri !== undefined && uri !== "") return parseSpiffeId(uri) ?? NOT_SPIFFE;
  if (dnsName !== undefined && dnsName !== "") return { uri: `dns:${dnsName}` };
  if (subject !== undefined && subject !== "") return { uri: `subject:${subject}` };
  return { absent: "no-name" };
}

const NOT_SPIFFE = { absent: "not-a-spiffe-id" } as const;

function identifyUser(payload: Evidence["jwtPayload"]): User | Absent<UserAbsence> {
  if (payload === undefined) return { absent: "jwt-missing" };
  const issuer = payload["iss"];
  if (typeof issuer !== "string" || issuer === "") return { absent: "jwt-without-issuer" };
  const subject = payload["sub"];
  return { issuer, subject: typeof subject === "string" ? subject : undefined, claims: payload };
}

const has = (headers: HeaderList, wanted: string): boolean => headers.some(([name]) => name === wanted);

/**
 * What a server gets to see of the headers that say who somebody is: what is believed here, and no more. Of
 * `x-forwarded-client-cert` the elements of the trusted hops.
 */
export function forwardedHeaders(headers: HeaderList, trust: Trust): HeaderChanges {
  const hasXfcc = has(headers, XFCC);
  const remove = trust.workload !== "linkerd" && has(headers, L5D_CLIENT_ID) ? [L5D_CLIENT_ID] : [];
  if (!hasXfcc) return { set: [], remove };
  const elements = trust.workload === "xfcc" ? trustedElements(headers, trust.hops) : undefined;
  if (elements === undefined) return { set: [], remove: [...remove, XFCC] };
  return { set: [[XFCC, elements.map(({ text }) => text).join(",")]], remove };
}
