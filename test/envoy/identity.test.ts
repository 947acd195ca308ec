/**
 * Who is believed about the caller, on a real Envoy: what a certificate says by its weaker names, what Istio says, and what
 * a proxy before this one says in a header; and that nobody else is, neither here nor by the server.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { canaryOfTests } from "./canary-of-tests.ts";
import { Authority } from "./certificates.ts";
import type { Certificate } from "./certificates.ts";
import { extProcFilter, filterChain, Gateway, manager } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { ask, callTool } from "./http.ts";
import type { Ask, Reply } from "./http.ts";
import { mutualTls } from "./mutual-tls.ts";
import { CANARY_SERVER } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const READER = "spiffe://cluster.local/ns/agents/sa/reader";
const OTHER = "spiffe://cluster.local/ns/agents/sa/other";
const LINKERD_READER = "reader.agents.serviceaccount.identity.linkerd.cluster.local";
const POLICIES = `${CANARY_SERVER}
---
apiVersion: toolgate.dev/v1alpha1
kind: MCPAccessPolicy
metadata: { name: callers, namespace: tools }
spec:
  targetRefs: [{ kind: MCPServer, name: canary }]
  rules:
    - name: by-service-account
      action: Allow
      from: [{ serviceAccount: { namespace: agents, name: reader } }]
      to: [{ tools: [read] }]
    - { name: by-dns, action: Allow, from: [{ certificate: { dns: "*.agents.example" } }], to: [{ tools: [dns] }] }
    - { name: by-subject, action: Allow, from: [{ certificate: { subject: "CN=test" } }], to: [{ tools: [subject] }] }
`;

const canary = canaryOfTests();
let authority: Authority;
let server: Certificate;

beforeAll(async () => {
  authority = await Authority.create();
  server = await authority.issue("IP:127.0.0.1");
});
afterAll(() => authority[Symbol.asyncDispose]());

const overTls = (gateway: Gateway): URL => Object.assign(gateway.url, { protocol: "https:" });

const call = (url: URL, tool: string, more: Ask = {}): Promise<Reply> => ask(url, { ...more, body: callTool(tool) });

async function expectDone(reply: Promise<Reply>, tool: string): Promise<void> {
  expect((await reply).text).toContain(`done: ${tool}`);
}

async function expectRefused(reply: Promise<Reply>, reason: string): Promise<void> {
  const { status, text } = await reply;
  expect([status, text]).toEqual([403, expect.stringContaining(reason)]);
  expect(canary.touched).toBe(0);
}

describeWithEnvoy("a certificate", () => {
  let stack: Stack;
  const start = async (trust: "checked" | "ACCEPT_UNTRUSTED", shown?: Node): Promise<Stack> => {
    const secure = await mutualTls(server, authority.cert);
    return startStack({
      policies: POLICIES,
      upstreamPort: canary.port,
      change(config) {
        secure(config);
        const { transport_socket } = filterChain(config) as { transport_socket: { typed_config: Node } };
        const tls = transport_socket.typed_config["common_tls_context"] as { validation_context: Node };
        delete tls.validation_context["match_typed_subject_alt_names"];
        if (trust !== "checked") tls.validation_context["trust_chain_verification"] = trust;
        if (shown !== undefined) manager(config)["set_current_client_cert_details"] = shown;
      },
    });
  };
  const callWith = (certificate: Certificate, tool: string): Promise<Reply> =>
    call(overTls(stack.gateway), tool, { tls: { ca: authority.cert, ...certificate } });
  afterEach(() => stack[Symbol.asyncDispose]());

  test("has a weaker name only where it has no stronger one: a DNS name, then its subject", async () => {
    stack = await start("checked");
    const withDns = await authority.issue("DNS:a.agents.example", "DNS:b.other.example");
    await expectDone(callWith(withDns, "dns"), "dns");
    expect(await stack.toolgate.decision({ tool: "dns" })).toMatchObject({
      caller: "dns:a.agents.example",
      workload: "dns:a.agents.example",
      rule: "by-dns",
    });
    await expectDone(callWith(await authority.issue(), "subject"), "subject");
    expect(await stack.toolgate.decision({ tool: "subject" })).toMatchObject({ caller: "subject:CN=test" });

    canary.forget();
    await expectRefused(callWith(await authority.issue("DNS:a.other.example"), "dns"), "dns:a.other.example");
    const withBoth = await authority.issue(`URI:${OTHER}`, "DNS:a.agents.example");
    await expectRefused(callWith(withBoth, "dns"), "agents/other");
    const withSite = await authority.issue("URI:https://a.agents.example", "DNS:a.agents.example");
    await expectRefused(callWith(withSite, "dns"), "not-a-spiffe-id");
  });

  test("is known by its URI whatever its subject, which the header with its URIs may show", async () => {
    stack = await start("checked", { uri: true, subject: true });
    const acme = await authority.issueTo('/O=Acme, "Inc."/CN=test', `URI:${READER}`);
    await expectDone(callWith(acme, "read"), "read");
    canary.forget();
    const both = await authority.issueTo('/O=Acme, "Inc."/CN=test', `URI:${READER}`, `URI:${OTHER}`);
    await expectRefused(callWith(both, "read"), "several-uri-sans");
  });

  test("that nobody has checked is nobody's, where Envoy is told to accept it", async () => {
    stack = await start("ACCEPT_UNTRUSTED");
    await using stranger = await Authority.create();
    await expectRefused(callWith(await stranger.issue(`URI:${READER}`), "read"), "certificate-not-valid");
    await expectRefused(callWith(await stranger.issue("DNS:a.agents.example"), "dns"), "certificate-not-valid");
    await expectDone(callWith(await authority.issue(`URI:${READER}`), "read"), "read");
  });
});

describeWithEnvoy("what Istio says of the peer", () => {
  /** As Istio's filters leave it in a sidecar, a gateway and a waypoint. */
  const principal = (value: string) => ({
    name: "istio",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config",
      on_request_headers: [
        {
          object_key: "io.istio.peer_principal",
          factory_key: "envoy.string",
          format_string: { text_format_source: { inline_string: value } },
        },
      ],
    },
  });
  const startWith = (value: string): Promise<Stack> =>
    startStack({
      policies: POLICIES,
      upstreamPort: canary.port,
      change(config) {
        const filters = manager(config)["http_filters"] as Node[];
        filters.unshift(principal(value));
        (extProcFilter(config)["request_attributes"] as string[]).push('filter_state["io.istio.peer_principal"]');
      },
    });

  test("is a workload like any other", async () => {
    await using stack = await startWith(READER);
    await expectDone(call(stack.gateway.url, "read"), "read");
    expect(await stack.toolgate.decision({ tool: "read" })).toMatchObject({ workload: READER });
  });

  test("is nobody when it is no SPIFFE ID", async () => {
    await using stack = await startWith("agents/reader");
    await expectRefused(call(stack.gateway.url, "read"), "not-a-spiffe-id");
  });
});

describeWithEnvoy("x-forwarded-client-cert", () => {
  /** An Envoy that knows its callers by their certificates, before one that Toolgate watches over. */
  const startEdge = async (upstreamPort: number): Promise<Gateway> => {
    const secure = await mutualTls(server, authority.cert);
    return Gateway.start({
      extProcPort: 1,
      upstreamPort,
      keySet: '{"keys":[]}',
      change(config) {
        secure(config);
        const { http_filters: filters } = manager(config) as { http_filters: Node[] };
        filters.splice(0, filters.length, filters.at(-1)!);
        for (const node of routesOf(config)) delete node["typed_per_filter_config"];
        Object.assign(manager(config), {
          forward_client_cert_details: "APPEND_FORWARD",
          set_current_client_cert_details: { uri: true, dns: true, subject: true },
        });
      },
    });
  };
  const startBehind = (...flags: readonly string[]): Promise<Stack> =>
    startStack({
      policies: POLICIES,
      upstreamPort: canary.port,
      flags,
      change: (config) => void (manager(config)["forward_client_cert_details"] = "ALWAYS_FORWARD_ONLY"),
    });
  const routesOf = (config: Node): readonly Node[] =>
    (manager(config)["route_config"] as { virtual_hosts: { routes: Node[] }[] }).virtual_hosts.flatMap(
      ({ routes }) => routes,
    );
  const forged = (value: string): Ask => ({ headers: { "x-forwarded-client-cert": value } });

  test("names the caller of the proxy before this one, whatever that caller has written before it", async () => {
    await using stack = await startBehind("--workload-identity", "xfcc", "--xfcc-hops", "1");
    await using edge = await startEdge(stack.gateway.port);
    const callAs = async (uri: string, tool: string, header?: string): Promise<Reply> => {
      const certificate = await authority.issue(`URI:${uri}`);
      const tls = { ca: authority.cert, ...certificate };
      return call(overTls(edge), tool, { ...(header === undefined ? {} : forged(header)), tls });
    };
    await expectDone(callAs(READER, "read"), "read");
    await expectDone(callAs(READER, "read", `URI=${OTHER}`), "read");
    expect(canary.seen[1]?.headers["x-forwarded-client-cert"]).toMatch(
      /^[^,]*;Subject="CN=test";URI=spiffe:[^,]*reader$/,
    );

    canary.forget();
    for (const header of [`URI=${READER}`, `By=x;Hash=00;URI=${READER}`, `URI=${READER},URI=${READER}`])
      await expectRefused(callAs(OTHER, "read", header), "agents/other");
    for (const header of [`URI=${READER};Subject="`, '"', '"\\"', `\\,URI=${READER}`])
      await expectRefused(callAs(OTHER, "read", header), "xfcc-malformed");
  });

  test("of fewer elements than trusted hops names nobody", async () => {
    await using stack = await startBehind("--workload-identity", "xfcc", "--xfcc-hops", "2");
    const { url } = stack.gateway;
    await expectRefused(call(url, "read"), "xfcc-missing");
    await expectRefused(call(url, "read", forged(`URI=${READER}`)), "xfcc-too-few-hops");
    await expectDone(call(url, "read", forged(`URI=${OTHER},URI=${READER},URI=${OTHER}`)), "read");
  });

  test("is not believed otherwise, and not shown to the server", async () => {
    await using stack = await startBehind();
    await expectRefused(call(stack.gateway.url, "read", forged(`URI=${READER}`)), "no-certificate");
  });
});

describeWithEnvoy("l5d-client-id", () => {
  const said = (value: string): Ask => ({ headers: { "l5d-client-id": value } });

  test("names the service account where the configuration says that a Linkerd proxy has written it", async () => {
    await using stack = await startStack({
      policies: POLICIES,
      upstreamPort: canary.port,
      flags: ["--workload-identity", "linkerd"],
    });
    const { url } = stack.gateway;
    await expectDone(call(url, "read", said(LINKERD_READER)), "read");
    expect(await stack.toolgate.decision({ tool: "read" })).toMatchObject({
      caller: "agents/reader",
      workload: READER,
    });
    canary.forget();
    await expectRefused(call(url, "read", said(LINKERD_READER.replace("reader", "other"))), "agents/other");
    await expectRefused(call(url, "read"), "linkerd-client-missing");
    await expectRefused(call(url, "read", said("reader")), "not-a-linkerd-id");
  });

  describe("otherwise", () => {
    test("is not believed, and the server does not see it", async () => {
      const open = `${POLICIES}    - { name: open, action: Allow, from: [{ anyone: true }], to: [{ tools: [open] }] }\n`;
      await using stack = await startStack({ policies: open, upstreamPort: canary.port });
      const { url } = stack.gateway;
      expect((await call(url, "read", said(LINKERD_READER))).text).toContain("no rule lets anonymous");
      expect(canary.touched).toBe(0);
      await expectDone(call(url, "open", said(LINKERD_READER)), "open");
      expect(canary.seen[0]?.headers).not.toHaveProperty("l5d-client-id");
    });
  });
});
