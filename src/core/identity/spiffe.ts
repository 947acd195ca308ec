/**
 * SPIFFE IDs, checked strictly and compared as bytes (SPIFFE-ID specification, section 2): lower-case trust domain,
 * no empty or dot segment, no percent-encoding, no port, query or fragment, no trailing slash.
 */
export type SpiffeId = {
  readonly uri: string;
  /** Set for the form Istio and Linkerd give to a Kubernetes workload: `spiffe://<domain>/ns/<namespace>/sa/<name>`. */
  readonly serviceAccount:
    | { readonly trustDomain: string; readonly namespace: string; readonly name: string }
    | undefined;
};

const MAX_BYTES = 2048;
const SPIFFE_ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)*)$/;

export function parseSpiffeId(uri: string): SpiffeId | undefined {
  if (uri.length > MAX_BYTES) return undefined;
  const match = SPIFFE_ID.exec(uri);
  if (match === null) return undefined;
  const [, trustDomain = "", path = ""] = match;
  const segments = path.split("/").slice(1);
  if (segments.some((segment) => segment === "." || segment === "..")) return undefined;
  const [ns, namespace, sa, name] = segments;
  const isServiceAccount = segments.length === 4 && ns === "ns" && sa === "sa";
  return {
    uri,
    serviceAccount:
      isServiceAccount && namespace !== undefined && name !== undefined ? { trustDomain, namespace, name } : undefined,
  };
}
