/** What is there to be copied must be accepted by Envoy as it stands, and must not have a way around Toolgate. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { demoEnvoyConfig } from "../../src/cli/demo/envoy-config.ts";
import { PACKAGE_ROOT, parseDemoFlags } from "../../src/cli/demo/options.ts";
import type { DemoFlags } from "../../src/cli/demo/options.ts";
import { ANSWER_ATTRIBUTES, LEAN_ATTRIBUTES } from "../../src/grpc/skipped-headers.ts";
import { ENVOY_PATH, describeWithEnvoy } from "./real-envoy.ts";

const run = promisify(execFile);
const FOLDER = join(PACKAGE_ROOT, "envoy-config");
const FILES = ["demo.yaml", "minimal.yaml", "mtls.yaml"];
/** By another filter, or in other messages. */
const OTHERS = ["ext-authz.yaml", "lean.yaml", "native-mcp.yaml", "two-message.yaml"];
const KEY_SET = JSON.stringify({
  keys: [
    {
      kty: "EC",
      crv: "P-256",
      x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
      alg: "ES256",
    },
  ],
});

type Node = { readonly [name: string]: Node } & readonly Node[];

const load = async (file: string): Promise<Node> => parse(await readFile(join(FOLDER, file), "utf8")) as Node;
const managerOf = (config: Node): Node | undefined =>
  config["static_resources"]?.["listeners"]?.[0]?.["filter_chains"]?.[0]?.["filters"]?.[0]?.["typed_config"];
const filterOf = (config: Node): Node | undefined =>
  managerOf(config)?.["http_filters"]?.find(({ name }) => String(name) === "toolgate.ext_proc");

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "toolgate-config-"));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Puts real certificates where mtls.yaml has its own paths, which Envoy would read. */
async function withCertificates(text: string, folder: string): Promise<string> {
  const files = ["-keyout", join(folder, "server.key"), "-out", join(folder, "server.crt")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test"];
  await run("openssl", ["req", "-x509", ...kind, ...files]);
  return text
    .replaceAll("/etc/envoy/tls/clients-ca.crt", join(folder, "server.crt"))
    .replaceAll("/etc/envoy/tls", folder);
}

/** What Envoy says on stderr; empty when it accepts without a warning. */
async function validate(config: string): Promise<string> {
  const { stdout, stderr } = await run(ENVOY_PATH, ["--mode", "validate", "--log-level", "warning", "-c", config]);
  expect(stdout).toContain("OK");
  return stderr
    .split("\n")
    .filter((line) => !UNFINISHED.test(line))
    .join("\n");
}

/** Envoy's own MCP filter, of which docs/profiles.md says so. */
const UNFINISHED = /'envoy\.extensions\.filters\.http\.mcp\.v3\.\S+' .* marked as work-in-progress/;

describeWithEnvoy("envoy-config/", () => {
  test("has no file that is not tested here", async () => {
    expect((await readdir(FOLDER)).toSorted()).toEqual([...FILES, ...OTHERS].toSorted());
  });

  test.each([...FILES, ...OTHERS])("%s is accepted by Envoy, without a warning", async (file) => {
    const folder = await temporaryFolder();
    const config = join(folder, file);
    await writeFile(config, await withCertificates(await readFile(join(FOLDER, file), "utf8"), folder));
    expect(await validate(config)).toBe("");
  });

  test.each([
    ["on other ports", { port: "20000", envoyAdminPort: "20001", listen: "127.0.0.1:20002", serverPort: "20003" }],
    ["in front of another server", { upstream: "http://localhost:3001/some/mcp" }],
    ["in front of one at an IPv6 address", { upstream: "http://[::1]:3001/mcp" }],
  ] satisfies [string, DemoFlags][])("the demo's configuration %s is accepted by Envoy", async (_, flags) => {
    const options = parseDemoFlags(flags);
    if (!options.ok) throw new Error(options.error.join());
    const config = join(await temporaryFolder(), "demo.json");
    await writeFile(config, await demoEnvoyConfig(options.value, KEY_SET));
    expect(await validate(config)).toBe("");
  });
});

test.each([...FILES, ...OTHERS])("%s gives up a request that does not come to its end", async (file) => {
  expect(managerOf(await load(file))).toMatchObject({ request_timeout: "60s" });
});

describe.each(FILES)("%s", (file) => {
  test("leads to the MCP server on one route only, with the filter on", async () => {
    const routes = managerOf(await load(file))?.["route_config"]?.["virtual_hosts"]?.flatMap(
      (host) => host["routes"] ?? [],
    );
    expect(routes).toMatchObject([
      {
        match: { path: "/mcp" },
        route: { cluster: "mcp_server" },
        typed_per_filter_config: { "toolgate.ext_proc": { "@type": expect.stringContaining("FilterConfig") } },
      },
    ]);
  });

  test("refuses what it cannot ask Toolgate about", async () => {
    expect(filterOf(await load(file))).toMatchObject({ typed_config: { failure_mode_allow: false } });
  });

  test("has the same filter as the others", async () => {
    expect(filterOf(await load(file))).toEqual(filterOf(await load("minimal.yaml")));
  });

  test("has the same limit for a body over HTTP/1.1 and over HTTP/2", async () => {
    const config = await load(file);
    expect(config["static_resources"]?.["listeners"]?.[0]).toMatchObject({
      per_connection_buffer_limit_bytes: 4_194_304,
    });
    expect(managerOf(config)).toMatchObject({ http2_protocol_options: { initial_stream_window_size: 4_194_304 } });
  });
});

describe.each([
  ["lean.yaml", []],
  ["two-message.yaml", ["envoy.filters.http.header_to_metadata"]],
])("%s", (file, more) => {
  test("asks Envoy for all that Toolgate needs to know of headers", async () => {
    const own = { request_attributes: expect.arrayContaining([...LEAN_ATTRIBUTES]), failure_mode_allow: false };
    expect(filterOf(await load(file))).toMatchObject({ typed_config: own });
  });

  test("has the filter that holds a request behind the one that asks about it", async () => {
    const filters = managerOf(await load(file))?.["http_filters"]?.map(({ name }) => String(name));
    expect(filters).toEqual(["toolgate.ext_proc", ...more, "envoy.filters.http.buffer", "envoy.filters.http.router"]);
  });

  test("asks in one message only where the whole request is held, and in two everywhere else", async () => {
    const [message, other, ...others] =
      managerOf(await load(file))?.["route_config"]?.["virtual_hosts"]?.[0]?.["routes"] ?? [];
    expect(others).toEqual([]);
    expect(Object.keys(message?.["typed_per_filter_config"] ?? {})).toEqual([
      "toolgate.ext_proc",
      "envoy.filters.http.buffer",
    ]);
    const overrides = filterOf(await load("minimal.yaml"))?.["typed_config"]?.["processing_mode"];
    expect(other).toMatchObject({
      match: { path: "/mcp" },
      typed_per_filter_config: { "toolgate.ext_proc": { config: { overrides: { processing_mode: overrides } } } },
    });
  });
});

test("two-message.yaml asks Envoy for all that Toolgate needs to know of an answer's headers", async () => {
  const own = { response_attributes: ANSWER_ATTRIBUTES };
  expect(filterOf(await load("two-message.yaml"))).toMatchObject({ typed_config: own });
});

describe("native-mcp.yaml", () => {
  test("has the filter that reads messages before the one that asks, and as strict as it can be", async () => {
    const filters = managerOf(await load("native-mcp.yaml"))?.["http_filters"] ?? [];
    expect(filters).toMatchObject([
      {
        name: "envoy.filters.http.mcp",
        typed_config: { traffic_mode: "REJECT_NO_MCP", reject_duplicate_keys: true, attribute_source: "BODY" },
      },
      {
        name: "toolgate.ext_proc",
        typed_config: {
          failure_mode_allow: false,
          metadata_options: { forwarding_namespaces: { untyped: expect.arrayContaining(["envoy.filters.http.mcp"]) } },
        },
      },
      { name: "envoy.filters.http.router" },
    ]);
  });
});

describe("the demo's configuration", () => {
  test("has every value of the run in place of the file's", async () => {
    const options = parseDemoFlags({
      port: "20000",
      envoyAdminPort: "20001",
      listen: "127.0.0.1:20002",
      serverPort: "20003",
    });
    if (!options.ok) throw new Error(options.error.join());
    const config = await demoEnvoyConfig(options.value, KEY_SET);
    for (const port of [20_000, 20_001, 20_002, 20_003]) expect(config).toContain(`"port_value":${port}`);
    expect(config.match(/"port_value"/g)).toHaveLength(4);
    expect(config).toContain(JSON.stringify(KEY_SET));
  });

  test("sends to the user's server under that server's own name and path", async () => {
    const options = parseDemoFlags({ upstream: "http://tools.example:8080/v1/mcp" });
    if (!options.ok) throw new Error(options.error.join());
    const config = JSON.parse(await demoEnvoyConfig(options.value, KEY_SET)) as Node;
    expect(managerOf(config)?.["route_config"]?.["virtual_hosts"]?.[0]?.["routes"]).toMatchObject([
      { match: { path: "/mcp" }, route: { host_rewrite_literal: "tools.example:8080", prefix_rewrite: "/v1/mcp" } },
    ]);
    expect(config["static_resources"]?.["clusters"]?.[1]).toMatchObject({ name: "mcp_server", type: "STRICT_DNS" });
  });
});
