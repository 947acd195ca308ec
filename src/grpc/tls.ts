/**
 * The certificates of the gRPC listener, from files that somebody else renews. They are read again when they change, and
 * connections that are open stay: a renewal costs no call.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { namesIn } from "./certificate-names.ts";

export type TlsFiles = {
  /** PEM: the certificate that Envoy sees, with what leads to its root. */
  readonly cert: string;
  readonly key: string;
  /** Undefined: whoever can connect may ask. */
  readonly clients:
    | {
        /** PEM: who signs the certificates of Envoys. */
        readonly ca: string;
        /** URI or DNS names. An Envoy has one of these. */
        readonly names: readonly string[];
      }
    | undefined;
};

export type Certificates = { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer | undefined };

export type TlsOptions = {
  readonly files: TlsFiles;
  /** Told when changed files cannot be used: those before them stay in use. */
  readonly onUnusable: (error: unknown) => void;
  readonly onChanged: () => void;
  readonly pollMs?: number;
};

export type Tls = Disposable & {
  /** Those that are in use. */
  current(): Certificates;
  /** When the certificate that Envoy sees ends, in milliseconds since the epoch. */
  expiresAtMs(): number;
  /** Tells of others. */
  subscribe(listener: (certificates: Certificates) => void): void;
  /** Whether a client with this certificate may ask. */
  isNamed(certificate: X509Certificate | undefined): boolean;
};

/** Kubernetes replaces a mounted Secret by a symbolic link, and a renewal may write one file after the other. */
const POLL_MS = 5_000;

/** Throws when the files cannot be used. */
export function loadTls({ files, onUnusable, onChanged, pollMs = POLL_MS }: TlsOptions): Tls {
  let current = read(files);
  let expiresAtMs = expiryOf(current);
  const listeners: ((certificates: Certificates) => void)[] = [];
  let lastFault = "";
  const poll = (): void => {
    try {
      const next = read(files);
      lastFault = "";
      if (isSame(next, current)) return;
      [current, expiresAtMs] = [next, expiryOf(next)];
      for (const listener of listeners) listener(next);
      onChanged();
    } catch (error: unknown) {
      // Said once for each state of the files, not with every look at them.
      if (String(error) !== lastFault) onUnusable(error);
      lastFault = String(error);
    }
  };
  const timer = setInterval(poll, pollMs).unref();
  return {
    current: () => current,
    expiresAtMs: () => expiresAtMs,
    subscribe: (listener) => void listeners.push(listener),
    isNamed: (certificate) => files.clients === undefined || isNamed(certificate, files.clients.names),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** Together, or not at all: a key that does not belong to the certificate is found here. */
function read({ cert, key, clients }: TlsFiles): Certificates {
  const found = { cert: readFileSync(cert), key: readFileSync(key), ca: clients && readFileSync(clients.ca) };
  try {
    createSecureContext(found);
  } catch (error: unknown) {
    const files = [cert, key, ...(clients === undefined ? [] : [clients.ca])].join(", ");
    throw new Error(`the certificates cannot be used together (${files}): ${String(error)}`, { cause: error });
  }
  return found;
}

/** There is a CA in both, or in neither. */
const isSame = (one: Certificates, other: Certificates): boolean =>
  one.cert.equals(other.cert) && one.key.equals(other.key) && (one.ca ?? EMPTY).equals(other.ca ?? EMPTY);

const EMPTY = Buffer.alloc(0);

const expiryOf = ({ cert }: Certificates): number => new X509Certificate(cert).validToDate.getTime();

function isNamed(certificate: X509Certificate | undefined, wanted: readonly string[]): boolean {
  const names = certificate === undefined ? undefined : namesIn(certificate);
  return names !== undefined && [...names.uris, ...names.dnsNames].some((name) => wanted.includes(name));
}
