import { describe, expect, test } from "vitest";
import { formatAddress, parseAddress } from "../../src/config/address.ts";
import { describeConfig, limitsOf, parseConfig, trustOf } from "../../src/config/config.ts";
import type { ConfigSources } from "../../src/config/config.ts";
import { OPTIONS, OPTION_NAMES, envOf, flagOf } from "../../src/config/options.ts";
import type { Config } from "../../src/config/options.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";

type Given = Partial<Pick<ConfigSources, "flags" | "env">> & { readonly file?: string };

const parse = ({ flags = {}, env = {}, file }: Given) =>
  parseConfig({
    flags: file === undefined ? flags : { config: "toolgate.yaml", ...flags },
    env,
    readFile: (path) => {
      if (path === "toolgate.yaml" && file !== undefined) return file;
      throw new Error(`ENOENT: no such file or directory, open '${path}'`);
    },
  });

function configOf(given: Given): Config {
  const parsed = parse(given);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value.config;
}

function problemsOf(given: Given): readonly string[] {
  const parsed = parse(given);
  return parsed.ok ? [] : parsed.error.map(({ path, message }) => `${path}: ${message}`);
}

function warningsOf(listen: string, more: Record<string, string> = { insecure: "yes" }): readonly string[] {
  const parsed = parse({ flags: { ...REQUIRED, listen, ...more } });
  return parsed.ok ? parsed.value.warnings : ["refused"];
}

const REQUIRED = { policies: "policies" };
const CHAIN = { auditChain: "yes" };
const TLS = { tlsCert: "c", tlsKey: "k", tlsClientCa: "a", tlsClientNames: "n" };

describe("the configuration", () => {
  test("has a default for everything but the policies", () => {
    expect(configOf({ flags: REQUIRED })).toStrictEqual({
      policies: "policies",
      listen: { kind: "tcp", host: "127.0.0.1", port: 9002 },
      adminListen: { kind: "tcp", host: "127.0.0.1", port: 9003 },
      tlsCert: "",
      tlsKey: "",
      tlsClientCa: "",
      tlsClientNames: [],
      insecure: "no",
      unmatched: "refuse",
      profiles: [],
      trustDomain: "cluster.local",
      jwtPayloadKey: "payload",
      workloadIdentity: "peer",
      xfccHops: 1,
      authzLists: "refuse",
      authzUnseen: "refuse",
      maxBodyBytes: 4_194_304,
      maxAnswerBytes: 16_777_216,
      maxEventBytes: 4_194_304,
      maxDepth: 64,
      maxKeys: 2_000,
      maxNameBytes: 256,
      maxUriBytes: 2_048,
      maxStreams: 10_000,
      maxHeldBytes: 268_435_456,
      audit: "best-effort",
      auditLog: "stdout",
      auditArguments: [],
      auditChain: "no",
      auditChainKey: "",
      drainSeconds: 10,
      traces: "off",
      otlpEndpoint: "",
      otlpProtocol: "http",
      traceSampling: 0,
      logLevel: "info",
    });
    expect(problemsOf({})).toStrictEqual([
      "--policies: required: the directory with the policy documents (or TOOLGATE_POLICIES, or policies in the file)",
    ]);
  });

  test("takes a flag over the environment over the file over the default", () => {
    const file = "policies: from-file\nlogLevel: debug\ndrainSeconds: 1\nmaxBodyBytes: 2048\n";
    const env = { TOOLGATE_LOG_LEVEL: "warn", TOOLGATE_DRAIN_SECONDS: "2" };
    const flags = { logLevel: "error" };
    expect(configOf({ file, env, flags })).toMatchObject({
      logLevel: "error",
      drainSeconds: 2,
      maxBodyBytes: 2048,
      policies: "from-file",
      jwtPayloadKey: "payload",
    });
  });

  test.each(OPTION_NAMES)("has %s under one name in all three places", (name) => {
    const others: Record<string, string> = {
      policies: "elsewhere",
      listen: "unix:/run/a.sock",
      adminListen: "[::1]:1",
      tlsCert: "cert.pem",
      tlsKey: "key.pem",
      tlsClientCa: "ca.pem",
      tlsClientNames: "spiffe://td/envoy,envoy.example",
      insecure: "yes",
      unmatched: "pass",
      profiles: "lean,native-mcp",
      trustDomain: "other.example",
      jwtPayloadKey: "claims",
      workloadIdentity: "linkerd",
      xfccHops: "2",
      authzLists: "pass",
      authzUnseen: "headers",
      maxBodyBytes: "1024",
      maxAnswerBytes: "2048",
      maxEventBytes: "4096",
      maxDepth: "8",
      maxKeys: "64",
      maxNameBytes: "16",
      maxUriBytes: "64",
      maxStreams: "1",
      maxHeldBytes: "1048576",
      audit: "required",
      auditLog: "/var/log/decisions",
      auditArguments: "path,query",
      auditChain: "yes",
      auditChainKey: "/etc/toolgate/chain.key",
      drainSeconds: "0",
      traces: "participate",
      otlpEndpoint: "https://collector.example:4318/base",
      otlpProtocol: "grpc",
      traceSampling: "0.25",
      logLevel: "warn",
    };
    const text = others[name] ?? "";
    const needed = { ...REQUIRED, ...(name.startsWith("tls") ? TLS : {}), ...(name === "auditChainKey" ? CHAIN : {}) };
    const required = Object.fromEntries(Object.entries(needed).filter(([other]) => other !== name));
    const fromFlag = describeConfig(configOf({ flags: { ...required, [name]: text } }));
    expect(fromFlag[name]).toBe(text);
    expect(describeConfig(configOf({ flags: required, env: { [envOf(name)]: text } }))).toStrictEqual(fromFlag);
    expect(describeConfig(configOf({ flags: required, file: `${name}: "${text}"` }))).toStrictEqual(fromFlag);
    expect(OPTIONS[name].fallback).not.toBe(text);
  });

  test("spells flags and variables as one expects", () => {
    expect([flagOf("adminListen"), envOf("adminListen")]).toStrictEqual(["--admin-listen", "TOOLGATE_ADMIN_LISTEN"]);
    expect([flagOf("policies"), envOf("jwtPayloadKey")]).toStrictEqual(["--policies", "TOOLGATE_JWT_PAYLOAD_KEY"]);
  });

  test("finds its file through TOOLGATE_CONFIG too, and the flag wins", () => {
    const env = { TOOLGATE_CONFIG: "env.yaml" };
    const policies = (flags: Record<string, string>) => {
      const parsed = parseConfig({ flags, env, readFile: (path) => `policies: named-in-${path}` });
      return parsed.ok ? parsed.value.config.policies : parsed.error;
    };
    expect(policies({})).toBe("named-in-env.yaml");
    expect(policies({ config: "flag.yaml" })).toBe("named-in-flag.yaml");
  });

  test("ignores an empty variable, and reads an empty file", () => {
    expect(configOf({ flags: REQUIRED, env: { TOOLGATE_LOG_LEVEL: "" }, file: "# nothing yet\n" }).logLevel).toBe(
      "info",
    );
  });
});

describe("mistakes", () => {
  test("are reported all at once, each with its place and what was expected", () => {
    const problems = problemsOf({
      flags: { listen: "9002", unmatched: "allow" },
      env: { TOOLGATE_DRAIN_SECONDS: "-1", TOOLGATE_ADMIN_LISTN: "x", TOOLGATE_FOO: "y" },
      file: "maxBodybytes: 1\nlogLevel: [info]\ntrustDomain: Cluster.Local\n\ndrainSeconds: 1.5\njwtPayloadKey:\n",
    });
    expect(problems.toSorted()).toStrictEqual(
      [
        `--listen: expected host:port, [IPv6]:port or unix:/path, not "9002"`,
        `--policies: required: the directory with the policy documents (or TOOLGATE_POLICIES, or policies in the file)`,
        `--unmatched: expected refuse or pass, not "allow"`,
        `TOOLGATE_ADMIN_LISTN: unknown option; did you mean TOOLGATE_ADMIN_LISTEN?`,
        `TOOLGATE_DRAIN_SECONDS: expected a whole number from 0 to 3600, not "-1"`,
        `TOOLGATE_FOO: unknown option; there are ${[...OPTION_NAMES, "config"].map(envOf).join(", ")}`,
        `toolgate.yaml:1: maxBodybytes: unknown option; did you mean maxBodyBytes?`,
        `toolgate.yaml:2: logLevel: expected one value: a text or a number`,
        `toolgate.yaml:3: trustDomain: expected a SPIFFE trust domain: lower-case letters, digits, ".", "_" and "-", not "Cluster.Local"`,
        `toolgate.yaml:5: drainSeconds: expected a whole number from 0 to 3600, not "1.5"`,
        `toolgate.yaml:6: jwtPayloadKey: expected one value: a text or a number`,
      ].toSorted(),
    );
  });

  test("count also where a stronger source hides them", () => {
    expect(problemsOf({ flags: { ...REQUIRED, logLevel: "info" }, env: { TOOLGATE_LOG_LEVEL: "loud" } })).toStrictEqual(
      ['TOOLGATE_LOG_LEVEL: expected debug or info or warn or error, not "loud"'],
    );
  });

  test("in YAML have a line, and nothing is called missing that the file may have had", () => {
    expect(problemsOf({ file: "listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n" })).toStrictEqual([
      "toolgate.yaml:2: Map keys must be unique",
    ]);
    expect(problemsOf({ file: "- a\n- b\n" })).toStrictEqual([
      "toolgate.yaml:1: expected a mapping of options, as in `listen: 127.0.0.1:9002`",
    ]);
    expect(problemsOf({ env: { TOOLGATE_CONFIG: "gone.yaml" } })).toStrictEqual([
      "TOOLGATE_CONFIG: cannot read the file: ENOENT: no such file or directory, open 'gone.yaml'",
    ]);
  });

  test("are not what Kubernetes sets for a Service called toolgate", () => {
    const env = {
      TOOLGATE_SERVICE_HOST: "10.0.0.1",
      TOOLGATE_SERVICE_PORT: "9002",
      TOOLGATE_SERVICE_PORT_GRPC: "9002",
      TOOLGATE_PORT: "tcp://10.0.0.1:9002",
      TOOLGATE_PORT_9002_TCP: "tcp://10.0.0.1:9002",
      TOOLGATE_PORT_9002_TCP_PROTO: "tcp",
      TOOLGATE_PORT_9002_TCP_PORT: "9002",
      TOOLGATE_PORT_9002_TCP_ADDR: "10.0.0.1",
      TOOLGATE_ADMIN_SERVICE_HOST: "10.0.0.2",
    };
    expect(problemsOf({ flags: REQUIRED, env })).toStrictEqual([]);
  });

  test.each([
    ["maxBodyBytes", "1023"],
    ["maxBodyBytes", "67108865"],
    ["maxBodyBytes", "1e6"],
    ["maxBodyBytes", " 4096"],
    ["drainSeconds", "3601"],
    ["policies", ""],
    ["jwtPayloadKey", ""],
  ])("of value: %s %j", (name, text) => {
    expect(problemsOf({ flags: { ...REQUIRED, [name]: text } })).toHaveLength(1);
  });
});

test("who is believed about workloads follows from two options", () => {
  const trust = (flags: Record<string, string>) => trustOf(configOf({ flags: { ...REQUIRED, ...flags } }));
  expect(trust({})).toStrictEqual({ workload: "peer", trustDomain: "cluster.local" });
  expect(trust({ workloadIdentity: "linkerd", xfccHops: "2" })).toStrictEqual({
    workload: "linkerd",
    trustDomain: "cluster.local",
  });
  expect(trust({ workloadIdentity: "xfcc", xfccHops: "2" })).toStrictEqual({
    workload: "xfcc",
    hops: 2,
    trustDomain: "cluster.local",
  });
});

describe("the limits", () => {
  test("are the default ones where no option says otherwise", () => {
    expect(limitsOf(configOf({ flags: REQUIRED }))).toStrictEqual(DEFAULT_LIMITS);
  });

  test("are each set by one option, which changes no other", () => {
    const of = (name: string, value: string) => limitsOf(configOf({ flags: { ...REQUIRED, [name]: value } }));
    for (const name of ["maxBodyBytes", "maxAnswerBytes", "maxEventBytes", "maxNameBytes", "maxUriBytes"] as const)
      expect(of(name, "2000"), name).toStrictEqual({ ...DEFAULT_LIMITS, [name]: 2_000 });
    expect(of("maxKeys", "70")).toStrictEqual({
      ...DEFAULT_LIMITS,
      request: { ...DEFAULT_LIMITS.request, maxKeys: 70 },
    });
    expect(of("maxDepth", "9")).toStrictEqual({
      ...DEFAULT_LIMITS,
      request: { ...DEFAULT_LIMITS.request, maxDepth: 9 },
      answer: { ...DEFAULT_LIMITS.answer, maxDepth: 9 },
    });
  });

  test.each([
    ["maxBodyBytes", 1_024, 67_108_864],
    ["maxAnswerBytes", 1_024, 67_108_864],
    ["maxEventBytes", 1_024, 67_108_864],
    ["maxDepth", 8, 512],
    ["maxKeys", 64, 1_000_000],
    ["maxNameBytes", 16, 4_096],
    ["maxUriBytes", 64, 65_536],
    ["maxStreams", 1, 1_000_000],
  ] as const)("are within bounds: %s from %i to %i", (name, min, max) => {
    const problems = (value: number): number => problemsOf({ flags: { ...REQUIRED, [name]: String(value) } }).length;
    expect([min - 1, min, max, max + 1].map(problems)).toEqual([1, 0, 0, 1]);
  });
});

describe("an address", () => {
  test.each(["127.0.0.1:9002", "localhost:0", "toolgate.default.svc:65535", "[::1]:9002", "unix:/run/toolgate.sock"])(
    "%s is read, and written the same",
    (text) => {
      const parsed = parseAddress(text);
      expect(parsed.ok && formatAddress(parsed.value)).toBe(text);
    },
  );

  test("is a port of a host or a path", () => {
    expect(parseAddress("[fe80::1]:9002")).toStrictEqual({
      ok: true,
      value: { kind: "tcp", host: "fe80::1", port: 9002 },
    });
    expect(parseAddress("unix:/a")).toStrictEqual({ ok: true, value: { kind: "unix", path: "/a" } });
  });

  test.each([
    ["127.0.0.1", "expected host:port"],
    [":9002", "expected a host name"],
    ["127.0.0.1:65536", "expected a port from 0 to 65535"],
    ["127.0.0.1:http", "expected host:port"],
    ["127.0.0.256:1", "expected a host name or an IP address"],
    ["::1:9002", "expected host:port"],
    ["[127.0.0.1]:9002", "expected an IPv6 address inside the brackets"],
    ["http://127.0.0.1:9002", "expected host:port"],
    ["unix:run/a.sock", "expected an absolute path"],
    [`unix:/${"a".repeat(107)}`, "expected a socket path of at most 107 bytes"],
  ])("%s is refused", (text, expected) => {
    const parsed = parseAddress(text);
    expect(parsed.ok ? "" : parsed.error).toContain(expected);
  });
});

describe("a warning", () => {
  test.each(["0.0.0.0:9002", "[::]:9002", "10.0.0.1:9002", "toolgate.example:9002"])(
    "says that %s has no TLS",
    (listen) => {
      expect(warningsOf(listen)).toStrictEqual([
        expect.stringContaining(`--listen ${listen}: other machines can reach`),
      ]);
    },
  );

  test.each(["127.0.0.1:9002", "127.9.9.9:1", "[::1]:9002", "localhost:9002", "unix:/run/toolgate.sock"])(
    "is not given for %s",
    (listen) => {
      expect(warningsOf(listen)).toStrictEqual([]);
    },
  );

  test("is given for TLS without certificates of clients, and for an admin port that others can reach", () => {
    const { tlsCert, tlsKey } = TLS;
    expect(warningsOf("0.0.0.0:1", { tlsCert, tlsKey })).toStrictEqual([
      "--listen 0.0.0.0:1: other machines can reach this address, and any of them can ask in Envoy's place: set --tls-client-ca.",
    ]);
    expect(warningsOf("0.0.0.0:1", TLS)).toStrictEqual([]);
    expect(warningsOf("127.0.0.1:1", { adminListen: "0.0.0.0:2" })).toStrictEqual([
      "--admin-listen 0.0.0.0:2: other machines can read metrics and the names of policies here. Nothing can be changed.",
    ]);
  });
});

test("a key of the decision log's chain needs the chain", () => {
  expect(problemsOf({ flags: { ...REQUIRED, auditChainKey: "k" } })).toStrictEqual([
    "--audit-chain: must be yes with --audit-chain-key: the chain is what the key is for",
  ]);
});

describe("TLS", () => {
  const { tlsCert, tlsKey, tlsClientCa, tlsClientNames } = TLS;

  test.each<readonly [Record<string, string>, readonly string[]]>([
    [{ listen: "0.0.0.0:9002" }, ["--listen: 0.0.0.0:9002 can be reached from other machines, and has no TLS"]],
    [{ tlsCert }, ["--tls-key: required with --tls-cert"]],
    [{ tlsKey }, ["--tls-cert: required with --tls-key"]],
    [{ tlsClientCa, tlsClientNames }, ["--tls-cert: required with --tls-client-ca"]],
    [{ tlsCert, tlsKey, tlsClientCa }, ["--tls-client-names: required with --tls-client-ca"]],
    [{ tlsCert, tlsKey, tlsClientCa, tlsClientNames: " , " }, ["--tls-client-names: required with --tls-client-ca"]],
    [{ tlsCert, tlsKey, tlsClientNames }, ["--tls-client-ca: required with --tls-client-names"]],
  ])("is asked for as a whole, or not at all: %j", (flags, problems) => {
    expect(problemsOf({ flags: { ...REQUIRED, ...flags } })).toStrictEqual(
      problems.map((problem) => expect.stringContaining(problem) as string),
    );
  });

  test("is not needed where only this machine can connect, or where one says that it is not wanted", () => {
    for (const flags of [
      { listen: "unix:/run/x" },
      { listen: "[::1]:1" },
      { listen: "0.0.0.0:1", insecure: "yes" },
      TLS,
    ])
      expect(problemsOf({ flags: { ...REQUIRED, ...flags } })).toStrictEqual([]);
  });

  test("takes the names of clients one by one", () => {
    const flags = { ...REQUIRED, ...TLS, tlsClientNames: "spiffe://td/a, envoy.example," };
    expect(configOf({ flags }).tlsClientNames).toStrictEqual(["spiffe://td/a", "envoy.example"]);
  });
});

test("a way of asking that there is not is a mistake, one among others too", () => {
  expect(problemsOf({ flags: { ...REQUIRED, profiles: "lean,fast" } })).toStrictEqual([
    expect.stringMatching(/^--profiles: expected lean or native-mcp, parted by commas, not "lean,fast"$/),
  ]);
});

describe("the options of traces", () => {
  const problemOf = (name: string, text: string): readonly string[] =>
    problemsOf({ flags: { ...REQUIRED, [name]: text } });

  test.each(["0", "1", "0.5", ".5", "1.0"])("take the share %s", (text) => {
    expect(configOf({ flags: { ...REQUIRED, traceSampling: text } }).traceSampling).toBe(Number(text));
  });

  test.each(["", "1.01", "-0.1", "1e-3", "50%", "NaN", "."])("do not take the share %j", (text) => {
    expect(problemOf("traceSampling", text)).toStrictEqual([expect.stringContaining("expected a number from 0 to 1")]);
  });

  test.each(["http://127.0.0.1:4318", "https://collector.example", "http://[::1]:4317", "http://c/base/"])(
    "take the collector %s",
    (text) => {
      expect(configOf({ flags: { ...REQUIRED, otlpEndpoint: text } }).otlpEndpoint).toBe(text);
    },
  );

  test.each([
    "collector:4317",
    "ftp://c",
    "http://",
    "http://user:word@c",
    "http://c?x=1",
    "http://c#x",
    "http://c d",
    "http://c:99999",
  ])("do not take the collector %j", (text) => {
    expect(problemOf("otlpEndpoint", text)).toStrictEqual([expect.stringContaining("expected http:// or https://")]);
  });
});
