/**
 * The configuration: flags over environment over file over defaults, all under the same names. Every mistake is
 * reported at once, each with the place it was written in, also one that a stronger source would hide.
 */
import { DEFAULT_LIMITS } from "../core/limits.ts";
import type { Trust } from "../core/identity/identify.ts";
import type { Limits } from "../core/limits.ts";
import { err, ok } from "../core/result.ts";
import type { Problem, Result } from "../core/result.ts";
import { formatAddress, isLocal } from "./address.ts";
import type { Address } from "./address.ts";
import { readConfigFile } from "./file.ts";
import type { Given } from "./file.ts";
import { CONFIG_FILE, ENV_PREFIX, OPTIONS, OPTION_NAMES, envOf, flagOf, unknownOption } from "./options.ts";
import type { Config, ConfigOption, OptionName } from "./options.ts";

export type ConfigSources = {
  /** As given on the command line, by option name (`adminListen`). */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Throws when the file cannot be read. */
  readonly readFile: (path: string) => string;
};

export type ParsedConfig = { readonly config: Config; readonly warnings: readonly string[] };

type Source = ReadonlyMap<string, Given>;

const NAMES = [...OPTION_NAMES, CONFIG_FILE.name];
const VARIABLES = NAMES.map(envOf);

/**
 * What Kubernetes sets in every pod of a namespace that has a Service named `toolgate` or `toolgate-...`:
 * `TOOLGATE_SERVICE_HOST`, `TOOLGATE_PORT_9002_TCP_ADDR`, ... Nobody wrote them, so they are no mistakes.
 */
const SERVICE_VARIABLE =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/** The configuration and what is risky in it, or all that is wrong. `path` says where: a flag, a variable, a line. */
export function parseConfig({ flags, env, readFile }: ConfigSources): Result<ParsedConfig, readonly Problem[]> {
  const problems = unknownVariables(env);
  const fromFlags = collect(flags, (name) => name, flagOf);
  // An empty variable counts as not set: that is how compose files and charts leave one out.
  const fromEnv = collect(env, (name) => (env[envOf(name)] === "" ? "" : envOf(name)), envOf);
  const file = fromFlags.get(CONFIG_FILE.name) ?? fromEnv.get(CONFIG_FILE.name);
  const fromFile = file === undefined ? new Map<string, Given>() : readConfigFile(file, readFile, problems);

  const resolve = resolveFrom([fromFlags, fromEnv, fromFile], problems);
  const config = Object.fromEntries(OPTION_NAMES.map((name) => [name, resolve(name)])) as Incomplete;
  if (!isComplete(config)) return err(problems);
  problems.push(...contradictions(config));
  return problems.length === 0 ? ok({ config, warnings: warningsOf(config) }) : err(problems);
}

/** The limits that the options set. Answers are as deep as requests; their keys are bounded by their size. */
export function limitsOf(config: Config): Limits {
  const { maxBodyBytes, maxAnswerBytes, maxEventBytes, maxNameBytes, maxUriBytes, maxDepth, maxKeys } = config;
  return {
    request: { ...DEFAULT_LIMITS.request, maxDepth, maxKeys },
    answer: { ...DEFAULT_LIMITS.answer, maxDepth },
    maxBodyBytes,
    maxAnswerBytes,
    maxEventBytes,
    maxNameBytes,
    maxUriBytes,
  };
}

export const trustOf = ({ workloadIdentity, xfccHops, trustDomain }: Config): Trust =>
  workloadIdentity === "xfcc"
    ? { workload: "xfcc", hops: xfccHops, trustDomain }
    : { workload: workloadIdentity, trustDomain };

/** Each option as one would write it: for the start-up log. */
export function describeConfig(config: Config): Readonly<Record<OptionName, string>> {
  return Object.fromEntries(OPTION_NAMES.map((name) => [name, write(name, config[name])])) as Record<
    OptionName,
    string
  >;
}

const write = <Name extends OptionName>(name: Name, value: Config[Name]): string => OPTIONS[name].format(value);

function collect(
  record: Readonly<Record<string, string | undefined>>,
  keyOf: (name: string) => string,
  placeOf: (name: string) => string,
): Source {
  const source = new Map<string, Given>();
  for (const name of NAMES) {
    const text = record[keyOf(name)];
    if (text !== undefined) source.set(name, { place: placeOf(name), text });
  }
  return source;
}

/**
 * Looks in the sources from the strongest to the weakest, and checks what all of them say. What a source would have said
 * that could not be read (`undefined`) is not known, so then nothing is reported as left out.
 */
function resolveFrom(sources: readonly (Source | undefined)[], problems: Problem[]) {
  return <Name extends OptionName>(name: Name): Config[Name] | undefined => {
    const option: ConfigOption<Config[Name]> = OPTIONS[name];
    const given = sources.map((source) => source?.get(name)).filter((value) => value !== undefined);
    if (given.length === 0 && option.fallback === undefined && !sources.includes(undefined))
      problems.push(missing(name));
    const fallback = option.fallback === undefined ? [] : [{ place: "default", text: option.fallback }];
    const values = [...given, ...fallback].map(({ place, text }) => {
      const parsed = option.parse(text);
      if (!parsed.ok) problems.push({ path: place, message: `${parsed.error}, not ${JSON.stringify(text)}` });
      return parsed.ok ? parsed.value : undefined;
    });
    return values[0];
  };
}

const missing = (name: OptionName): Problem => ({
  path: flagOf(name),
  message: `required: the ${OPTIONS[name].help} (or ${envOf(name)}, or ${name} in the file)`,
});

type Incomplete = { readonly [Name in OptionName]: Config[Name] | undefined };
const isComplete = (config: Incomplete): config is Config =>
  Object.values(config).every((value) => value !== undefined);

function unknownVariables(env: Readonly<Record<string, string | undefined>>): Problem[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(ENV_PREFIX) && !VARIABLES.includes(name) && !SERVICE_VARIABLE.test(name))
    .map((name) => ({ path: name, message: unknownOption(name, VARIABLES) }));
}

/** What each option allows, and together they do not mean. */
function contradictions(config: Config): Problem[] {
  const { listen, tlsCert, tlsKey, tlsClientCa, tlsClientNames, insecure, auditChain, auditChainKey } = config;
  const problems: Problem[] = [];
  const add = (name: OptionName, message: string): void => void problems.push({ path: flagOf(name), message });
  if (tlsCert !== "" && tlsKey === "") add("tlsKey", `required with ${flagOf("tlsCert")}: the key of the certificate`);
  if (tlsCert === "" && tlsKey !== "") add("tlsCert", `required with ${flagOf("tlsKey")}: the certificate of the key`);
  if (tlsCert === "" && tlsClientCa !== "")
    add("tlsCert", `required with ${flagOf("tlsClientCa")}: without TLS nobody shows a certificate`);
  if (tlsClientCa !== "" && tlsClientNames.length === 0)
    add(
      "tlsClientNames",
      `required with ${flagOf("tlsClientCa")}: or any workload of that CA could ask in Envoy's place`,
    );
  if (tlsClientCa === "" && tlsClientNames.length > 0)
    add("tlsClientCa", `required with ${flagOf("tlsClientNames")}: who has signed the certificates`);
  if (tlsCert === "" && insecure === "no" && !isLocal(listen))
    add(
      "listen",
      `${formatAddress(listen)} can be reached from other machines, and has no TLS: set ${flagOf("tlsCert")}, use loopback or a unix: socket, or say ${flagOf("insecure")} yes`,
    );
  if (auditChainKey !== "" && auditChain === "no")
    add("auditChain", `must be yes with ${flagOf("auditChainKey")}: the chain is what the key is for`);
  return problems;
}

function warningsOf({ listen, adminListen, tlsCert, tlsClientCa }: Config): readonly string[] {
  const warnings: string[] = [];
  const warn = (name: OptionName, address: Address, message: string): void =>
    void (isLocal(address) || warnings.push(`${flagOf(name)} ${formatAddress(address)}: ${message}`));
  if (tlsCert === "")
    warn(
      "listen",
      listen,
      "other machines can reach this address, and it has no TLS: who can connect can ask in Envoy's place. Use a network that only Envoy can reach.",
    );
  else if (tlsClientCa === "")
    warn(
      "listen",
      listen,
      `other machines can reach this address, and any of them can ask in Envoy's place: set ${flagOf("tlsClientCa")}.`,
    );
  warn(
    "adminListen",
    adminListen,
    "other machines can read metrics and the names of policies here. Nothing can be changed.",
  );
  return warnings;
}
