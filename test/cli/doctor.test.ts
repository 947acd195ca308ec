/** The shipped configurations have nothing wrong; each of these changes to one is found, with the setting to change back. */
import { readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import type { Document, YAMLSeq } from "yaml";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import { runDoctor } from "../../src/cli/doctor.ts";
import { temporaryDirectory } from "../policies/fixtures.ts";

type Doctored = { readonly code: number; readonly lines: readonly string[] };
type Path = readonly (string | number)[];

const FOLDER = join(PACKAGE_ROOT, "envoy-config");
const CHAIN: Path = ["static_resources", "listeners", 0, "filter_chains", 0];
const MANAGER: Path = [...CHAIN, "filters", 0, "typed_config"];
const FILTERS: Path = [...MANAGER, "http_filters"];
const HOST: Path = [...MANAGER, "route_config", "virtual_hosts", 0];
const ROUTE: Path = [...HOST, "routes", 0];
const AROUND = { match: { prefix: "/" }, route: { cluster: "mcp_server" } };
const TYPES = "type.googleapis.com/envoy.extensions";
const TOOLGATE = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config";

async function doctor(files: readonly string[], flags: object = {}): Promise<Doctored> {
  let printed = "";
  const code = await runDoctor(files, { cluster: "toolgate", ...flags }, { write: (text) => (printed += text) });
  return { code, lines: printed.trimEnd().split("\n") };
}

async function doctorOf(text: string, flags: object = {}): Promise<Doctored> {
  const file = join(temporaryDirectory(), "envoy.yaml");
  await writeFile(file, text);
  const { code, lines } = await doctor([file], flags);
  return { code, lines: lines.map((line) => line.replaceAll(file, "FILE")) };
}

async function changed(file: string, change: (config: Document) => void): Promise<string> {
  const config = parseDocument(await readFile(join(FOLDER, file), "utf8"));
  change(config);
  return config.toString();
}

describe("toolgate doctor has nothing to say", () => {
  test.each(readdirSync(FOLDER))("of %s", async (file) => {
    expect(await doctor([join(FOLDER, file)])).toEqual({ code: 0, lines: ["1 filter that asks Toolgate: 0 problems"] });
  });

  test("of names in camel case, which Envoy takes too", async () => {
    const text = await readFile(join(FOLDER, "minimal.yaml"), "utf8");
    const camel = text.replaceAll(/^( *(?:- )?)(\w+)(?=:)/gm, (_, before: string, name: string) => {
      return before + name.replaceAll(/_(\w)/g, (__, letter: string) => letter.toUpperCase());
    });
    expect(camel).toContain("failureModeAllow: false");
    expect((await doctorOf(camel)).lines).toEqual(["1 filter that asks Toolgate: 0 problems"]);
    const open = camel.replace("failureModeAllow: false", "failureModeAllow: true");
    expect((await doctorOf(open)).lines[0]).toContain("typedConfig.failureModeAllow: set it to false");
  });

  test("of a route to another server without the filter", async () => {
    const text = await changed("minimal.yaml", (config) =>
      config.addIn([...HOST, "routes"], { match: { prefix: "/" }, route: { cluster: "web" } }),
    );
    expect((await doctorOf(text)).code).toBe(0);
  });
});

const set =
  (path: Path, value: unknown) =>
  (config: Document): void =>
    config.setIn(path, value);
const remove =
  (path: Path) =>
  (config: Document): void =>
    void config.deleteIn(path);
const add =
  (path: Path, value: object) =>
  (config: Document): void =>
    config.addIn(path, config.createNode(value));
const insert =
  (filter: object, place: number) =>
  (config: Document): void => {
    const filters = config.getIn(FILTERS) as YAMLSeq;
    filters.items.splice(place, 0, config.createNode(filter));
  };

const extProc = (...path: Path): Path => [...FILTERS, 0, "typed_config", ...path];
/** Where ext-authz.yaml has the other one. */
const extAuthz = extProc;
const LUA = { name: "lua", typed_config: { "@type": `${TYPES}.filters.http.lua.v3.Lua` } };
const JWT = { name: "jwt", typed_config: { "@type": `${TYPES}.filters.http.jwt_authn.v3.JwtAuthentication` } };
const ROUTER = { name: "router", typed_config: { "@type": `${TYPES}.filters.http.router.v3.Router` } };
const MIRRORED = { match: {}, route: { cluster: "web", request_mirror_policies: [{ cluster: "mcp_server" }] } };
const VALIDATION: Path = [...CHAIN, "transport_socket", "typed_config", "common_tls_context", "validation_context"];
const PROXY = {
  name: "past",
  filter_chains: [
    {
      filters: [
        {
          name: "tcp",
          typed_config: { "@type": `${TYPES}.filters.network.tcp_proxy.v3.TcpProxy`, cluster: "mcp_server" },
        },
      ],
    },
  ],
};

describe("toolgate doctor finds", () => {
  test.each([
    [
      "minimal.yaml",
      "failure_mode_allow",
      set(extProc("failure_mode_allow"), true),
      "failure_mode_allow: set it to false",
    ],
    [
      "minimal.yaml",
      "observability_mode",
      set(extProc("observability_mode"), true),
      "observability_mode: set it to false",
    ],
    ["minimal.yaml", "no message_timeout", remove(extProc("message_timeout")), "message_timeout: set it"],
    [
      "minimal.yaml",
      "a request's body unseen",
      remove(extProc("processing_mode", "request_body_mode")),
      "set processing_mode.request_body_mode to BUFFERED, it is NONE",
    ],
    [
      "minimal.yaml",
      "a request's body that goes on before it is read",
      set(extProc("processing_mode", "request_body_mode"), "STREAMED"),
      "set processing_mode.request_body_mode to BUFFERED, it is STREAMED",
    ],
    [
      "minimal.yaml",
      "event streams held back",
      set(extProc("processing_mode", "response_body_mode"), "BUFFERED"),
      "set processing_mode.response_body_mode to STREAMED, it is BUFFERED",
    ],
    [
      "minimal.yaml",
      "answers that stay unseen",
      remove(extProc("processing_mode", "response_body_mode")),
      "response_body_mode: set it to STREAMED (or allow_mode_override to true)",
    ],
    [
      "minimal.yaml",
      "headers unseen",
      set(extProc("processing_mode", "request_header_mode"), "SKIP"),
      "set processing_mode.request_header_mode to SEND",
    ],
    [
      "lean.yaml",
      "requests that nothing holds until they are decided",
      remove([...ROUTE, "typed_per_filter_config", "envoy.filters.http.buffer"]),
      "set processing_mode.request_header_mode to SEND",
    ],
    [
      "lean.yaml",
      "skipped headers of which something is not told",
      remove(extProc("request_attributes", 6)),
      'request_attributes: add request.headers["mcp-protocol-version"]: headers are skipped',
    ],
    [
      "lean.yaml",
      "skipped headers that resemble others",
      remove([...MANAGER, "common_http_protocol_options"]),
      "common_http_protocol_options.headers_with_underscores_action: set it to REJECT_REQUEST",
    ],
    [
      "two-message.yaml",
      "an answer's skipped headers of which something is not told",
      remove(extProc("response_attributes", 0)),
      "response_header_mode: set it to SEND, or add",
    ],
    [
      "native-mcp.yaml",
      "bodies that nobody reads",
      remove([...FILTERS, 0]),
      "set processing_mode.request_body_mode to BUFFERED, it is NONE",
    ],
    [
      "native-mcp.yaml",
      "a reader that lets pass what it cannot read",
      set(extProc("traffic_mode"), "PASS_THROUGH"),
      "http_filters[0].typed_config.traffic_mode: set it to REJECT_NO_MCP",
    ],
    [
      "native-mcp.yaml",
      "a reader that takes one of two names",
      remove(extProc("reject_duplicate_keys")),
      "reject_duplicate_keys: set it to true",
    ],
    [
      "native-mcp.yaml",
      "a reader that believes headers",
      set(extProc("attribute_source"), "HEADERS"),
      "attribute_source: set it to BODY",
    ],
    [
      "native-mcp.yaml",
      "a reader that Toolgate does not hear",
      set([...FILTERS, 1, "typed_config", "metadata_options", "forwarding_namespaces"], {
        untyped: ["envoy.filters.http.jwt_authn"],
      }),
      "forwarding_namespaces.untyped: add envoy.filters.http.mcp",
    ],
    [
      "minimal.yaml",
      "an answer's headers unseen",
      set(extProc("processing_mode", "response_header_mode"), "SKIP"),
      "response_header_mode: set it to SEND",
    ],
    [
      "minimal.yaml",
      "answers of which it is not told whose they are",
      remove(extProc("response_attributes")),
      "response_attributes: add response.code_details",
    ],
    [
      "minimal.yaml",
      "a request's trailers unseen",
      remove(extProc("processing_mode", "request_trailer_mode")),
      "request_trailer_mode: set it to SEND",
    ],
    [
      "minimal.yaml",
      "trailers unseen",
      remove(extProc("processing_mode", "response_trailer_mode")),
      "response_trailer_mode: set it to SEND",
    ],
    [
      "mtls.yaml",
      "certificates that Toolgate is not told of",
      remove(extProc("request_attributes", 2)),
      "request_attributes: add connection.uri_san_peer_certificate:",
    ],
    [
      "demo.yaml",
      "tokens that Toolgate is not told of",
      remove([...FILTERS, 1, "typed_config", "metadata_options", "forwarding_namespaces"]),
      "forwarding_namespaces.untyped: add envoy.filters.http.jwt_authn",
    ],
    [
      "minimal.yaml",
      "findings that Envoy throws away",
      remove(extProc("metadata_options", "receiving_namespaces")),
      "receiving_namespaces.untyped: add toolgate",
    ],
    [
      "minimal.yaml",
      "headers that Toolgate is not shown",
      set(extProc("forward_rules"), { allowed_headers: { patterns: [{ exact: "content-type" }] } }),
      "forward_rules.allowed_headers: leave it out",
    ],
    [
      "minimal.yaml",
      "a header by which requests are judged and that Toolgate is not shown",
      set(extProc("forward_rules"), { disallowed_headers: { patterns: [{ exact: "cookie" }, { exact: "Mcp-Name" }] } }),
      "forward_rules.disallowed_headers.patterns[1]: take it out",
    ],
    [
      "ext-authz.yaml",
      "some headers that Toolgate is not shown",
      set(extAuthz("disallowed_headers"), { patterns: [{ prefix: "x-" }] }),
      "disallowed_headers.patterns[0]: take it out",
    ],
    [
      "mtls.yaml",
      "certificates that nobody checks",
      set([...VALIDATION, "trust_chain_verification"], "ACCEPT_UNTRUSTED"),
      "validation_context.trust_chain_verification: set it to VERIFY_TRUST_CHAIN",
    ],
    [
      "demo.yaml",
      "tokens that nobody checks",
      add([...FILTERS, 0, "typed_config", "rules", 0, "requires", "requires_any", "requirements"], {
        extract_only_without_validation: {},
      }),
      "requirements[2].extract_only_without_validation: take it out",
    ],
    ["minimal.yaml", "a filter behind the router", insert(ROUTER, 0), "http_filters[1]: move it before router"],
    ["minimal.yaml", "a filter before who calls is known", insert(JWT, 1), "http_filters[0]: move it behind jwt"],
    [
      "minimal.yaml",
      "a filter behind it that can change bodies",
      insert(LUA, 1),
      "http_filters[1]: move it before toolgate.ext_proc",
    ],
    [
      "minimal.yaml",
      "no route with the filter on",
      remove([...ROUTE, "typed_per_filter_config"]),
      "http_filters[0]: turn it on",
    ],
    [
      "minimal.yaml",
      "a route around it",
      add([...HOST, "routes"], AROUND),
      "routes[1]: turn Toolgate's filter on here",
    ],
    [
      "minimal.yaml",
      "a route around it among several clusters",
      add([...HOST, "routes"], {
        match: {},
        route: { weighted_clusters: { clusters: [{ name: "x" }, { name: "mcp_server" }] } },
      }),
      "weighted_clusters.clusters[1]: turn Toolgate's filter on here",
    ],
    [
      "minimal.yaml",
      "a route around it, to wherever a header says",
      add([...HOST, "routes"], { match: {}, route: { cluster_header: "x-to" } }),
      "routes[1]: turn Toolgate's filter on: it chooses its cluster",
    ],
    [
      "minimal.yaml",
      "a route around it for a copy of each request",
      add([...HOST, "routes"], MIRRORED),
      "routes[1].route.request_mirror_policies[0]: turn Toolgate's filter on here",
    ],
    [
      "minimal.yaml",
      "the same, said of all routes of a host",
      (config: Document) => {
        set([...HOST, "request_mirror_policies"], [{ cluster: "mcp_server" }])(config);
        add([...HOST, "routes"], { match: {}, route: { cluster: "web" } })(config);
      },
      "virtual_hosts[0].request_mirror_policies[0]: turn Toolgate's filter on here",
    ],
    [
      "minimal.yaml",
      "a route that turns it off",
      (config: Document) => {
        config.deleteIn([...FILTERS, 0, "disabled"]);
        const off = { "@type": `${TYPES}.filters.http.ext_proc.v3.ExtProcPerRoute`, disabled: true };
        add([...HOST, "routes"], { ...AROUND, typed_per_filter_config: { "toolgate.ext_proc": off } })(config);
      },
      "routes[1]: turn Toolgate's filter on here",
    ],
    [
      "minimal.yaml",
      "a route that asks another",
      (config: Document) => {
        const overrides = { grpc_service: { envoy_grpc: { cluster_name: "other" } } };
        const asks = { "@type": `${TYPES}.filters.http.ext_proc.v3.ExtProcPerRoute`, overrides };
        add([...HOST, "routes"], { ...AROUND, typed_per_filter_config: { "toolgate.ext_proc": asks } })(config);
      },
      "routes[1]: turn Toolgate's filter on here",
    ],
    [
      "minimal.yaml",
      "a route with settings of its own",
      set([...ROUTE, "typed_per_filter_config", "toolgate.ext_proc", "config", "overrides"], {
        failure_mode_allow: true,
      }),
      'typed_per_filter_config["toolgate.ext_proc"].config.overrides.failure_mode_allow: set it to false',
    ],
    [
      "minimal.yaml",
      "a listener around it",
      add(["static_resources", "listeners"], PROXY),
      "listeners[1].filter_chains[0].filters[0].typed_config.cluster: turn",
    ],
    [
      "ext-authz.yaml",
      "failure_mode_allow",
      set(extAuthz("failure_mode_allow"), true),
      "failure_mode_allow: set it to false",
    ],
    ["ext-authz.yaml", "no timeout", remove(extAuthz("grpc_service", "timeout")), "grpc_service.timeout: set it"],
    [
      "ext-authz.yaml",
      "a filter that asks at times",
      set(extAuthz("filter_enabled"), { default_value: {} }),
      "filter_enabled: leave it out",
    ],
    ["ext-authz.yaml", "no body", remove(extAuthz("with_request_body")), "with_request_body: set it"],
    [
      "ext-authz.yaml",
      "a part of a body",
      set(extAuthz("with_request_body", "allow_partial_message"), true),
      "with_request_body.allow_partial_message: set it to false",
    ],
    [
      "ext-authz.yaml",
      "a body as text",
      remove(extAuthz("with_request_body", "pack_as_bytes")),
      "with_request_body.pack_as_bytes: set it to true",
    ],
    ["ext-authz.yaml", "headers in one", remove(extAuthz("encode_raw_headers")), "encode_raw_headers: set it to true"],
    [
      "ext-authz.yaml",
      "a certificate that is not sent",
      (config: Document) => {
        const tls = {
          "@type": `${TYPES}.transport_sockets.tls.v3.DownstreamTlsContext`,
          common_tls_context: { validation_context: {} },
        };
        config.setIn([...CHAIN, "transport_socket"], config.createNode({ name: "tls", typed_config: tls }));
        config.deleteIn(extAuthz("include_peer_certificate"));
      },
      "include_peer_certificate: set it to true",
    ],
    [
      "ext-authz.yaml",
      "tokens that Toolgate is not told of",
      (config: Document) => {
        config.deleteIn(extAuthz("metadata_context_namespaces"));
        insert(JWT, 0)(config);
      },
      "metadata_context_namespaces: add envoy.filters.http.jwt_authn",
    ],
    [
      "ext-authz.yaml",
      "a route without bodies",
      set(
        [
          ...ROUTE,
          "typed_per_filter_config",
          "toolgate.ext_authz",
          "config",
          "check_settings",
          "disable_request_body_buffering",
        ],
        true,
      ),
      "check_settings.disable_request_body_buffering: set it to false",
    ],
  ] as const)("in %s %s", async (file, _what, change, expected) => {
    const { code, lines } = await doctorOf(await changed(file, change));
    expect(lines).toEqual([expect.stringContaining(expected), "1 filter that asks Toolgate: 1 problem"]);
    expect(lines[0]).toMatch(/^FILE: static_resources\.listeners\[/);
    expect(code).toBe(1);
  });

  test("an Envoy that does not ask at all, by any name but the one that is given", async () => {
    const text = (await readFile(join(FOLDER, "minimal.yaml"), "utf8")).replaceAll(
      /cluster_name: toolgate\b/g,
      "cluster_name: pdp",
    );
    expect(await doctorOf(text)).toEqual({
      code: 1,
      lines: [
        "no filter asks a cluster toolgate: name the one that is Toolgate with --cluster",
        "0 filters that ask Toolgate: 1 problem",
      ],
    });
    expect(await doctorOf(text, { cluster: "pdp" })).toMatchObject({ code: 0 });
    const mesh = text.replaceAll("cluster_name: pdp", 'cluster_name: "outbound|9002||toolgate.toolgate-system.svc"');
    expect(await doctorOf(mesh)).toMatchObject({ code: 0 });
  });

  test("routes that it cannot see, and says so", async () => {
    const text = await changed("minimal.yaml", (config) => {
      config.deleteIn([...MANAGER, "route_config"]);
      config.setIn([...MANAGER, "rds"], config.createNode({ route_config_name: "elsewhere" }));
    });
    const { code, lines } = await doctorOf(text);
    expect(code).toBe(0);
    expect(lines[0]).toBe(
      `FILE: ${TOOLGATE}.rds.route_config_name: not looked at: these routes come from elsewhere: ask the Envoy that has them, with --envoy-admin`,
    );
  });

  test("routes of a form that it does not know, and says so", async () => {
    const text = await changed("minimal.yaml", (config) => {
      config.setIn([...HOST, "matcher"], config.createNode({ matcher_tree: {} }));
    });
    expect((await doctorOf(text)).lines[0]).toBe(
      `FILE: ${TOOLGATE}.route_config.virtual_hosts[0].matcher: not looked at: see yourself that each of its routes has Toolgate's filter on`,
    );
  });

  test("what is no configuration, and ends with 2", async () => {
    expect(await doctorOf("a: [")).toMatchObject({
      code: 2,
      lines: [expect.stringContaining("FILE: is no configuration that can be read")],
    });
    expect(await doctor(["/no/such/file"])).toMatchObject({ code: 2, lines: [expect.stringContaining("ENOENT")] });
    expect(await doctor([], { envoyAdmin: "http://127.0.0.1:1" })).toMatchObject({
      code: 2,
      lines: [expect.stringContaining("is no admin interface of an Envoy")],
    });
    expect(await doctor([])).toMatchObject({ code: 2, lines: [expect.stringContaining("--envoy-admin")] });
  });
});
