/**
 * The lean profile (`envoy-config/lean.yaml`): one message for a call, and its headers only as attributes. Nothing may come
 * to the server that would not have come there otherwise.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { LEAN_ATTRIBUTES } from "../../src/grpc/skipped-headers.ts";
import { inEvents } from "./canary.ts";
import { canaryOfTests } from "./canary-of-tests.ts";
import { manager } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { ask, askRaw, callTool, MODERN_META, modernHeaders, rpc } from "./http.ts";
import type { Ask, Reply } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { extProcSample } from "./sample-config.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const canary = canaryOfTests();

async function start(change?: (filter: Node) => void, flags = ["--profiles", "lean"]): Promise<Stack> {
  const lean = await extProcSample("lean.yaml", change);
  return startStack({
    policies: CANARY_POLICIES,
    flags,
    upstreamPort: canary.port,
    change(config) {
      lean(config);
      // Envoy takes it away itself otherwise.
      manager(config)["forward_client_cert_details"] = "ALWAYS_FORWARD_ONLY";
    },
  });
}

const MODERN = modernHeaders("tools/call");
const modernCall = (name: string): string => rpc("tools/call", { name, _meta: MODERN_META });

describeWithEnvoy("an Envoy that sends a request in one message", () => {
  let stack: Stack;
  let token: string;
  beforeAll(async () => {
    stack = await start();
    token = await stack.token("reader");
  });
  afterAll(() => stack[Symbol.asyncDispose]());
  const send = (body: string, more: Ask = {}): Promise<Reply> => ask(stack.gateway.url, { token, body, ...more });
  const messages = (): Promise<number> => stack.gateway.stat("http.mcp.ext_proc.stream_msgs_sent");

  test("asks once about a call that is denied, and the server is not asked at all", async () => {
    const before = await messages();
    const { status, text } = await send(callTool("hidden-one"));
    expect([status, JSON.parse(text)]).toMatchObject([200, { result: { isError: true } }]);
    expect([canary.touched, (await messages()) - before]).toEqual([0, 1]);
  });

  test("lets an allowed call go on in canonical form, with the length of that", async () => {
    const body = callTool("allowed-one");
    expect((await send(body.replace("{", "{  "))).text).toContain("done: allowed-one");
    expect(canary.seen).toMatchObject([{ body, headers: { "content-length": String(body.length) } }]);
  });

  test("lists are filtered, in JSON and in events", async () => {
    for (const answer of [canary.answer, inEvents]) {
      canary.answer = answer;
      const { text, complete } = await send(rpc("tools/list"));
      expect([text.includes("allowed-one"), text.includes("hidden"), complete]).toEqual([true, false, true]);
    }
  });

  test("what has no body, and what comes without a length, is decided on as in the default profile", async () => {
    for (const method of ["DELETE", "GET"]) expect((await ask(stack.gateway.url, { method })).status).toBe(401);
    const empty = `POST /mcp HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\nconnection: close\r\n`;
    expect(await askRaw(stack.gateway.port, `${empty}\r\n`)).toMatch(/^HTTP\/1.1 400 /);
    expect(await askRaw(stack.gateway.port, `${empty}content-length: 0\r\n\r\n`)).toMatch(/^HTTP\/1.1 400 /);
    const hidden = callTool("hidden-one");
    const chunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
    const chunked = `${empty}transfer-encoding: chunked\r\nauthorization: Bearer ${token}\r\n\r\n${chunk}`;
    expect(await askRaw(stack.gateway.port, chunked)).toContain('"isError":true');
    expect(canary.touched).toBe(0);
  });

  test("headers that say who somebody is, or what answers to send, do not go on", async () => {
    const forged = {
      "x-forwarded-client-cert": "URI=spiffe://a/b",
      "l5d-client-id": "a.b.serviceaccount.identity.l.c",
    };
    const selective = { "accept-encoding": "gzip", range: "bytes=0-1", "if-none-match": '"x"' };
    await send(callTool("allowed-one"), { headers: { ...forged, ...selective, "content-type": "Application/JSON" } });
    const [seen] = canary.seen;
    for (const name of Object.keys({ ...forged, ...selective })) expect(seen?.headers).not.toHaveProperty(name);
    expect(seen?.headers["content-type"]).toBe("application/json");
  });

  test.each<readonly [string, string, Readonly<Record<string, string>>, number]>([
    ["a header of another era", callTool("allowed-one"), { "mcp-name": "allowed-one" }, 200],
    [
      "a session in an era without",
      modernCall("allowed-one"),
      { ...MODERN, "mcp-session-id": "s", "mcp-name": "allowed-one" },
      200,
    ],
    ["an encoded body", callTool("allowed-one"), { "content-encoding": "deflate" }, 415],
    ["another method in a header", callTool("allowed-one"), { "x-http-method-override": "GET" }, 400],
    ["another type", callTool("allowed-one"), { "content-type": "text/plain" }, 415],
    ["another name in the header", modernCall("allowed-one"), { ...MODERN, "mcp-name": "hidden-one" }, 400],
    ["two names in headers", modernCall("allowed-one"), { ...MODERN, "mcp-name": "allowed-one, hidden-one" }, 400],
    ["another revision in the header", modernCall("allowed-one"), {}, 400],
  ])("%s is refused", async (_, body, headers, status) => {
    const { status: given, text } = await send(body, { headers });
    expect([given, text]).toEqual([status, expect.stringContaining('"error"')]);
    expect(canary.touched).toBe(0);
  });

  test("a modern call goes on with its headers", async () => {
    const headers = { ...MODERN, "mcp-name": "allowed-one" };
    expect((await send(modernCall("allowed-one"), { headers })).text).toContain("done: allowed-one");
  });

  test("a header that stands twice is refused", async () => {
    const body = callTool("allowed-one");
    const head = `POST /mcp HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n`;
    const twice = `mcp-session-id: a\r\nmcp-session-id: b\r\nauthorization: Bearer ${token}\r\n`;
    const sent = `${head}${twice}content-length: ${body.length}\r\n\r\n${body}`;
    expect(await askRaw(stack.gateway.port, sent)).toContain("stands twice");
    expect(canary.touched).toBe(0);
  });
});

describeWithEnvoy("an Envoy that skips request headers, configured otherwise", () => {
  test("is not served unless Toolgate is told of the filter behind", async () => {
    await using stack = await start(undefined, []);
    const { status } = await ask(stack.gateway.url, {
      token: await stack.token("reader"),
      body: callTool("allowed-one"),
    });
    expect(status).toBe(503);
    expect(canary.touched).toBe(0);
    await stack.toolgate.says("request_header_mode to SEND");
  });

  test.each(LEAN_ATTRIBUTES.map((name) => [name]))("is not served without the attribute %s", async (left) => {
    await using stack = await start((filter) => {
      filter["request_attributes"] = (filter["request_attributes"] as string[]).filter((name) => name !== left);
    });
    const headers = {
      ...MODERN,
      "mcp-name": "allowed-one",
      "mcp-session-id": "s",
      "x-forwarded-client-cert": "x",
      "l5d-client-id": "x",
    };
    const { status } = await ask(stack.gateway.url, {
      token: await stack.token("reader"),
      body: modernCall("allowed-one"),
      headers,
    });
    expect([status, canary.touched]).toEqual([503, 0]);
    await stack.toolgate.says("add to request_attributes");
  });
});
