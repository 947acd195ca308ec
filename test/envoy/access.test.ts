/** Who is let in at all: HTTP statuses, which decide what a client does next. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { canaryOfTests } from "./canary-of-tests.ts";
import { ask, rpc } from "./http.ts";
import type { Reply } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { createIssuer } from "./tokens.ts";

const canary = canaryOfTests();
let stack: Stack;

const initialize = (more: { readonly token?: string; readonly headers?: Readonly<Record<string, string>> }) =>
  ask(stack.gateway.url, {
    ...more,
    body: rpc("initialize", {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "admin", version: "1" },
    }),
  });

const errorOf = ({ text }: Reply): { readonly code: number; readonly message: string } =>
  (JSON.parse(text) as { error: { code: number; message: string } }).error;

describeWithEnvoy("initialize", () => {
  beforeAll(async () => {
    stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port });
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  test("is for a caller with a rule", async () => {
    const reply = await initialize({ token: await stack.token("reader") });
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.text)).toMatchObject({ result: { serverInfo: { name: "canary" } } });
  });

  test("is refused with 403 to a caller with a token and without a rule", async () => {
    const reply = await initialize({ token: await stack.token("stranger") });
    expect(reply.status).toBe(403);
    expect(errorOf(reply)).toEqual({
      code: -31_403,
      message: "Blocked by policy: no rule gives stranger access to server tools/canary (rule default-deny).",
    });
    expect(canary.touched).toBe(0);
  });

  test("is refused with 401 to a caller without a token, since a token could help", async () => {
    const reply = await initialize({});
    expect(reply.status).toBe(401);
    expect(reply.headers["www-authenticate"]).toBe("Bearer");
    expect(errorOf(reply)).toMatchObject({ code: -31_403, message: expect.stringContaining("anonymous") });
    expect(canary.touched).toBe(0);
  });

  test.each([
    ["that somebody else has signed", async () => (await createIssuer()).token("reader")],
    ["that is no token", async () => Promise.resolve("reader")],
  ])("is refused with 401 by Envoy to a caller with a token %s", async (_, token) => {
    expect((await initialize({ token: await token() })).status).toBe(401);
    expect(canary.touched).toBe(0);
  });

  test("knows nobody by a header", async () => {
    const headers = {
      "x-user": "admin",
      "x-jwt-payload": "e30",
      "x-forwarded-user": "admin",
      "x-envoy-internal": "true",
    };
    expect((await initialize({ headers })).status).toBe(401);
    expect(canary.touched).toBe(0);
  });

  test("may be followed by nothing that the caller has no rule for, with the session of another", async () => {
    const token = await stack.token("stranger");
    const session = { "mcp-session-id": "of-somebody-else" };
    for (const method of ["ping", "tools/list", "tools/call", "notifications/initialized"]) {
      await ask(stack.gateway.url, { token, headers: session, body: rpc(method, { name: "allowed-one" }) });
    }
    expect(canary.touched).toBe(0);
  });
});
