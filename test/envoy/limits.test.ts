/** What does not fit, and what is not there: the status and the words that a client gets. */
import { connect } from "node:http2";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Canary } from "./canary.ts";
import { freePort } from "./everything.ts";
import { ask, callTool } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

/** `per_connection_buffer_limit_bytes` and the stream window of `envoy-config/`. */
const ENVOY_LIMIT_BYTES = 4 * 2 ** 20;
const OUR_LIMIT_BYTES = 100_000;

let canary: Canary;

/** A call of exactly this size. */
function callOf(bytes: number): string {
  const rest = bytes - callTool("allowed-one", { text: "" }).length - 10;
  const call = callTool("allowed-one", { text: "x".repeat(rest) });
  return call.replace('"text":"', `"text":"${"x".repeat(bytes - call.length)}`);
}

async function statusOverHttp2({ gateway }: Stack, token: string, body: string): Promise<number> {
  const session = connect(gateway.url.origin);
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": "/mcp",
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    stream.once("response", (headers) => resolve(Number(headers[":status"])));
    stream.on("error", reject).end(body);
    return await promise;
  } finally {
    session.destroy();
  }
}

describeWithEnvoy("limits", () => {
  beforeAll(async () => {
    canary = await Canary.start();
  });
  afterAll(() => canary[Symbol.asyncDispose]());
  afterEach(() => canary.forget());

  describe("of Envoy", () => {
    let stack: Stack;
    let token: string;
    beforeAll(async () => {
      stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port });
      token = await stack.token("reader");
    });
    afterAll(() => stack[Symbol.asyncDispose]());

    test("a body of exactly the limit passes", async () => {
      const body = callOf(ENVOY_LIMIT_BYTES);
      expect(body).toHaveLength(ENVOY_LIMIT_BYTES);
      expect((await ask(stack.gateway.url, { token, body })).status).toBe(200);
      expect(canary.seen[0]?.body).toHaveLength(ENVOY_LIMIT_BYTES);
    });

    test("a larger one gets 413 from Envoy", async () => {
      expect((await ask(stack.gateway.url, { token, body: callOf(ENVOY_LIMIT_BYTES + 1) })).status).toBe(413);
      expect(canary.touched).toBe(0);
    });

    test("over HTTP/2 the same holds", async () => {
      expect(await statusOverHttp2(stack, token, callOf(ENVOY_LIMIT_BYTES))).toBe(200);
      canary.forget();
      expect(await statusOverHttp2(stack, token, callOf(ENVOY_LIMIT_BYTES + 1))).toBe(413);
      expect(canary.touched).toBe(0);
    });
  });

  test("of Toolgate: a larger body gets 413 with a sentence, and the call before it is not known", async () => {
    await using stack = await startStack({
      policies: CANARY_POLICIES,
      upstreamPort: canary.port,
      flags: ["--max-body-bytes", String(OUR_LIMIT_BYTES)],
    });
    const token = await stack.token("reader");
    expect((await ask(stack.gateway.url, { token, body: callOf(OUR_LIMIT_BYTES) })).status).toBe(200);
    canary.forget();
    const { status, text } = await ask(stack.gateway.url, { token, body: callOf(OUR_LIMIT_BYTES + 1) });
    expect(status).toBe(413);
    expect(JSON.parse(text)).toEqual({
      jsonrpc: "2.0",
      id: null,
      error: { code: -32_600, message: "the body is larger than 100000 bytes" },
    });
    expect(canary.touched).toBe(0);
    expect(await stack.toolgate.decision({ reason: "too-large" })).toMatchObject({
      decision: "deny",
      caller: "reader",
      method: "unknown",
      rule: "too-large",
    });
  });
});

describeWithEnvoy("an MCP server that is down", () => {
  test("gives 503 from Envoy, and the record says that the answer never came", async () => {
    await using stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: await freePort() });
    const body = callTool("allowed-one");
    const { status, text } = await ask(stack.gateway.url, { token: await stack.token("reader"), body });
    expect(status).toBe(503);
    expect(text).toContain("upstream connect error");
    expect(await stack.toolgate.decision({ tool: "allowed-one" })).toMatchObject({
      decision: "allow",
      outcome: "transport_error",
    });
  });
});
