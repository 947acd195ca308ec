/** Workloads with certificates: the identity that `envoy-config/mtls.yaml` makes of them, alone and together with a JWT. */
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Canary } from "./canary.ts";
import { canaryOfTests } from "./canary-of-tests.ts";
import { Authority } from "./certificates.ts";
import type { Certificate } from "./certificates.ts";
import { firstRoute, manager } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { ask, callTool } from "./http.ts";
import type { Ask, Reply } from "./http.ts";
import { mutualTls } from "./mutual-tls.ts";
import { CANARY_SERVER } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { ISSUER } from "./tokens.ts";

const EVENT = 'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}\n\n';
const READER = "spiffe://cluster.local/ns/agents/sa/reader";
const POLICIES = `${CANARY_SERVER}
---
apiVersion: toolgate.dev/v1alpha1
kind: MCPAccessPolicy
metadata: { name: workloads, namespace: tools }
spec:
  targetRefs: [{ kind: MCPServer, name: canary }]
  rules:
    - { name: by-spiffe, action: Allow, from: [{ spiffe: "${READER}" }], to: [{ tools: [read] }] }
    - name: by-service-account
      action: Allow
      from: [{ serviceAccount: { namespace: agents, name: writer } }]
      to: [{ tools: [write] }]
    - name: by-both
      action: Allow
      from:
        - spiffe: "${READER}"
          jwt: { issuer: "${ISSUER}", claims: [{ name: role, values: [admin] }] }
      to: [{ tools: [erase] }]
`;

const canary = canaryOfTests();
let authority: Authority;
let stack: Stack;
let url: URL;
let reader: Certificate;
let writer: Certificate;

const call = (tool: string, certificate: Certificate | undefined, more: Ask = {}): Promise<Reply> =>
  ask(url, { ...more, body: callTool(tool), tls: { ca: authority.cert, ...certificate } });

const expectRefused = async (reply: Promise<Reply>, words: string): Promise<void> => {
  expect((await reply).text).toContain(words);
  expect(canary.touched).toBe(0);
};

describeWithEnvoy("mutual TLS", () => {
  beforeAll(async () => {
    authority = await Authority.create();
    const server = await authority.issue("IP:127.0.0.1");
    [reader, writer] = [
      await authority.issue(`URI:${READER}`),
      await authority.issue(`URI:${READER.replace("reader", "writer")}`),
    ];
    stack = await startStack({
      policies: POLICIES,
      upstreamPort: canary.port,
      change: await mutualTls(server, authority.cert),
    });
    url = new URL(stack.gateway.url);
    url.protocol = "https:";
  });
  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    await authority[Symbol.asyncDispose]();
  });

  test("a workload that a rule names by its SPIFFE ID is allowed what the rule says", async () => {
    expect((await call("read", reader)).text).toContain("done: read");
    expect(await stack.toolgate.decision({ tool: "read" })).toMatchObject({
      caller: "agents/reader",
      workload: READER,
      rule: "by-spiffe",
    });
  });

  test("a workload that a rule names by its service account is allowed what the rule says", async () => {
    expect((await call("write", writer)).text).toContain("done: write");
  });

  test("one workload is not another", async () => {
    await expectRefused(call("write", reader), "no rule lets agents/reader use tool write");
  });

  test("a rule with a workload and a JWT takes both, and neither alone", async () => {
    const admin = await stack.token("admin");
    await expectRefused(call("erase", reader), "no rule lets");
    await expectRefused(call("erase", writer, { token: admin }), "no rule lets");
    await expectRefused(call("erase", reader, { token: await stack.token("reader") }), "no rule lets");
    expect((await call("erase", reader, { token: admin })).text).toContain("done: erase");
  });

  test("a workload without a rule is not let in, whatever certificate header it sends", async () => {
    const stranger = await authority.issue("URI:spiffe://cluster.local/ns/agents/sa/stranger");
    const forged = { headers: { "x-forwarded-client-cert": `Hash=00;URI=${READER}` } };
    expect((await call("read", stranger, forged)).status).toBe(401); // A JWT could help: one rule asks for it.
    expect(canary.touched).toBe(0);
  });

  test("a certificate with two names in it is nobody's", async () => {
    const both = await authority.issue(`URI:${READER}`, "URI:spiffe://cluster.local/ns/agents/sa/writer");
    await expectRefused(call("read", both), "several-uri-sans");
  });

  test.each([
    ["no certificate", async () => undefined],
    [
      "a certificate of another trust domain",
      async () => authority.issue("URI:spiffe://elsewhere/ns/agents/sa/reader"),
    ],
    [
      "a certificate that somebody else has signed",
      async () => {
        await using other = await Authority.create();
        return await other.issue(`URI:${READER}`);
      },
    ],
  ])("with %s there is no connection", async (_, certificate) => {
    await expect(call("read", await certificate())).rejects.toThrow();
    expect(canary.touched).toBe(0);
  });
});

/**
 * A certificate is looked at once, when its connection begins; Envoy tells nobody when it ends. What an operator can do is
 * to let nothing outlive one: neither a stream nor a connection.
 */
describeWithEnvoy("streams and connections that may not outlive a certificate", () => {
  test("are ended by max_stream_duration and max_connection_duration, and the call is on record", async () => {
    await using upstream = await Canary.start();
    await using ca = await Authority.create();
    const [server, caller] = [await ca.issue("IP:127.0.0.1"), await ca.issue(`URI:${READER}`)];
    const addTls = await mutualTls(server, ca.cert);
    await using running = await startStack({
      policies: POLICIES,
      upstreamPort: upstream.port,
      change(config) {
        addTls(config);
        (firstRoute(config)["route"] as Node)["max_stream_duration"] = { max_stream_duration: "2s" };
        const options = manager(config)["common_http_protocol_options"] as Node;
        options["max_connection_duration"] = "2s";
        manager(config)["drain_timeout"] = "0.1s";
      },
    });
    upstream.answer = (_message, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(EVENT);
    };
    /** Everything that comes on one connection until Envoy closes it, which it never does without the two. */
    const untilClosed = async (tool: string): Promise<string> => {
      const { port } = running.gateway;
      const socket = connectTls({ host: "127.0.0.1", port, ca: ca.cert, ...caller });
      const body = callTool(tool);
      const headers = ["host: x", "content-type: application/json", "accept: application/json, text/event-stream"];
      const head = ["POST /mcp HTTP/1.1", ...headers, `content-length: ${Buffer.byteLength(body)}`];
      socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
      return text(socket);
    };
    const [stream, connection] = await Promise.all([untilClosed("read"), untilClosed("other")]);
    expect(stream).toContain("notifications/progress");
    expect(connection).toContain("no rule lets agents/reader use tool other");
    const { outcome } = await running.toolgate.decision({ tool: "read" });
    expect(outcome).toBe("cancelled");
  });
});
