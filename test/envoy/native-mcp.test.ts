/**
 * Behind Envoy's own MCP filter (`envoy-config/native-mcp.yaml`): one message without a body decides, by what that filter
 * has found. What it has not vouched for goes nowhere.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { canaryOfTests } from "./canary-of-tests.ts";
import { manager } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { ask, callTool, rpc } from "./http.ts";
import type { Ask, Reply } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { extProcSample } from "./sample-config.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const canary = canaryOfTests();

async function start(change?: (config: Node) => void, flags = ["--profiles", "native-mcp"]): Promise<Stack> {
  const sample = await extProcSample("native-mcp.yaml");
  return startStack({
    policies: CANARY_POLICIES,
    flags,
    upstreamPort: canary.port,
    change(config) {
      sample(config);
      change?.(config);
    },
  });
}

const mcpFilter = (config: Node): Node => {
  const filter = (manager(config)["http_filters"] as Node[]).find(({ name }) => name === "envoy.filters.http.mcp");
  return filter?.["typed_config"] as Node;
};

describeWithEnvoy("an Envoy that reads messages itself", () => {
  let stack: Stack;
  let token: string;
  beforeAll(async () => {
    stack = await start();
    token = await stack.token("reader");
  });
  afterAll(() => stack[Symbol.asyncDispose]());
  const send = (body: string, more: Ask = {}): Promise<Reply> => ask(stack.gateway.url, { token, body, ...more });
  const messages = (): Promise<number> => stack.gateway.stat("http.mcp.ext_proc.stream_msgs_sent");

  test("asks once about a call that is denied, without its body, and the server is not asked at all", async () => {
    const before = await messages();
    expect((await send(callTool("hidden-one"))).text).toContain('"isError":true');
    expect([canary.touched, (await messages()) - before]).toEqual([0, 1]);
  });

  test("lets an allowed call go on as it came, and its answer is read", async () => {
    const body = callTool("allowed-one").replace("{", "{ ");
    expect((await send(body)).text).toContain("done: allowed-one");
    expect(canary.seen).toMatchObject([{ body }]);
    expect(await stack.toolgate.decision({ tool: "allowed-one" })).toMatchObject({ outcome: "ok" });
  });

  test("lists are filtered", async () => {
    const { text } = await send(rpc("tools/list"));
    expect([text.includes("allowed-one"), text.includes("hidden")]).toEqual([true, false]);
  });

  test.each([
    ["answers to questions of the server", { inputResponses: { a: {} } }],
    ["the state of such questions", { requestState: "s" }],
    ["a task", { task: { ttl: 1 } }],
  ])("%s take a grant of their own", async (_, more) => {
    expect((await send(rpc("tools/call", { name: "allowed-one", ...more }))).text).toContain("Blocked by policy");
    expect(canary.touched).toBe(0);
  });

  test.each([
    ["an id that is no integer", '{"jsonrpc":"2.0","id":1.5,"method":"tools/call","params":{"name":"allowed-one"}}'],
    ["an id that is null", '{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"allowed-one"}}'],
    ["a name that is no text", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":{"a":1}}}'],
    ["no name", rpc("tools/call", {})],
    ["one name in another", callTool("allowed-one").replace('"name":', '"name":"hidden-one","n\\u0061me":')],
    ["a body of another coding", "\u001f\u008b"],
    ["a mark before it", `\ufeff${callTool("allowed-one")}`],
    ["something behind it", `${callTool("allowed-one")}{}`],
  ])("%s does not reach the server", async (_, body) => {
    await send(body);
    expect(canary.touched).toBe(0);
  });
});

describeWithEnvoy("an Envoy that shows no bodies, configured otherwise", () => {
  test("is not served unless Toolgate is told of the filter before", async () => {
    await using stack = await start(undefined, []);
    const { status } = await ask(stack.gateway.url, {
      token: await stack.token("reader"),
      body: callTool("allowed-one"),
    });
    expect([status, canary.touched]).toEqual([503, 0]);
    await stack.toolgate.says("--profiles native-mcp");
  });

  test("is not served where that filter is not there, or does not tell", async () => {
    await using without = await start((config) => {
      const filters = manager(config)["http_filters"] as Node[];
      manager(config)["http_filters"] = filters.filter(({ name }) => name !== "envoy.filters.http.mcp");
    });
    const { status } = await ask(without.gateway.url, {
      token: await without.token("reader"),
      body: callTool("allowed-one"),
    });
    expect([status, canary.touched]).toEqual([503, 0]);
    await without.toolgate.says("traffic_mode REJECT_NO_MCP");
  });

  test("gets nothing through that its filter has let pass unread", async () => {
    await using stack = await start((config) => {
      mcpFilter(config)["traffic_mode"] = "PASS_THROUGH";
    });
    const token = await stack.token("reader");
    const bodies = [`\ufeff${callTool("allowed-one")}`, `[${callTool("allowed-one")}]`, "no JSON", "{"];
    for (const body of bodies) expect((await ask(stack.gateway.url, { token, body })).status).toBe(503);
    const typed = { token, body: callTool("allowed-one"), headers: { "content-type": "Application/JSON" } };
    expect((await ask(stack.gateway.url, typed)).status).toBe(503);
    expect(canary.touched).toBe(0);
  });
});
