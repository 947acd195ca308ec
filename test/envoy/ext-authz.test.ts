/** Toolgate behind ext_authz on a real Envoy: the same decisions, without a word about answers. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canaryOfTests } from "./canary-of-tests.ts";
import { Authority } from "./certificates.ts";
import type { Certificate } from "./certificates.ts";
import { extAuthz } from "./ext-authz.ts";
import { filterChain } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { ask, callTool, rpc } from "./http.ts";
import type { Ask, Reply } from "./http.ts";
import { mutualTls } from "./mutual-tls.ts";
import { CANARY_SERVER } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack, StackOptions } from "./stack.ts";
import { ISSUER } from "./tokens.ts";

const POLICIES = `${CANARY_SERVER}
---
apiVersion: toolgate.dev/v1alpha1
kind: MCPAccessPolicy
metadata: { name: users, namespace: tools }
spec:
  targetRefs: [{ kind: MCPServer, name: canary }]
  rules:
    - name: readers
      action: Allow
      from: [{ jwt: { issuer: "${ISSUER}", claims: [{ name: role, values: [reader] }] } }]
      to: [{ tools: [allowed-one, "allowed!"] }]
    - name: workloads
      action: Allow
      from:
        - spiffe: "spiffe://cluster.local/ns/agents/sa/reader"
        - certificate: { subject: 'OU=b+OU=a,CN=J\\C3\\B6rg,O=Acme\\, Inc.' }
      to: [{ tools: [allowed-one] }]
`;

const canary = canaryOfTests();

const start = async (options: Partial<StackOptions> = {}, change?: (filter: Node) => void): Promise<Stack> =>
  startStack({ policies: POLICIES, upstreamPort: canary.port, change: await extAuthz(change), ...options });

describeWithEnvoy("ext_authz with the body", () => {
  let stack: Stack;
  let token: string;
  beforeAll(async () => {
    stack = await start();
    token = await stack.token("reader");
  });
  afterAll(() => stack[Symbol.asyncDispose]());
  const send = (body: string, more: Ask = {}): Promise<Reply> => ask(stack.gateway.url, { token, body, ...more });

  test("lets a call go on that a rule allows, as it came, and says what it was to Envoy, log and metrics", async () => {
    const body = callTool("allowed-one").replace("{", "{ ");
    expect((await send(body)).text).toContain("done: allowed-one");
    expect(canary.seen).toMatchObject([{ body }]);
    expect(await stack.toolgate.decision({ tool: "allowed-one" })).toMatchObject({
      decision: "allow",
      rule: "readers",
      outcome: "unread",
    });
    expect(await stack.gateway.logged({ tool: "allowed-one" })).toMatchObject({
      method: "tools/call",
      server: "tools/canary",
      decision: "allow",
      rule: "readers",
      code: 200,
    });
    expect(await stack.toolgate.admin("/metrics")).toMatch(
      /^toolgate_requests_total\{.*gen_ai_tool_name="allowed-one".*result="unread".*\} 1$/m,
    );
  });

  test("answers a denied call as ext_proc does, and the server is not asked", async () => {
    const reply = await send(callTool("hidden-one"));
    expect(reply.status).toBe(200);
    expect(reply.headers["content-type"]).toBe("application/json");
    expect(JSON.parse(reply.text)).toMatchObject({ result: { isError: true } });
    expect(reply.text).toContain("no rule lets reader use tool hidden-one on server tools/canary (rule default-deny)");
    expect(await stack.gateway.logged({ tool: "hidden-one" })).toMatchObject({
      decision: "deny",
      rule: "default-deny",
    });
    expect(canary.touched).toBe(0);
  });

  test("refuses what it cannot judge, and who has no access", async () => {
    for (const [body, status, code] of [
      ["{", 400, -32700],
      [callTool("allowed-one").replace('"id":', '"id":1,"id":'), 400, -32700],
      [`[${callTool("allowed-one")}]`, 400, -32600],
    ] as const) {
      const reply = await send(body);
      expect([reply.status, (JSON.parse(reply.text) as { error: { code: number } }).error.code]).toEqual([
        status,
        code,
      ]);
    }
    const stranger = await send(callTool("allowed-one"), { token: await stack.token("nobody") });
    expect(stranger.status).toBe(403);
    const encoded = await send(callTool("allowed-one"), { headers: { "content-encoding": "gzip" } });
    expect(encoded.status).toBe(415);
    expect(canary.touched).toBe(0);
  });

  test("refuses lists, which it could not filter, and takes the rest of a session", async () => {
    const list = await send(rpc("tools/list"));
    expect([list.status, list.text]).toEqual([
      200,
      expect.stringContaining("what tools/list lists would not be filtered"),
    ]);
    expect(canary.touched).toBe(0);
    const initialize = rpc("initialize", { protocolVersion: "2025-06-18", capabilities: { sampling: {} } });
    expect((await send(initialize)).text).toContain("serverInfo");
    expect((await send("", { method: "DELETE", headers: { "mcp-session-id": "s" } })).status).toBe(204);
  });

  test("takes away headers that nobody is believed to have written", async () => {
    const forged = { "l5d-client-id": "reader.agents.serviceaccount.identity.linkerd.cluster.local" };
    await send(callTool("allowed-one"), { headers: { ...forged, "mcp-name": "other" } });
    expect(canary.seen[0]?.headers).not.toHaveProperty("l5d-client-id");
    expect(canary.seen[0]?.headers).not.toHaveProperty("mcp-name");
  });

  test("refuses a body over its limit", async () => {
    const large = callTool("allowed-one", { text: "x".repeat(4_194_304) });
    expect((await send(large)).status).toBe(413);
    expect(canary.touched).toBe(0);
  });
});

describeWithEnvoy("ext_authz otherwise configured", () => {
  const body = callTool("allowed-one");

  test("refuses a message whose body Envoy does not send, unless told otherwise", async () => {
    const without = (filter: Node): void => void delete filter["with_request_body"];
    const modern = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call" };
    const named = (name: string): Ask => ({ body, headers: { ...modern, "mcp-name": name } });
    const done = async (stack: Stack, more: Ask): Promise<boolean> =>
      (await ask(stack.gateway.url, { token: await stack.token("reader"), ...more })).text.includes("done");
    {
      await using stack = await start({}, without);
      expect(await done(stack, { body })).toBe(false);
    }
    {
      await using stack = await start({ flags: ["--authz-unseen", "server"] }, without);
      expect(await done(stack, { body })).toBe(true);
      const stranger = await ask(stack.gateway.url, { body, token: await stack.token("nobody") });
      expect(stranger.status).toBe(403);
    }
    await using stack = await start({ flags: ["--authz-unseen", "headers"] }, without);
    expect([
      await done(stack, { body }),
      await done(stack, named("allowed-one")),
      await done(stack, named("hidden-one")),
      await done(stack, { body, headers: modern }),
    ]).toEqual([false, true, false, false]);
  });

  test("lets lists pass unfiltered where it is told to", async () => {
    await using stack = await start({ flags: ["--authz-lists", "pass"] });
    const list = await ask(stack.gateway.url, { token: await stack.token("reader"), body: rpc("tools/list") });
    expect(list.text).toContain("hidden-one");
  });

  test("does not go by a name in which Envoy may have replaced a byte", async () => {
    const call = callTool("allowed!");
    const text = (filter: Node): void =>
      void Object.assign(filter["with_request_body"] as Node, { pack_as_bytes: false });
    {
      await using stack = await start();
      expect((await ask(stack.gateway.url, { token: await stack.token("reader"), body: call })).text).toContain("done");
    }
    canary.forget();
    await using stack = await start({}, text);
    const token = await stack.token("reader");
    expect((await ask(stack.gateway.url, { token, body: call })).text).toContain("set pack_as_bytes");
    expect(canary.touched).toBe(0);
    expect((await ask(stack.gateway.url, { token, body: callTool("allowed-one") })).text).toContain("done");
  });

  test("lets nothing pass while Toolgate is down", async () => {
    await using stack = await start();
    const token = await stack.token("reader");
    await stack.toolgate.kill();
    const reply = await ask(stack.gateway.url, { token, body });
    expect([reply.status, reply.text]).toEqual([503, expect.stringContaining("policy service unavailable")]);
    expect(canary.touched).toBe(0);
  });
});

describeWithEnvoy("ext_authz with certificates", () => {
  let authority: Authority;
  let stack: Stack;
  const startSecure = async (change?: (filter: Node) => void): Promise<Stack> => {
    const [secure, checked] = [
      await mutualTls(await authority.issue("IP:127.0.0.1"), authority.cert),
      await extAuthz(change),
    ];
    return start({
      change(config) {
        secure(config);
        checked(config);
        const { transport_socket } = filterChain(config) as { transport_socket: { typed_config: Node } };
        const tls = transport_socket.typed_config["common_tls_context"] as { validation_context: Node };
        delete tls.validation_context["match_typed_subject_alt_names"];
      },
    });
  };
  beforeAll(async () => {
    authority = await Authority.create();
    stack = await startSecure();
  });
  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    await authority[Symbol.asyncDispose]();
  });
  const callWith = (certificate: Certificate, { gateway } = stack): Promise<Reply> =>
    ask(Object.assign(gateway.url, { protocol: "https:" }), {
      body: callTool("allowed-one"),
      tls: { ca: authority.cert, ...certificate },
    });

  describe("a workload", () => {
    const READER = "URI:spiffe://cluster.local/ns/agents/sa/reader";

    test("is known by its SPIFFE ID", async () => {
      expect((await callWith(await authority.issue(READER))).text).toContain("done");
      expect((await callWith(await authority.issueTo("/", READER))).text).toContain("done");
      const other = await callWith(await authority.issue(READER.replace("reader", "other")));
      expect(other.text).toContain("agents/other");
    });

    test("is known by the same subject, whether Envoy tells that or the certificate", async () => {
      const certificate = await authority.issueTo("/O=Acme, Inc./CN=Jörg/OU=a+OU=b");
      expect((await callWith(certificate)).text).toContain("done");
      await using told = await startSecure((filter) => void (filter["include_peer_certificate"] = false));
      expect((await callWith(certificate, told)).text).toContain("done");
    });

    test("is nobody with two names", async () => {
      const both = await authority.issue(READER, READER.replace("reader", "other"));
      expect((await callWith(both)).text).toContain("several-uri-sans");
      expect(canary.touched).toBe(0);
    });
  });
});
