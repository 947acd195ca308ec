/**
 * The two-message profile (`envoy-config/two-message.yaml`): of an answer only its body is shown, when its status has gone.
 * What may not be delivered is replaced by an error, and nothing that is held is lost.
 */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ANSWER_ATTRIBUTES } from "../../src/grpc/skipped-headers.ts";
import { SIZE_ARGUMENT, answerTo, inEvents } from "./canary.ts";
import type { Answer } from "./canary.ts";
import { canaryOfTests } from "./canary-of-tests.ts";
import { freePort } from "./free-port.ts";
import { manager } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { ask, callTool, rpc } from "./http.ts";
import type { Reply } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { extProcSample } from "./sample-config.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const canary = canaryOfTests();

type Started = { readonly upstreamPort?: number; readonly change?: (filter: Node, config: Node) => void };

async function start({ upstreamPort = canary.port, change }: Started = {}): Promise<Stack> {
  const own: Node[] = [];
  const sample = await extProcSample("two-message.yaml", (filter) => void own.push(filter));
  return startStack({
    policies: CANARY_POLICIES,
    flags: ["--profiles", "lean"],
    upstreamPort,
    change(config) {
      sample(config);
      for (const filter of own) change?.(filter, config);
    },
  });
}

describeWithEnvoy("an Envoy that shows bodies alone", () => {
  let stack: Stack;
  let token: string;
  beforeAll(async () => {
    stack = await start();
    token = await stack.token("reader");
  });
  afterAll(() => stack[Symbol.asyncDispose]());
  const send = (body: string): Promise<Reply> => ask(stack.gateway.url, { token, body });
  const messages = (): Promise<number> => stack.gateway.stat("http.mcp.ext_proc.stream_msgs_sent");

  test("asks about a call, and about each piece of its answer, of which HTTP/1.1 has an empty one at the end", async () => {
    const before = await messages();
    const { text, complete } = await send(callTool("allowed-one"));
    expect([text.includes("done: allowed-one"), complete]).toEqual([true, true]);
    expect((await messages()) - before).toBe(3);
    expect(await stack.toolgate.decision({ tool: "allowed-one" })).toMatchObject({ outcome: "ok" });
  });

  test("lists are filtered: in JSON, in pieces, in events, and in events in pieces", async () => {
    const inPieces =
      (of: (message: Parameters<Answer>[0]) => string, type: string): Answer =>
      async (message, response) => {
        response.writeHead(200, { "content-type": type });
        for (const piece of of(message).match(/[^]{1,25}/g) ?? []) {
          response.write(piece);
          await new Promise((resolve) => void setImmediate(resolve));
        }
        response.end();
      };
    const answers = [
      canary.answer,
      inEvents,
      inPieces(answerTo, "application/json"),
      inPieces((message) => `data: ${answerTo(message)}\n\n`, "text/event-stream"),
    ];
    for (const answer of answers) {
      canary.answer = answer;
      const { text, complete } = await send(rpc("tools/list"));
      expect([text.includes("allowed-one"), text.includes("hidden"), complete]).toEqual([true, false, true]);
    }
  });

  const sending =
    (body: string | Buffer, headers: Readonly<Record<string, string>>, status = 200): Answer =>
    (_, response) =>
      void response.writeHead(status, headers).end(body);
  const LIST = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"hidden-one"}]}}';

  test.each<readonly [string, Answer]>([
    ["of no type that is read", sending(LIST, { "content-type": "text/html" })],
    ["of no type", sending(LIST, {})],
    ["encoded", sending(gzipSync(LIST), { "content-type": "application/json", "content-encoding": "gzip" })],
    ["said to be encoded", sending(LIST, { "content-type": "application/json", "content-encoding": "x" })],
    ["in other characters", sending(LIST, { "content-type": "application/json; charset=utf-7" })],
    ["a part", sending(LIST, { "content-type": "application/json" }, 206)],
    ["no JSON", sending("hidden", { "content-type": "application/json" })],
    ["to another call", sending(LIST.replace('"id":1', '"id":"hidden"'), { "content-type": "application/json" })],
    ["cut short", sending(LIST.slice(0, -2), { "content-type": "application/json" })],
  ])("an answer that is %s is replaced by an error, whole", async (_, answer) => {
    canary.answer = answer;
    const { status, text, complete } = await send(rpc("tools/list"));
    expect(text).not.toContain("hidden");
    expect([status === 200 || status === 206, complete]).toEqual([true, true]);
    expect(JSON.parse(text)).toMatchObject({ error: { code: -32_603 } });
  });

  test("events that may not be delivered are replaced by one with an error", async () => {
    canary.answer = sending(`data: ${LIST}\n\n`, { "content-type": "text/event-stream; charset=utf-16" });
    const { text, complete } = await send(rpc("tools/list"));
    expect([text.includes("hidden"), complete]).toEqual([false, true]);
    expect(JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? "")).toMatchObject({ error: { code: -32_603 } });
  });

  test("an error of HTTP keeps its status, and its page", async () => {
    canary.answer = sending("<p>no</p>", { "content-type": "text/html" }, 502);
    expect(await send(callTool("allowed-one"))).toMatchObject({ status: 502, text: "<p>no</p>", complete: true });
  });

  test("an error of HTTP without content is not shown: its call is on record as one that was left", async () => {
    canary.answer = sending("", { "content-length": "0", "www-authenticate": "Bearer" }, 401);
    const { status, headers } = await send(callTool("allowed-two"));
    expect([status, headers["www-authenticate"]]).toEqual([401, "Bearer"]);
    expect(await stack.toolgate.decision({ tool: "allowed-two" })).toMatchObject({ outcome: "cancelled" });
  });

  test("what has no answer passes, and ends", async () => {
    const notification = '{"jsonrpc":"2.0","method":"notifications/initialized"}';
    expect(await send(notification)).toMatchObject({ status: 202, complete: true });
  });

  test("an answer of 3 MB passes", async () => {
    const { text, complete } = await send(callTool("allowed-one", { [SIZE_ARGUMENT]: 3 * 2 ** 20 }));
    expect([text.match(/x{9,}/)?.[0].length, complete]).toEqual([3 * 2 ** 20, true]);
  });

  test("what has no body is decided on as in the default profile", async () => {
    expect((await ask(stack.gateway.url, { method: "DELETE" })).status).toBe(401);
    expect((await ask(stack.gateway.url, { method: "DELETE", token })).status).toBe(204);
    expect(canary.touched).toBe(1);
  });
});

describeWithEnvoy("an Envoy that shows bodies alone, otherwise", () => {
  test.each(ANSWER_ATTRIBUTES.map((name) => [name]))("delivers nothing without the attribute %s", async (left) => {
    await using stack = await start({
      change(filter) {
        filter["response_attributes"] = ANSWER_ATTRIBUTES.filter((name) => name !== left);
      },
    });
    const { text } = await ask(stack.gateway.url, { token: await stack.token("reader"), body: rpc("tools/list") });
    expect([text, canary.touched]).toEqual(["", 1]);
    await stack.toolgate.says("envoy-config/two-message.yaml");
  });

  test("delivers nothing of an answer to what it has sent on without asking", async () => {
    await using stack = await start({
      change(_, config) {
        const { routes } = (manager(config)["route_config"] as { virtual_hosts: { routes: Node[] }[] })
          .virtual_hosts[0] ?? {
          routes: [],
        };
        for (const route of routes) route["typed_per_filter_config"] = routes[0]?.["typed_per_filter_config"];
      },
    });
    const { text } = await ask(stack.gateway.url, { token: await stack.token("reader"), method: "GET" });
    expect([text, canary.touched]).toEqual(["", 1]);
    await stack.toolgate.says("without a decision");
  });

  test("gives its own answer where the server is not there", async () => {
    await using stack = await start({ upstreamPort: await freePort() });
    const reply = await ask(stack.gateway.url, { token: await stack.token("reader"), body: callTool("allowed-one") });
    expect([reply.status, reply.complete]).toEqual([503, true]);
    expect(await stack.toolgate.decision({ tool: "allowed-one" })).toMatchObject({ outcome: "transport_error" });
    expect((await ask(stack.gateway.url, { token: "wrong", body: rpc("ping") })).status).toBe(401);
  });
});
