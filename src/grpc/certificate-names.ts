/** The names in an X.509 certificate, as a rule or a list of peers writes them. */
import type { X509Certificate } from "node:crypto";

export type CertificateNames = {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  /** As Envoy writes it, the most specific part first: `CN=reader,O=Example` (RFC 2253). */
  readonly subject: string;
};

/**
 * Undefined for a name that could be misread: Node writes those in quotes (CVE-2021-44532). Where a certificate has no
 * subject, as those of Istio, there is none, against Node's own types.
 */
export function namesIn({ subjectAltName = "", subject = "" }: Partial<X509Certificate>): CertificateNames | undefined {
  if (subjectAltName.includes('"')) return undefined;
  const all = subjectAltName === "" ? [] : subjectAltName.split(", ");
  const valuesOf = (kind: string): string[] =>
    all.flatMap((name) => (name.startsWith(`${kind}:`) ? [name.slice(kind.length + 1)] : []));
  return { uris: valuesOf("URI"), dnsNames: valuesOf("DNS"), subject: inOneLine(subject) };
}

/** From a line for each part, with all of its escapes but those of bytes over ASCII. */
const inOneLine = (subject: string): string =>
  subject
    .split("\n")
    .map((part) => part.split(" + ").toReversed().join("+"))
    .toReversed()
    .join(",")
    .replaceAll(/[^\0-\x7f]+/g, (text) =>
      [...Buffer.from(text)].map((byte) => `\\${byte.toString(16).toUpperCase()}`).join(""),
    );
