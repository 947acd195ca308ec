/** `answers: pass`: after the decision Envoy is told to skip the rest, but for what lists what there is. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { answerTo, sendJson } from "./canary.ts";
import { canaryOfTests } from "./canary-of-tests.ts";
import { ask, callTool, rpc } from "./http.ts";
import { policyFor } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const SERVER = `
apiVersion: toolgate.dev/v1alpha1
kind: MCPServer
metadata: { name: canary, namespace: tools }
spec: { match: [{ path: /mcp }], answers: pass }
`;

const canary = canaryOfTests();
let stack: Stack;
let token: string;

describeWithEnvoy("a server whose answers pass", () => {
  beforeAll(async () => {
    const policies = [SERVER, policyFor("reader", '[{ tools: ["allowed*"] }]')].join("---");
    stack = await startStack({ policies, upstreamPort: canary.port });
    token = await stack.token("reader");
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  const send = (body: string) => ask(stack.gateway.url, { token, body });

  test("decides as ever, and does not look at what the call brings", async () => {
    canary.answer = (message, response) => sendJson(response, answerTo(message).replace('{"jsonrpc"', '{ "jsonrpc"'));
    expect((await send(callTool("allowed-one"))).text).toMatch(/^\{ "jsonrpc"/);
    expect(await stack.toolgate.decision({ tool: "allowed-one" })).toMatchObject({
      decision: "allow",
      outcome: "unread",
    });
    expect(JSON.parse((await send(callTool("hidden-one"))).text)).toMatchObject({ result: { isError: true } });
    expect(canary.executed).toHaveLength(1);
  });

  test("filters lists, and what the server says it can do", async () => {
    const list = await send(rpc("tools/list"));
    expect(list.text).toContain("allowed-one");
    expect(list.text).not.toContain("hidden");
    canary.answer = (message, response) =>
      sendJson(
        response,
        JSON.stringify({ jsonrpc: "2.0", id: message.id, result: { capabilities: { logging: {}, tools: {} } } }),
      );
    expect(JSON.parse((await send(rpc("initialize"))).text)).toMatchObject({ result: { capabilities: { tools: {} } } });
    expect((await send(rpc("initialize"))).text).not.toContain("logging");
  });

  test("lets the stream to Toolgate go while a long answer runs", async () => {
    const opened = Promise.withResolvers<() => void>();
    canary.answer = (message, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      opened.resolve(() => void response.end(`data: ${answerTo(message)}\n\n`));
    };
    const pending = send(callTool("allowed-long"));
    const finish = await opened.promise;
    expect(await stack.toolgate.decision({ tool: "allowed-long" })).toMatchObject({ outcome: "unread" });
    await stack.gateway.program.until("no stream to Toolgate", async () =>
      (await stack.gateway.stat("cluster.toolgate.upstream_rq_active")) === 0 ? true : undefined,
    );
    finish();
    expect((await pending).text).toContain("done: allowed-long");
  });
});
