/** The era of 2026-07-28: no sessions, and headers that must say what the body says. Upstream is a canary of ours. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { canaryOfTests } from "./canary-of-tests.ts";
import { ask, MODERN_META, modernHeaders } from "./http.ts";
import type { Reply } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { connectModern } from "./sdk-clients.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const HEADER_MISMATCH = -32_020;

const canary = canaryOfTests();
let stack: Stack;
let reader: string;

/** A call of a tool, with these headers. */
const call = (name: string, headers: Readonly<Record<string, string>>): Promise<Reply> =>
  ask(stack.gateway.url, {
    token: reader,
    headers: { ...modernHeaders("tools/call", name), ...headers },
    body: JSON.stringify({ jsonrpc: "2.0", id: 7, method: "tools/call", params: { name, _meta: MODERN_META } }),
  });

describeWithEnvoy("the modern era", () => {
  beforeAll(async () => {
    stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port });
    reader = await stack.token("reader");
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  test("SDK v2 discovers the server, sees the filtered list, calls, and is denied with a sentence", async () => {
    await using session = await connectModern(stack.gateway.url, reader);
    expect((await session.page("tools")).names).toEqual(["allowed-one", "allowed-two"]);
    expect(await session.callTool("allowed-one")).toEqual({ isError: false, text: "done: allowed-one" });
    const denied = await session.callTool("hidden-one");
    expect(denied.isError).toBe(true);
    expect(denied.text).toMatch(/^Blocked by policy: .*hidden-one.*rule default-deny/);
    expect(await session.callTool("allowed-two")).toEqual({ isError: false, text: "done: allowed-two" });
    expect(canary.executed.map(({ method }) => method)).toContain("server/discover");
    expect(canary.executed.flatMap(({ params }) => params?.["name"] ?? [])).toEqual(["allowed-one", "allowed-two"]);
  });

  test("SDK v2 of a caller without a rule does not get as far as discovering", async () => {
    const stranger = await stack.token("stranger");
    await expect(connectModern(stack.gateway.url, stranger)).rejects.toThrow();
    expect(canary.touched).toBe(0);
  });

  test.each([
    ["another tool in Mcp-Name", { "mcp-name": "allowed-two" }],
    ["an allowed tool in Mcp-Name in another case", { "mcp-name": "Allowed-one" }],
    ["another method in Mcp-Method", { "mcp-method": "tools/list" }],
    ["a name in Base64 that is not canonical", { "mcp-name": "=?base64?YWxsb3dlZC1vbmV=?=" }],
  ])("%s than in the body is refused with 400", async (_, headers) => {
    const { status, text } = await call("allowed-one", headers);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ id: 7, error: { code: HEADER_MISMATCH } });
    expect(canary.touched).toBe(0);
  });

  test("headers that agree with the body pass, in Base64 too", async () => {
    const encoded = `=?base64?${Buffer.from("allowed-one").toString("base64")}?=`;
    expect((await call("allowed-one", { "mcp-name": encoded })).status).toBe(200);
    expect(canary.executed).toHaveLength(1);
  });

  test("a body of this era under a header of an older one is refused", async () => {
    const { status, text } = await call("allowed-one", { "mcp-protocol-version": "2025-11-25" });
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ error: { code: HEADER_MISMATCH } });
    expect(canary.touched).toBe(0);
  });

  test.each(["GET", "DELETE"])("%s is not there any more", async (method) => {
    const headers = { "mcp-protocol-version": "2026-07-28" };
    expect((await ask(stack.gateway.url, { token: reader, method, headers })).status).toBe(405);
    expect(canary.touched).toBe(0);
  });
});
