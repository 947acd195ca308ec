/** Streams of every revision: followed event by event, resumed, listened to, taken back, and as long as they like. */
import { once } from "node:events";
import { request } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { answerTo, sendJson } from "./canary.ts";
import type { Message } from "./canary.ts";
import { canaryOfTests } from "./canary-of-tests.ts";
import { startEverything } from "./everything.ts";
import { ask, callTool, rpc } from "./http.ts";
import type { Reply } from "./http.ts";
import { CANARY_SERVER, policyFor } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const MEGABYTE = 2 ** 20;
const REVISION = "2026-07-28";
const META = { "io.modelcontextprotocol/protocolVersion": REVISION };

const POLICIES = [
  CANARY_SERVER,
  policyFor("reader", '[{ tools: ["allowed*", echo], resources: ["x:/a/*"] }]'),
  policyFor(
    "listener",
    '[{ tools: ["allowed*"], resources: ["x:/a/*"], methods: [subscriptions/listen, elicitation/create] }]',
  ),
].join("---");

const event = (message: object, id?: string): string =>
  `${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`;
const progress = (text: string): object => ({
  method: "notifications/progress",
  params: { progressToken: 1, progress: 1, message: text },
});
const openEvents = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { "content-type": "text/event-stream" });

const canary = canaryOfTests();
let stack: Stack;
let reader: string;
let listener: string;

describeWithEnvoy("streams through Envoy and Toolgate", () => {
  beforeAll(async () => {
    stack = await startStack({ policies: POLICIES, upstreamPort: canary.port });
    [reader, listener] = [await stack.token("reader"), await stack.token("listener")];
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  /** A request that opens a stream of its own; resolves when its head has come. */
  function open(body: string | undefined, headers: Readonly<Record<string, string>> = {}): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const all = { "content-type": "application/json", accept: "text/event-stream, application/json", ...headers };
    const outgoing = request(stack.gateway.url, { method: body === undefined ? "GET" : "POST", headers: all });
    outgoing.on("response", resolve).on("error", reject).end(body);
    return promise;
  }
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  describe("subscriptions/listen", () => {
    const listen = (notifications: object, token = listener): Promise<Reply> => {
      const headers = { "mcp-protocol-version": REVISION, "mcp-method": "subscriptions/listen" };
      const body = rpc("subscriptions/listen", { notifications, _meta: META });
      return ask(stack.gateway.url, { token, headers, body });
    };
    const asked = (): unknown => canary.executed[0]?.params?.["notifications"];
    const updated = (uri: string): string => event({ method: "notifications/resources/updated", params: { uri } });

    test("is trimmed to what the caller may see, and so is what the server says", async () => {
      canary.answer = (message, response) => {
        openEvents(response).write(
          event({
            method: "notifications/subscriptions/acknowledged",
            params: { notifications: { resourceSubscriptions: ["x:/a/1", "x:/b/2"] } },
          }),
        );
        response.write(updated("x:/a/1") + updated("x:/b/secret"));
        response.end(event({ id: message.id, result: { resultType: "complete" } }));
      };
      const { status, text } = await listen({
        toolsListChanged: true,
        resourceSubscriptions: ["x:/b/1", "x:/a/1", "x:/a/../b", "x:/a/2"],
        taskIds: ["t"],
      });
      expect(status).toBe(200);
      const trimmed = { toolsListChanged: true, resourceSubscriptions: ["x:/a/1", "x:/a/2"], taskIds: [] };
      expect(asked()).toEqual(trimmed);
      expect(text).toContain("x:/a/1");
      expect(text).not.toContain("x:/b");
    });

    test("goes on as it came when all of it may be seen", async () => {
      canary.answer = (message, response) => sendJson(response, answerTo(message));
      await listen({ resourceSubscriptions: ["x:/a/1"] });
      expect(asked()).toEqual({ resourceSubscriptions: ["x:/a/1"] });
    });

    test("is refused when nothing of it may be seen, and to whom it is not granted", async () => {
      expect(JSON.parse((await listen({ resourceSubscriptions: ["x:/b/1"] })).text)).toMatchObject({
        error: { code: -31_403 },
      });
      expect(JSON.parse((await listen({ toolsListChanged: true }, reader)).text)).toMatchObject({
        error: { code: -31_403 },
      });
      expect(canary.touched).toBe(0);
    });
  });

  describe("requests of the server", () => {
    const asks = event({ id: 7, method: "elicitation/create", params: { message: "your password?" } });
    const answerAfterAsking = (message: Message, response: ServerResponse): void => {
      openEvents(response).write(asks);
      response.end(`data: ${answerTo(message)}\n\n`);
    };

    test("reach only callers whom a rule lets be asked, and the call goes on in either case", async () => {
      canary.answer = answerAfterAsking;
      const [denied, granted] = await Promise.all(
        [reader, listener].map((token) => ask(stack.gateway.url, { token, body: callTool("allowed-one") })),
      );
      expect(denied?.text).not.toContain("password");
      expect(granted?.text).toContain("password");
      for (const reply of [denied, granted]) expect(reply?.text).toContain("done: allowed-one");
    });

    test("are answered only by callers whom a rule lets be asked", async () => {
      const answer = JSON.stringify({ jsonrpc: "2.0", id: 7, result: { action: "accept", content: {} } });
      expect((await ask(stack.gateway.url, { token: listener, body: answer })).status).toBe(202);
      expect(canary.touched).toBe(1);
      expect((await ask(stack.gateway.url, { token: reader, body: answer })).status).toBe(202);
      expect(canary.touched).toBe(1);
    });
  });

  describe("a call that is taken back", () => {
    test("before 2026-07-28 is on record as cancelled, when its stream ends without an answer", async () => {
      const called = Promise.withResolvers<ServerResponse>();
      canary.answer = (_message, response) => called.resolve(openEvents(response));
      const call = callTool("allowed-taken-back");
      const { id } = JSON.parse(call) as { id: number };
      const pending = ask(stack.gateway.url, { token: reader, body: call });
      const upstream = await called.promise;
      upstream.write(event(progress("working")));
      const cancelled = JSON.stringify({
        jsonrpc: "2.0",
        method: "notifications/cancelled",
        params: { requestId: id },
      });
      expect((await ask(stack.gateway.url, { token: reader, body: cancelled })).status).toBe(202);
      upstream.end();
      expect((await pending).complete).toBe(true);
      expect(await stack.toolgate.decision({ tool: "allowed-taken-back" })).toMatchObject({ outcome: "cancelled" });
    });

    test("since then is taken back by leaving, and the server hears of it at once", async () => {
      const left = Promise.withResolvers<void>();
      canary.answer = (_message, response) => {
        response.on("close", () => left.resolve());
        openEvents(response).write(event(progress("working")));
      };
      const headers = {
        ...bearer(reader),
        "mcp-protocol-version": REVISION,
        "mcp-method": "tools/call",
        "mcp-name": "allowed-left",
      };
      const body = rpc("tools/call", { name: "allowed-left", arguments: {}, _meta: META });
      const stream = await open(body, headers);
      await once(stream, "data");
      stream.destroy();
      await left.promise;
      expect(await stack.toolgate.decision({ tool: "allowed-left" })).toMatchObject({ outcome: "cancelled" });
    });
  });

  describe("a grant that is taken back", () => {
    afterEach(async () => {
      await stack.toolgate.edit(POLICIES);
      await stack.toolgate.program.until(
        "policies as they were",
        async () =>
          (await ask(stack.gateway.url, { token: reader, body: callTool("allowed-again") })).status === 200 ||
          undefined,
      );
    });

    test("cuts off the streams that it let begin, without a further event, and no others", async () => {
      const upstreams = new Map<unknown, ServerResponse>();
      const closed = Promise.withResolvers<void>();
      canary.answer = (message, response) => {
        const name = message.params?.["name"];
        if (name === "allowed-again") return sendJson(response, answerTo(message));
        upstreams.set(name, openEvents(response));
        response.write(event(progress("begun")));
        if (name === "allowed-revoked") response.on("close", () => closed.resolve());
      };
      const revoked = await open(callTool("allowed-revoked"), bearer(reader));
      await once(revoked, "data");
      const kept = await open(callTool("allowed-kept"), bearer(listener));
      await once(kept, "data");

      const broken = once(revoked, "error");
      await stack.toolgate.edit([CANARY_SERVER, policyFor("listener", '[{ tools: ["allowed*"] }]')].join("---"));
      await broken;
      await closed.promise;
      expect(await stack.toolgate.decision({ tool: "allowed-revoked" })).toMatchObject({
        decision: "allow",
        outcome: "transport_error",
        answer_fault_reason: "not-granted",
      });
      const more = once(kept, "data");
      upstreams.get("allowed-kept")?.write(event(progress("still there")));
      expect(String(await more)).toContain("still there");
      kept.destroy();
    });
  });

  test("an answer that is to be polled for is not counted as failed", async () => {
    canary.answer = (_message, response) => void openEvents(response).end("id: 1\nretry: 10\ndata: \n\n");
    await ask(stack.gateway.url, { token: reader, body: callTool("allowed-polled") });
    expect(await stack.toolgate.decision({ tool: "allowed-polled" })).toMatchObject({ outcome: "unread" });
  });

  test("a session id is taken from the answer to initialize, and from no other", async () => {
    canary.answer = (message, response) => {
      response.setHeader("mcp-session-id", "minted");
      sendJson(response, answerTo(message));
    };
    const send = async (body: string, headers: Readonly<Record<string, string>> = {}) =>
      (await ask(stack.gateway.url, { token: reader, body, headers })).headers["mcp-session-id"];
    expect(await send(rpc("initialize", { protocolVersion: "2025-11-25" }))).toBe("minted");
    expect(await send(rpc("tools/list"))).toBeUndefined();
    expect(await send(rpc("tools/list"), { "mcp-session-id": "minted" })).toBe("minted");
    expect(await send(rpc("tools/list"), { "mcp-session-id": "other" })).toBeUndefined();
  });

  test("the memory of Toolgate does not grow with the length of a stream", async () => {
    const total = 256 * MEGABYTE;
    const chunk = event(progress("x".repeat(64 * 1024)));
    canary.answer = async (message, response) => {
      openEvents(response);
      for (let sent = 0; sent < total; sent += chunk.length) if (!response.write(chunk)) await once(response, "drain");
      response.end(`data: ${answerTo(message)}\n\n`);
    };
    const before = await residentBytes();
    const stream = await open(callTool("allowed-long"), bearer(reader));
    let received = 0;
    let most = 0;
    for await (const data of stream as AsyncIterable<Buffer>) {
      const measuresNow =
        Math.floor(received / (32 * MEGABYTE)) < Math.floor((received + data.length) / (32 * MEGABYTE));
      received += data.length;
      if (measuresNow) most = Math.max(most, await residentBytes());
    }
    expect(received).toBeGreaterThan(total);
    expect(most - before).toBeLessThan(total / 2);
    expect(await stack.toolgate.decision({ tool: "allowed-long" })).toMatchObject({ outcome: "ok" });
  });

  test("a caller that does not read holds the server back, and not Toolgate's memory", async () => {
    const chunk = event(progress("x".repeat(64 * 1024)));
    let sent = 0;
    const stalled = Promise.withResolvers<void>();
    canary.answer = async (_message, response) => {
      openEvents(response);
      for (;;) {
        sent += chunk.length;
        if (response.write(chunk)) continue;
        const drained = await Promise.race([once(response, "drain").then(() => true), sleep(1_000, false)]);
        if (!drained) break;
      }
      stalled.resolve();
    };
    const stream = await open(callTool("allowed-unread"), bearer(reader));
    stream.pause();
    await stalled.promise;
    const read = stream.socket.bytesRead; // Before it was told to stop.
    stream.destroy();
    expect(sent - read).toBeLessThan(64 * MEGABYTE);
  });

  async function residentBytes(): Promise<number> {
    const metrics = await stack.toolgate.admin("/metrics");
    return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]);
  }
});

describeWithEnvoy("a stream that is resumed", () => {
  test("shows no more of an old list than the list itself would", async () => {
    await using everything = await startEverything();
    await using server = await startStack({ policies: POLICIES, upstreamPort: everything.port });
    const token = await server.token("reader");
    const initialize = rpc("initialize", {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "raw", version: "1" },
    });
    const begun = await ask(server.gateway.url, { token, body: initialize });
    const headers = { "mcp-session-id": String(begun.headers["mcp-session-id"]), "mcp-protocol-version": "2025-06-18" };
    const [firstEvent] = /(?<=^id: ).*$/m.exec(begun.text) ?? [];
    expect(firstEvent).toBeDefined();
    await ask(server.gateway.url, { token, headers, body: '{"jsonrpc":"2.0","method":"notifications/initialized"}' });
    const list = await ask(server.gateway.url, { token, headers, body: rpc("tools/list") });
    expect(list.text).toContain('"name":"echo"');
    expect(list.text).not.toContain("get-env");

    const replayed = Promise.withResolvers<string>();
    const resumed = request(server.gateway.url, {
      headers: {
        ...headers,
        authorization: `Bearer ${token}`,
        accept: "text/event-stream",
        "last-event-id": String(firstEvent),
      },
    });
    resumed.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
        if (/"tools":\[.*\n\n/s.test(text)) replayed.resolve(text);
      });
      response.on("error", () => {});
    });
    resumed.on("error", () => {}).end();
    const text = await replayed.promise;
    resumed.destroy();
    expect(text).toContain('"name":"echo"');
    expect(text).not.toContain("get-env");
  });
});
