/** The names in an X.509 certificate, as a rule or a list of peers writes them. */
import type { X509Certificate } from "node:crypto";

export type CertificateNames = {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  /** RFC 4514 without escapes, the most specific part first: `CN=reader,O=Example`. */
  readonly subject: string;
};

/** Undefined for a name that could be misread: Node writes those in quotes (CVE-2021-44532). */
export function namesIn({ subjectAltName = "", subject }: X509Certificate): CertificateNames | undefined {
  if (subjectAltName.includes('"')) return undefined;
  const all = subjectAltName === "" ? [] : subjectAltName.split(", ");
  const valuesOf = (kind: string): string[] =>
    all.flatMap((name) => (name.startsWith(`${kind}:`) ? [name.slice(kind.length + 1)] : []));
  return { uris: valuesOf("URI"), dnsNames: valuesOf("DNS"), subject: subject.split("\n").toReversed().join(",") };
}
