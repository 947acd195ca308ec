/**
 * All options in one table: the flag, the environment variable, the member of the file and the help are derived from
 * it, so that they cannot differ.
 */
import { err, ok } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import { closest } from "../core/closest.ts";
import { DEFAULT_LIMITS } from "../core/limits.ts";
import { formatAddress, parseAddress } from "./address.ts";
import type { Address } from "./address.ts";
import { BELIEFS } from "../core/exchange/belief.ts";
import type { Belief } from "../core/exchange/belief.ts";

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** How `toolgate serve` runs. Fixed from start to end; only policies change while it runs. */
export type Config = {
  readonly listen: Address;
  readonly adminListen: Address;
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly tlsClientCa: string;
  readonly tlsClientNames: readonly string[];
  readonly insecure: "no" | "yes";
  readonly policies: string;
  readonly unmatched: "refuse" | "pass";
  readonly profiles: readonly Belief[];
  readonly trustDomain: string;
  readonly jwtPayloadKey: string;
  readonly workloadIdentity: "peer" | "xfcc" | "linkerd";
  readonly xfccHops: number;
  readonly authzLists: "refuse" | "pass";
  readonly authzUnseen: "refuse" | "server" | "headers";
  readonly maxBodyBytes: number;
  readonly maxAnswerBytes: number;
  readonly maxEventBytes: number;
  readonly maxDepth: number;
  readonly maxKeys: number;
  readonly maxNameBytes: number;
  readonly maxUriBytes: number;
  readonly maxStreams: number;
  readonly maxHeldBytes: number;
  readonly audit: "best-effort" | "required";
  readonly auditLog: string;
  readonly auditArguments: readonly string[];
  readonly auditChain: "no" | "yes";
  readonly auditChainKey: string;
  readonly drainSeconds: number;
  readonly traces: "off" | "observe" | "participate";
  readonly otlpEndpoint: string;
  readonly otlpProtocol: "http" | "grpc";
  readonly traceSampling: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
};

export type ConfigOption<T> = {
  /** What stands for the value in the help. */
  readonly placeholder: string;
  readonly help: string;
  /** As one would write it; without one the option is required. */
  readonly fallback?: string;
  /** The value, or what was expected instead. */
  readonly parse: (text: string) => Result<T, string>;
  readonly format: (value: T) => string;
};

const address = (help: string, fallback: string): ConfigOption<Address> => ({
  placeholder: "address",
  help: `${help}: host:port, [IPv6]:port or unix:/path`,
  fallback,
  parse: parseAddress,
  format: formatAddress,
});

const oneOf = <T extends string>(help: string, values: readonly T[], fallback: T): ConfigOption<T> => ({
  placeholder: values.join("|"),
  help,
  fallback,
  parse(given) {
    const value = values.find((candidate) => candidate === given);
    return value === undefined ? err(`expected ${values.join(" or ")}`) : ok(value);
  },
  format: (value) => value,
});

const integer = (
  placeholder: string,
  help: string,
  [min, max]: readonly [number, number],
  fallback: number,
): ConfigOption<number> => ({
  placeholder,
  help,
  fallback: String(fallback),
  parse(given) {
    const value = Number(given);
    return /^[0-9]+$/.test(given) && value >= min && value <= max
      ? ok(value)
      : err(`expected a whole number from ${min} to ${max}`);
  },
  format: String,
});

const COLLECTOR = /^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/;

/** From 0 to 1. */
const share = (help: string, fallback: string): ConfigOption<number> => ({
  placeholder: "ratio",
  help,
  fallback,
  parse: (given) =>
    /^[0-9]*\.?[0-9]+$/.test(given) && Number(given) <= 1 ? ok(Number(given)) : err("expected a number from 0 to 1"),
  format: String,
});

type TextOption = Pick<ConfigOption<string>, "placeholder" | "help" | "fallback"> & {
  readonly pattern: RegExp;
  readonly expected: string;
};
const text = ({ pattern, expected, ...option }: TextOption): ConfigOption<string> => ({
  ...option,
  parse: (given) => (pattern.test(given) ? ok(given) : err(`expected ${expected}`)),
  format: (value) => value,
});

const namesIn = (given: string): readonly string[] =>
  given
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

/** Empty: none. */
const list = (placeholder: string, help: string): ConfigOption<readonly string[]> => ({
  placeholder,
  help,
  fallback: "",
  parse: (given) => ok(namesIn(given)),
  format: (names) => names.join(","),
});

/** Empty: none. */
const file = (help: string): ConfigOption<string> =>
  text({ placeholder: "file", help, fallback: "", pattern: /^.*$/, expected: "a file" });

export const OPTIONS: { readonly [Name in keyof Config]: ConfigOption<Config[Name]> } = {
  policies: text({
    placeholder: "dir",
    help: "directory with the policy documents",
    pattern: /./s,
    expected: "a directory",
  }),
  listen: address("where Envoy asks", "127.0.0.1:9002"),
  tlsCert: file("with TLS: the certificate that Envoy sees, in PEM, read again when it changes"),
  tlsKey: file("with TLS: its key"),
  tlsClientCa: file("with mutual TLS: who signs the certificates of your Envoys"),
  tlsClientNames: list("names", "with mutual TLS: the URI or DNS names of your Envoys, parted by commas"),
  insecure: oneOf(
    "yes: without TLS, listen also where other machines can connect. Whoever can, asks in Envoy's place",
    ["no", "yes"],
    "no",
  ),
  adminListen: address("where /metrics, /healthz, /readyz and /api are served", "127.0.0.1:9003"),
  unmatched: oneOf("what becomes of a request that matches no MCPServer", ["refuse", "pass"], "refuse"),
  profiles: {
    placeholder: BELIEFS.join(","),
    help: "ways of asking that are safe only where Envoy is configured as docs/profiles.md says, which Envoy does not show; parted by commas",
    fallback: "",
    parse(given) {
      const names = namesIn(given);
      const known = names.filter((name): name is Belief => BELIEFS.some((belief) => belief === name));
      return known.length === names.length ? ok(known) : err(`expected ${BELIEFS.join(" or ")}, parted by commas`);
    },
    format: (profiles) => profiles.join(","),
  },
  trustDomain: text({
    placeholder: "domain",
    help: "SPIFFE trust domain of the serviceAccount entries in policies",
    fallback: "cluster.local",
    pattern: /^[a-z0-9._-]{1,255}$/,
    expected: 'a SPIFFE trust domain: lower-case letters, digits, ".", "_" and "-"',
  }),
  jwtPayloadKey: text({
    placeholder: "key",
    help: "payload_in_metadata of Envoy's jwt_authn filter, where the verified claims are",
    fallback: "payload",
    pattern: /./s,
    expected: "a metadata key",
  }),
  workloadIdentity: oneOf(
    "who says which workload calls: the peer that Envoy has verified, x-forwarded-client-cert of a proxy before it, or l5d-client-id of a Linkerd proxy that alone can reach it",
    ["peer", "xfcc", "linkerd"],
    "peer",
  ),
  xfccHops: integer(
    "hops",
    "with xfcc: how many elements of the header your own proxies have written; the first of these is the workload",
    [1, 16],
    1,
  ),
  authzLists: oneOf(
    "with ext_authz, which cannot filter answers: what becomes of calls that list what there is",
    ["refuse", "pass"],
    "refuse",
  ),
  authzUnseen: oneOf(
    "with ext_authz, of a message whose body Envoy does not send: refused; allowed to who has access to the server, whatever it asks for; or decided by Mcp-Method and Mcp-Name, which somebody else has checked",
    ["refuse", "server", "headers"],
    "refuse",
  ),
  maxBodyBytes: integer(
    "bytes",
    "largest request body that is read; a larger one is refused",
    [1_024, 67_108_864],
    DEFAULT_LIMITS.maxBodyBytes,
  ),
  maxAnswerBytes: integer(
    "bytes",
    "largest answer in JSON that is read; a larger one is not delivered",
    [1_024, 67_108_864],
    DEFAULT_LIMITS.maxAnswerBytes,
  ),
  maxEventBytes: integer(
    "bytes",
    "largest event of a stream that is read; a larger one ends the stream",
    [1_024, 67_108_864],
    DEFAULT_LIMITS.maxEventBytes,
  ),
  maxDepth: integer("levels", "how deep requests and answers may be nested", [8, 512], DEFAULT_LIMITS.request.maxDepth),
  maxKeys: integer(
    "keys",
    "how many keys the objects of a request may have together",
    [64, 1_000_000],
    DEFAULT_LIMITS.request.maxKeys,
  ),
  maxNameBytes: integer("bytes", "longest name of a tool or prompt", [16, 4_096], DEFAULT_LIMITS.maxNameBytes),
  maxUriBytes: integer("bytes", "longest URI of a resource", [64, 65_536], DEFAULT_LIMITS.maxUriBytes),
  maxStreams: integer(
    "streams",
    "how many requests and open event streams are served at the same time; one more is refused",
    [1, 1_000_000],
    10_000,
  ),
  maxHeldBytes: integer(
    "bytes",
    "how much of requests and answers that are not whole yet is held at the same time; then new ones are refused",
    [1_048_576, 17_179_869_184],
    268_435_456,
  ),
  audit: oneOf(
    "what becomes of requests while the decision log cannot be written: decided all the same, its lines counted as lost; or refused",
    ["best-effort", "required"],
    "best-effort",
  ),
  auditLog: text({
    placeholder: "file",
    help: "where the decision log goes; SIGHUP opens a file anew",
    fallback: "stdout",
    pattern: /./s,
    expected: "stdout or a file",
  }),
  auditArguments: list(
    "keys",
    "the arguments of calls that the decision log has, by their keys, parted by commas; cut, and without what looks like a secret",
  ),
  auditChain: oneOf(
    "yes: each line of the decision log vouches for those before it, see toolgate log verify",
    ["no", "yes"],
    "no",
  ),
  auditChainKey: file("with the chain: a secret of at least 32 bytes, without which nobody can make up such lines"),
  drainSeconds: integer("seconds", "how long calls under way may take to end after SIGTERM", [0, 3_600], 10),
  traces: oneOf(
    "spans of calls: none; one for each, sent to a collector; or one more, of which the server is told in the request's _meta",
    ["off", "observe", "participate"],
    "off",
  ),
  otlpEndpoint: {
    placeholder: "url",
    help: "the collector that takes spans; if empty http://127.0.0.1 and OTLP's port, 4318 or 4317",
    fallback: "",
    parse: (given) =>
      given === "" || (COLLECTOR.test(given) && URL.canParse(given))
        ? ok(given)
        : err("expected http:// or https:// and a host, without user, query or fragment"),
    format: (url) => url,
  },
  otlpProtocol: oneOf("how spans are sent: in protobuf over HTTP, or over gRPC", ["http", "grpc"], "http"),
  traceSampling: share(
    "of the calls whose caller has no trace, the share that gets spans; the others follow their caller's flag",
    "0",
  ),
  logLevel: oneOf("least severe lines of the program's own log, on stderr", LOG_LEVELS, "info"),
};

export type OptionName = keyof Config;
export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/** The option that is not part of Config: where the file is. */
export const CONFIG_FILE = {
  name: "config",
  placeholder: "file",
  help: "YAML file with any of the other options",
} as const;

/** `adminListen` is `--admin-listen`. */
export const flagOf = (name: string): string =>
  `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** `adminListen` is `TOOLGATE_ADMIN_LISTEN`. */
export const envOf = (name: string): string =>
  `${ENV_PREFIX}${flagOf(name).slice(2).replaceAll("-", "_").toUpperCase()}`;

export const ENV_PREFIX = "TOOLGATE_";

/** What is said of a name that no option has. */
export function unknownOption(name: string, known: readonly string[]): string {
  const meant = closest(name, known);
  return meant === undefined
    ? `unknown option; there are ${known.join(", ")}`
    : `unknown option; did you mean ${meant}?`;
}
