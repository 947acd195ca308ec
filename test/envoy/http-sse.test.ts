/**
 * HTTP with SSE (2024-11-05), for a server that opts in: one path is the stream, another takes the messages. An official
 * server of that time and the official client, with a real Envoy and Toolgate between them.
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startEverything } from "./everything.ts";
import type { Everything } from "./everything.ts";
import { firstRoute, manager } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { ask, rpc } from "./http.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { ISSUER } from "./tokens.ts";

const READER = `[{ jwt: { issuer: "${ISSUER}", claims: [{ name: role, values: [reader] }] } }]`;
const POLICIES = `
apiVersion: toolgate.dev/v1alpha1
kind: MCPServer
metadata: { name: old, namespace: tools }
spec: { match: [{ path: /sse, messages: /message }] }
---
apiVersion: toolgate.dev/v1alpha1
kind: MCPAccessPolicy
metadata: { name: readers, namespace: tools }
spec:
  targetRefs: [{ kind: MCPServer, name: old }]
  rules:
    - name: readers-may-read
      action: Allow
      from: ${READER}
      to: [{ tools: [echo, get-sum], prompts: [simple-prompt] }]
    - name: nobody-reads-the-environment
      action: Deny
      from: [{ anyone: true }]
      to: [{ tools: [get-env] }]
`;

/** Both paths go to the server, and both are asked about. */
function routeBothPaths(config: Node): void {
  Object.assign(firstRoute(config), { match: { prefix: "/" } });
  const [jwt] = manager(config)["http_filters"] as readonly { readonly typed_config: { readonly rules: Node[] } }[];
  for (const rule of jwt?.typed_config.rules ?? []) rule["match"] = { prefix: "/" };
}

let everything: Everything;
let stack: Stack;

const connect = async (role: string): Promise<Client> => {
  const client = new Client({ name: "toolgate-e2e", version: "1" });
  const headers = { authorization: `Bearer ${await stack.token(role)}` };
  const transport = new SSEClientTransport(new URL("/sse", stack.gateway.url), {
    requestInit: { headers },
    eventSourceInit: {
      fetch: (url, init) => fetch(url, { ...init, headers: { ...headers, accept: "text/event-stream" } }),
    },
  });
  await client.connect(transport);
  return client;
};

describeWithEnvoy("HTTP with SSE through Envoy and Toolgate", () => {
  beforeAll(async () => {
    everything = await startEverything("sse");
    stack = await startStack({ policies: POLICIES, upstreamPort: everything.port, change: routeBothPaths });
  });
  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    await everything[Symbol.asyncDispose]();
  });

  test("a client connects, sees the filtered lists, and calls", async () => {
    const client = await connect("reader");
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["echo", "get-sum"]);
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(["simple-prompt"]);
    expect(await client.callTool({ name: "echo", arguments: { message: "hello" } })).toMatchObject({
      content: [{ text: "Echo: hello" }],
    });
    await client.close();
    expect(await stack.toolgate.decision({ tool: "echo" })).toMatchObject({ decision: "allow", outcome: "unread" });
  });

  test("a denial comes on the stream as the answer to the call, and the session goes on", async () => {
    const client = await connect("reader");
    const denied = await client.callTool({ name: "get-env", arguments: {} });
    expect(denied).toMatchObject({
      isError: true,
      content: [
        {
          text: "Blocked by policy: rule nobody-reads-the-environment of policy tools/readers denies reader the use of tool get-env on server tools/old.",
        },
      ],
    });
    await expect(client.getPrompt({ name: "args-prompt", arguments: { city: "x" } })).rejects.toMatchObject({
      code: -31403,
      message: expect.stringContaining("no rule lets reader use prompt args-prompt") as unknown,
    });
    await expect(client.request({ method: "tools/run" }, {} as never)).rejects.toMatchObject({ code: -32601 });
    expect(await client.callTool({ name: "get-sum", arguments: { a: 1, b: 2 } })).toMatchObject({
      content: [{ text: "The sum of 1 and 2 is 3." }],
    });
    await client.close();
    expect(await stack.toolgate.decision({ tool: "get-env" })).toMatchObject({ decision: "deny", outcome: "denied" });
  });

  test("calls and denials at the same time each get their own answer", async () => {
    const client = await connect("reader");
    const calls = Array.from({ length: 30 }, async (_, n) => {
      const name = n % 2 === 0 ? "get-sum" : "get-env";
      const { content } = await client.callTool({ name, arguments: { a: n, b: 1 } });
      return (content as readonly { text: string }[])[0]?.text.split(" ").slice(0, 2).join(" ");
    });
    expect(await Promise.all(calls)).toEqual(
      Array.from({ length: 30 }, (_, n) => (n % 2 === 0 ? "The sum" : "Blocked by")),
    );
    await client.close();
  });

  test("who has no rule does not get a stream, and nobody posts without naming a session", async () => {
    await expect(connect("stranger")).rejects.toThrow();
    const token = await stack.token("reader");
    const post = async (path: string): Promise<number> =>
      (await ask(stack.gateway.url, { token, path, body: rpc("tools/list") })).status;
    expect(await post("/message")).toBe(403);
    expect(await post("/message?sessionId=a&sessionId=b")).toBe(403);
    expect(await post("/sse")).toBe(405);
  });
});
