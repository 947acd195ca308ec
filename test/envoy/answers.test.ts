/** Answers on their way back: filtered page by page, in JSON and in events, large, many at once, broken. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { answerTo, inEvents, sendJson, SIZE_ARGUMENT } from "./canary.ts";
import { canaryOfTests } from "./canary-of-tests.ts";
import { ask, callTool, rpc } from "./http.ts";
import type { Ask, Reply } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { connectV1, connectV2 } from "./sdk-clients.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const MEGABYTE = 2 ** 20;

const canary = canaryOfTests();
let stack: Stack;
let reader: string;

const send = (body: string, more: Ask = {}): Promise<Reply> => ask(stack.gateway.url, { token: reader, body, ...more });

describeWithEnvoy("answers through Envoy and Toolgate", () => {
  beforeAll(async () => {
    stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port });
    reader = await stack.token("reader");
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  test.each([
    ["SDK v1", connectV1],
    ["SDK v2", connectV2],
  ])("%s walks through filtered pages, also one with nothing left on it", async (_, connect) => {
    await using session = await connect(stack.gateway.url, reader);
    // A first cursor of one's own: SDK v2 walks by itself otherwise.
    expect(await session.page("tools", "first")).toEqual({ names: ["allowed-one"], nextCursor: "second" });
    expect(await session.page("tools", "second")).toEqual({ names: [], nextCursor: "third" });
    expect(await session.page("tools", "third")).toEqual({ names: ["allowed-two"], nextCursor: undefined });
  });

  test("SDK v2 gets all pages when it walks by itself", async () => {
    await using session = await connectV2(stack.gateway.url, reader);
    expect((await session.page("tools")).names).toEqual(["allowed-one", "allowed-two"]);
  });

  test("a list in server-sent events is filtered like one in JSON", async () => {
    canary.answer = inEvents;
    const { headers, text, complete } = await send(rpc("tools/list"));
    expect(headers["content-type"]).toBe("text/event-stream");
    expect(complete).toBe(true);
    expect(text).toContain("notifications/progress");
    expect(text).toContain('"name":"allowed-one"');
    expect(text).not.toContain("hidden");
  });

  test("a filtered list is marked as private, so that no cache gives it to others", async () => {
    const { text } = await send(rpc("tools/list"));
    expect(JSON.parse(text)).toMatchObject({ result: { cacheScope: "private", nextCursor: "second" } });
  });

  test("an answer that needs no change arrives byte for byte, in JSON and in events", async () => {
    const call = callTool("allowed-one");
    const answer = answerTo(JSON.parse(call) as object);
    expect(await send(call)).toMatchObject({ status: 200, text: answer });
    canary.answer = inEvents;
    expect((await send(call)).text).toMatch(new RegExp(`\\n\\nevent: message\\ndata: ${RegExp.escape(answer)}\\n\\n$`));
  });

  test("an event is at the client before the next one is made", async () => {
    const arrived = Promise.withResolvers<void>();
    canary.answer = async (message, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(
        'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}\n\n',
      );
      await arrived.promise;
      response.end(`data: ${answerTo(message)}\n\n`);
    };
    const { text } = await send(callTool("allowed-one"), { onText: () => arrived.resolve() });
    expect(text).toContain("done: allowed-one");
  });

  test.each([
    ["JSON", undefined],
    ["events", inEvents],
  ])("a result of 1 MB arrives whole in %s", async (_, answer) => {
    canary.answer = answer ?? canary.answer;
    const { status, text, complete } = await send(callTool("allowed-one", { [SIZE_ARGUMENT]: MEGABYTE }));
    expect({ status, complete }).toEqual({ status: 200, complete: true });
    expect(text.match(/x+/g)?.some((run) => run.length === MEGABYTE)).toBe(true);
  });

  test("a large list is filtered whatever chunks it comes in", async () => {
    const names = Array.from({ length: 5_000 }, (_, n) => `${n % 2 === 0 ? "allowed" : "hidden"}-${n}`);
    canary.answer = (message, response) => {
      const tools = names.map((name) => ({ name, description: "d".repeat(100), inputSchema: { type: "object" } }));
      sendJson(response, JSON.stringify({ jsonrpc: "2.0", id: message.id, result: { tools } }));
    };
    const { result } = JSON.parse((await send(rpc("tools/list"))).text) as { result: { tools: { name: string }[] } };
    expect(result.tools.map(({ name }) => name)).toEqual(names.filter((name) => name.startsWith("allowed")));
  });

  test("50 calls at the same time each get their own answer", async () => {
    const calls = Array.from({ length: 50 }, () => callTool("allowed-one"));
    const replies = await Promise.all(calls.map((call) => send(call)));
    expect(replies.map(({ text }) => text)).toEqual(calls.map((call) => answerTo(JSON.parse(call) as object)));
  });

  test("a list that is no JSON is not delivered", async () => {
    canary.answer = (_, response) => sendJson(response, '{"tools":[{"name":"hidden-one"}');
    const { text } = await send(rpc("tools/list"));
    expect(text).not.toContain("hidden-one");
    expect(JSON.parse(text)).toMatchObject({ error: { code: -32_603, message: expect.stringContaining("JSON") } });
  });

  test("a list of a server that hangs up half way is not delivered", async () => {
    canary.answer = (_, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": 1_000 });
      response.write('{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"hidden-one"}', () => response.destroy());
    };
    const { text, status, complete } = await send(rpc("tools/list"));
    expect(text).not.toContain("hidden-one");
    expect(status >= 500 || !complete).toBe(true);
  });

  test("an error of the server without an id reaches the caller in the server's words", async () => {
    canary.answer = (_, response) =>
      sendJson(response, '{"jsonrpc":"2.0","error":{"code":-32000,"message":"No valid session ID provided"}}', 400);
    expect(await send(callTool("allowed-one"))).toMatchObject({
      status: 400,
      text: expect.stringContaining("No valid session ID provided"),
    });
    expect(await stack.toolgate.decision({ outcome: "rejected" })).toMatchObject({ http_status: 400 });
  });

  test("a caller that leaves before the answer is on record as such", async () => {
    const leaving = new AbortController();
    canary.answer = () => leaving.abort();
    const init = { method: "POST", body: callTool("allowed-two"), signal: leaving.signal };
    const headers = { authorization: `Bearer ${reader}`, "content-type": "application/json" };
    await expect(fetch(stack.gateway.url, { ...init, headers })).rejects.toThrow("aborted");
    expect(await stack.toolgate.decision({ tool: "allowed-two" })).toMatchObject({ outcome: "cancelled" });
  });

  test("GET opens the server's stream, and what the server says arrives while it is open", async () => {
    const opened = new AbortController();
    const response = await fetch(stack.gateway.url, {
      headers: { authorization: `Bearer ${reader}`, accept: "text/event-stream" },
      signal: opened.signal,
    });
    const { value } = (await response.body?.getReader().read()) ?? {};
    expect(Buffer.from(value ?? []).toString()).toContain("notifications/progress");
    opened.abort();
    expect(canary.seen).toMatchObject([{ method: "GET" }]);
  });

  test("neither GET nor DELETE is there for a caller without a rule", async () => {
    const stranger = await stack.token("stranger");
    for (const method of ["GET", "DELETE"]) {
      expect(await ask(stack.gateway.url, { token: stranger, method })).toMatchObject({ status: 403 });
    }
    expect(canary.touched).toBe(0);
  });
});
