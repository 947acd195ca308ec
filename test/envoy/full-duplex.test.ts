/**
 * FULL_DUPLEX_STREAMED, which some chains force (Istio's and the Gateway API's inference pools): Envoy keeps nothing of a
 * body, and what we do not send back is lost. In both directions, and mixed with the other modes.
 */
import { createHash } from "node:crypto";
import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answerTo, inEvents, sendJson, SIZE_ARGUMENT } from "./canary.ts";
import { canaryOfTests } from "./canary-of-tests.ts";
import { extProcFilter } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { ask, callTool, rpc } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { connectModern, connectV1 } from "./sdk-clients.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const DUPLEX = "FULL_DUPLEX_STREAMED";
const MODES = {
  "both ways": {
    request_body_mode: DUPLEX,
    request_trailer_mode: "SEND",
    response_body_mode: DUPLEX,
    response_trailer_mode: "SEND",
  },
  "requests alone": { request_body_mode: DUPLEX, request_trailer_mode: "SEND" },
  "answers alone": { response_body_mode: DUPLEX, response_trailer_mode: "SEND" },
} as const;

const MEGABYTE = 2 ** 20;

describeWithEnvoy.each(Object.entries(MODES))("bodies in full duplex, %s", (_, modes) => {
  const canary = canaryOfTests();
  let stack: Stack;
  let token: string;

  beforeAll(async () => {
    stack = await startStack({
      policies: CANARY_POLICIES,
      upstreamPort: canary.port,
      change: (config) => {
        const filter = extProcFilter(config);
        filter["processing_mode"] = { ...(filter["processing_mode"] as Node), ...modes };
      },
    });
    token = await stack.token("reader");
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  const post = (body: string, headers: Readonly<Record<string, string>> = {}) =>
    ask(stack.gateway.url, { token, body, headers });

  test("an allowed call reaches the server whole, and its answer the client", async () => {
    const { status, text } = await post(callTool("allowed-one"));
    expect([status, JSON.parse(text)]).toMatchObject([200, { result: { content: [{ text: "done: allowed-one" }] } }]);
    expect(canary.executed).toHaveLength(1);
  });

  test("a body that is not canonical goes on in canonical form", async () => {
    const { status } = await post(
      `{ "jsonrpc" : "2.0", "id": 1, "method":"tools\\/call", "params":{"name":"allowed-one"} }`,
    );
    expect(status).toBe(200);
    expect(canary.seen[0]?.body).toBe('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"allowed-one"}}');
  });

  test("a denied call does not reach the server at all", async () => {
    const { status, text } = await post(callTool("hidden-one"));
    expect([status, JSON.parse(text)]).toMatchObject([200, { result: { isError: true } }]);
    expect(canary.touched).toBe(0);
  });

  test("what cannot be read does not reach the server at all", async () => {
    expect((await post('{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"ping"}')).status).toBe(400);
    // Where Envoy collects bodies itself, it may cut the connection instead.
    const tooLarge = await post("x".repeat(5 * MEGABYTE)).catch(() => ({ status: 413 }));
    expect(tooLarge.status).toBe(413);
    expect(canary.touched).toBe(0);
  });

  test("lists are filtered in JSON and in events", async () => {
    const inJson = await post(rpc("tools/list"));
    expect(inJson.text).toContain("allowed-one");
    expect(inJson.text).not.toContain("hidden");
    canary.answer = inEvents;
    const events = await post(rpc("tools/list"));
    expect(events.text).toContain("notifications/progress");
    expect(events.text).toContain("allowed-one");
    expect(events.text).not.toContain("hidden");
  });

  test("an argument and an answer of 3 MB pass unchanged", async () => {
    const text = "0123456789abcdef".repeat((3 * MEGABYTE) / 16);
    await post(callTool("allowed-one", { text }));
    const { arguments: args } = canary.executed[0]?.params ?? {};
    expect(hash((args as { text: string }).text)).toBe(hash(text));
    const large = await post(callTool("allowed-one", { [SIZE_ARGUMENT]: 3 * MEGABYTE }));
    expect(hash(large.text.match(/x{9,}/)?.[0] ?? "")).toBe(hash("x".repeat(3 * MEGABYTE)));
    expect(large.complete).toBe(true);
  });

  test("what has no answer to read passes, and ends", async () => {
    const notified = await post('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    expect([notified.status, notified.complete]).toEqual([202, true]);
    canary.answer = (_message, response) =>
      void response.writeHead(502, { "content-type": "text/html" }).end("<p>no</p>");
    const failed = await post(callTool("allowed-one"));
    expect([failed.status, failed.text, failed.complete]).toEqual([502, "<p>no</p>", true]);
  });

  test("an answer that may not be delivered is replaced by an error", async () => {
    canary.answer = (message, response) => sendJson(response, answerTo(message).replace("{", '{"x":1,'));
    expect(JSON.parse((await post(callTool("allowed-one"))).text)).toMatchObject({ error: { code: -32603 } });
  });

  test("the clients of both eras work", async () => {
    for (const connect of [connectV1, connectModern]) {
      await using session = await connect(stack.gateway.url, token);
      expect(await session.callTool("allowed-one")).toEqual({ isError: false, text: "done: allowed-one" });
      expect((await session.callTool("hidden-one")).isError).toBe(true);
    }
  });

  test("an upload that ends with trailers is judged like any other", async () => {
    const { executed, status } = await withTrailers(callTool("allowed-one"));
    expect([status, executed]).toEqual([200, 1]);
    expect(await withTrailers(callTool("hidden-one"))).toMatchObject({ executed: 0 });
  });

  async function withTrailers(body: string): Promise<{ status: number; executed: number }> {
    canary.forget();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const outgoing = request(stack.gateway.url, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        trailer: "x-sum",
        "transfer-encoding": "chunked",
      },
    });
    outgoing.on("response", (response) => response.resume().on("end", () => resolve(response.statusCode ?? 0)));
    outgoing.on("error", reject);
    outgoing.write(body);
    outgoing.addTrailers({ "x-sum": "1" });
    outgoing.end();
    const status = await promise;
    return { status, executed: canary.executed.length };
  }
});

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
