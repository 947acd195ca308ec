/** An MCP server and MCP clients that nobody here wrote, with a real Envoy and Toolgate between them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEverything } from "./everything.ts";
import type { Everything } from "./everything.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { connectV1, connectV2 } from "./sdk-clients.ts";
import type { Session } from "./sdk-clients.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { ISSUER } from "./tokens.ts";

const POLICIES = `
apiVersion: toolgate.dev/v1alpha1
kind: MCPServer
metadata: { name: everything, namespace: tools }
spec: { match: [{ path: /mcp }] }
---
apiVersion: toolgate.dev/v1alpha1
kind: MCPAccessPolicy
metadata: { name: readers, namespace: tools }
spec:
  targetRefs: [{ kind: MCPServer, name: everything }]
  rules:
    - name: readers-may-read
      action: Allow
      from: [{ jwt: { issuer: "${ISSUER}", claims: [{ name: role, values: [reader] }] } }]
      to:
        - tools: ["*"]
        - resources: ["demo://resource/static/document/architecture.md"]
        - prompts: [simple-prompt]
    - name: nobody-reads-the-environment
      action: Deny
      from: [{ anyone: true }]
      to: [{ tools: [get-env] }]
`;

const MEGABYTE = 2 ** 20;

let everything: Everything;
let stack: Stack;

async function start(): Promise<void> {
  everything = await startEverything();
  stack = await startStack({ policies: POLICIES, upstreamPort: everything.port });
}

async function stop(): Promise<void> {
  await stack[Symbol.asyncDispose]();
  await everything[Symbol.asyncDispose]();
}

describeWithEnvoy("server-everything behind Envoy and Toolgate", () => {
  beforeAll(start);
  afterAll(stop);

  describe.each([
    ["SDK v1", connectV1],
    ["SDK v2", connectV2],
  ])("with %s", (_, connect) => {
    let session: Session;
    const open = async (role: string): Promise<Session> => connect(stack.gateway.url, await stack.token(role));

    beforeAll(async () => {
      session = await open("reader");
    });
    afterAll(() => session[Symbol.asyncDispose]());

    test("an allowed call gets the server's answer", async () => {
      expect(await session.callTool("echo", { message: "hello" })).toEqual({ isError: false, text: "Echo: hello" });
    });

    test("a denied call gets one sentence that names the rule, and the session goes on", async () => {
      const denied = await session.callTool("get-env");
      expect(denied).toEqual({
        isError: true,
        text: "Blocked by policy: rule nobody-reads-the-environment of policy tools/readers denies reader the use of tool get-env on server tools/everything.",
      });
      expect(await session.callTool("echo", { message: "still here" })).toMatchObject({ text: "Echo: still here" });
    });

    test("a denied prompt is a JSON-RPC error, and the session goes on", async () => {
      await expect(session.getPrompt("args-prompt")).rejects.toMatchObject({
        code: -31403,
        message: expect.stringMatching(/no rule lets reader use prompt args-prompt .*\(rule default-deny\)/),
      });
      expect(await session.getPrompt("simple-prompt")).toContain("simple prompt");
    });

    test("a denied resource is a JSON-RPC error, and the session goes on", async () => {
      await expect(session.readResource("demo://resource/static/document/features.md")).rejects.toMatchObject({
        code: -31403,
        message: expect.stringContaining(
          "no rule lets reader use resource demo://resource/static/document/features.md",
        ),
      });
      expect(await session.readResource("demo://resource/static/document/architecture.md")).toContain("Architecture");
    });

    test("lists hold what the caller may use, and nothing else", async () => {
      const { names: tools } = await session.page("tools");
      expect(tools).toContain("echo");
      expect(tools).not.toContain("get-env");
      expect((await session.page("prompts")).names).toEqual(["simple-prompt"]);
      expect((await session.page("resources")).names).toEqual(["demo://resource/static/document/architecture.md"]);
    });

    test("an argument and a result of 1 MB pass unchanged", async () => {
      const message = "0123456789abcdef".repeat(MEGABYTE / 16);
      const { text } = await session.callTool("echo", { message });
      expect(text === `Echo: ${message}`).toBe(true); // toBe would print both
    });

    test("50 calls at the same time each get their own answer", async () => {
      const sums = Array.from({ length: 50 }, (__, n) => session.callTool("get-sum", { a: n, b: 1 }));
      const texts = (await Promise.all(sums)).map(({ text }) => text);
      expect(texts).toEqual(Array.from({ length: 50 }, (__, n) => `The sum of ${n} and 1 is ${n + 1}.`));
    });

    test("DELETE ends the session on the server", async () => {
      await using other = await open("reader");
      expect(other.sessionId()).toMatch(/^[0-9a-f-]{36}$/);
      const url = stack.gateway.url;
      const headers = {
        authorization: `Bearer ${await stack.token("reader")}`,
        "mcp-session-id": other.sessionId() ?? "",
        accept: "text/event-stream",
      };
      await other.terminate();
      expect((await fetch(url, { headers })).status).toBe(400);
      expect(await stack.toolgate.decision({ method: "DELETE" })).toMatchObject({ decision: "allow" });
    });

    test("a caller with a valid token and no rule is not let in", async () => {
      await expect(open("stranger")).rejects.toThrow("Blocked by policy: no rule gives stranger access");
      expect(await stack.toolgate.decision({ caller: "stranger" })).toMatchObject({
        method: "initialize",
        decision: "deny",
        reason: "no-access",
      });
    });

    test("an anonymous caller is not let in", async () => {
      await expect(connect(stack.gateway.url)).rejects.toThrow("Blocked by policy: no rule gives anonymous");
    });
  });

  test("the decision log says who called what, and by which rule", async () => {
    expect(await stack.toolgate.decision({ tool: "echo" })).toMatchObject({
      server: "tools/everything",
      method: "tools/call",
      caller: "reader",
      decision: "allow",
      policy: "tools/readers",
      rule: "readers-may-read",
      outcome: "ok",
    });
  });

  test("the metrics count calls by caller, tool and how they ended", async () => {
    const metrics = await stack.toolgate.admin("/metrics");
    const counted = (name: string, labels: Readonly<Record<string, string>>): string | undefined =>
      metrics
        .split("\n")
        .find((line) =>
          [name, ...Object.entries(labels).map(([label, value]) => `${label}="${value}"`)].every((part) =>
            line.includes(part),
          ),
        );
    const call = { caller: "reader", mcp_server: "tools/everything", mcp_method_name: "tools/call" };
    // One from each SDK.
    expect(counted("toolgate_requests_total", { ...call, gen_ai_tool_name: "get-env", result: "denied" })).toMatch(
      / 2$/,
    );
    expect(counted("toolgate_authz_decisions_total", { ...call, decision: "deny" })).toMatch(/ 2$/);
    expect(counted("toolgate_requests_total", { caller: "stranger", result: "denied" })).toMatch(/ 2$/);
  });

  test("a call that was denied did not reach the server, by Envoy's own account", async () => {
    expect(await stack.gateway.logged({ tool: "get-env" })).toMatchObject({
      code: 200,
      decision: "deny",
      rule: "nobody-reads-the-environment",
      details: "toolgate_denied-by-rule",
    });
  });
});
