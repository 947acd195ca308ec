/** Spans of calls through a real Envoy, as a real OpenTelemetry Collector has written them down. */
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { answerTo, Canary, sendJson } from "./canary.ts";
import { CLIENT, Collector, describeWithCollector, ERROR, SERVER } from "./collector/collector.ts";
import type { Span } from "./collector/collector.ts";
import { freePort } from "./free-port.ts";
import { extProcFilter } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { ask } from "./http.ts";
import type { Reply } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { connectV2, connectModern } from "./sdk-clients.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const REVISION = "2026-07-28";
const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";

/** A context of a caller, of its own trace. */
function newParent(flags = "01") {
  const traceId = randomBytes(16).toString("hex");
  const spanId = randomBytes(8).toString("hex");
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
}

type Call = {
  readonly name?: string;
  readonly meta?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly id?: number | string;
};

let collector: Collector;
let canary: Canary;
let stack: Stack;
let reader: string;

const bodyOf = ({ name = "allowed-one", meta, id = 7 }: Call): string =>
  JSON.stringify({
    jsonrpc: "2.0",
    id,
    method: "tools/call",
    params: { name, arguments: {}, ...(meta && { _meta: meta }) },
  });

/** A tool call of the legacy era. */
const call = (given: Call): Promise<Reply> =>
  ask(stack.gateway.url, { token: reader, headers: given.headers ?? {}, body: bodyOf(given) });

/** The SERVER span of a call that has this parent in its `_meta`. */
async function traced(given: Omit<Call, "meta"> = {}): Promise<Span> {
  const { traceId, traceparent } = newParent();
  await call({ ...given, meta: { traceparent } });
  const [span] = await collector.trace(traceId);
  if (span === undefined) throw new Error("there is no span");
  return span;
}

async function start(...flags: readonly string[]): Promise<void> {
  canary = await Canary.start();
  const change = (config: Node): void => {
    const filter = extProcFilter(config);
    filter["request_attributes"] = [...(filter["request_attributes"] as readonly string[]), "source.address"];
  };
  stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port, flags, change });
  reader = await stack.token("reader");
}
async function stop(): Promise<void> {
  await stack[Symbol.asyncDispose]();
  await canary[Symbol.asyncDispose]();
}

/** What `toolgate_spans_total` says of a state. */
async function spansTotal(state: string): Promise<number> {
  const line = new RegExp(`^toolgate_spans_total\\{state="${state}"\\} (\\d+)$`, "m");
  return Number(line.exec(await stack.toolgate.admin("/metrics"))?.[1]);
}

describeWithCollector("traces", () => {
  beforeAll(async () => {
    collector = await Collector.start();
  });
  afterAll(() => collector[Symbol.asyncDispose]());

  describe.each(["http", "grpc"] as const)("sent over OTLP and %s, observing", (protocol) => {
    beforeAll(() =>
      start("--traces", "observe", "--otlp-protocol", protocol, "--otlp-endpoint", collector.endpoints[protocol]),
    );
    afterAll(stop);
    afterEach(() => canary.forget());

    test("a call is one SERVER span, with its parent from `_meta`, and the header's context linked", async () => {
      const [meta, http] = [newParent(), newParent()];
      const before = Date.now();
      const headers = { traceparent: http.traceparent, "mcp-session-id": "s-1", "mcp-protocol-version": "2025-11-25" };
      await call({ meta: { traceparent: meta.traceparent, tracestate: "vendor=1" }, headers, id: "a-1" });
      const spans = await collector.trace(meta.traceId);
      expect(spans).toHaveLength(1);
      expect(spans).toMatchObject([
        {
          name: "tools/call allowed-one",
          kind: SERVER,
          parentSpanId: meta.spanId,
          traceState: "vendor=1",
          status: {},
          links: [{ traceId: http.traceId, spanId: http.spanId }],
          resource: { "service.name": "toolgate" },
        },
      ]);
      expect(spans[0]?.attributes).toEqual({
        "mcp.method.name": "tools/call",
        "mcp.protocol.version": "2025-11-25",
        "mcp.session.id": "s-1",
        "gen_ai.tool.name": "allowed-one",
        "gen_ai.operation.name": "execute_tool",
        "jsonrpc.request.id": "a-1",
        "client.address": "127.0.0.1",
        "client.port": { intValue: expect.stringMatching(/^[0-9]+$/) },
        "network.transport": "tcp",
        "network.protocol.name": "http",
        "security_rule.name": "reader-rule",
        "security_rule.ruleset.name": "tools/for-reader",
        "event.action": "allow",
        "event.outcome": "success",
        "toolgate.server": "tools/canary",
        "toolgate.caller": expect.any(String),
        "toolgate.decision": "allow",
        "toolgate.policy.mode": "Enforce",
        "toolgate.outcome": "ok",
      });
      const [startMs, endMs] = [spans[0]?.startTimeUnixNano, spans[0]?.endTimeUnixNano].map((ns) => Number(ns) / 1e6);
      expect(startMs).toBeGreaterThanOrEqual(before - 1);
      expect(endMs).toBeGreaterThan(startMs ?? Infinity);
      expect(endMs).toBeLessThanOrEqual(Date.now() + 1);
      // Observing, the server gets the bytes that came.
      expect(canary.executed[0]?.params?.["_meta"]).toEqual({ traceparent: meta.traceparent, tracestate: "vendor=1" });
    });

    test("without a context in `_meta` the header's is the parent", async () => {
      const http = newParent();
      await call({ headers: { traceparent: http.traceparent } });
      const [span] = await collector.trace(http.traceId);
      expect(span).toMatchObject({ parentSpanId: http.spanId });
      expect(span?.links ?? []).toEqual([]);
    });

    test("an answer in an event stream ends the span with its outcome", async () => {
      canary.answer = (message, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.end(`data: ${answerTo(message)}\n\n`);
      };
      expect(await traced()).toMatchObject({ status: {}, attributes: { "toolgate.outcome": "ok" } });
    });

    test("a tool's own error is an error: tool_error", async () => {
      canary.answer = ({ id }, response) =>
        sendJson(response, JSON.stringify({ jsonrpc: "2.0", id, result: { content: [], isError: true } }));
      expect(await traced()).toMatchObject({
        status: { code: ERROR },
        attributes: { "error.type": "tool_error", "event.outcome": "failure", "event.action": "allow" },
      });
    });

    test("an error of JSON-RPC is an error with its code", async () => {
      canary.answer = ({ id }, response) =>
        sendJson(response, JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32_602, message: "no" } }));
      expect(await traced()).toMatchObject({
        status: { code: ERROR },
        attributes: { "error.type": "-32602", "rpc.response.status_code": "-32602", "toolgate.outcome": "rpc_error" },
      });
    });

    test("a denial is an error that names the rule and says what the caller was told", async () => {
      const span = await traced({ name: "hidden-one" });
      expect(span).toMatchObject({
        name: "tools/call hidden-one",
        status: { code: ERROR, message: expect.stringMatching(/^Blocked by policy: .*hidden-one/) },
        attributes: {
          "error.type": "no-rule-allows",
          "security_rule.name": "default-deny",
          "event.action": "deny",
          "event.outcome": "failure",
          "toolgate.outcome": "denied",
        },
      });
      expect(canary.touched).toBe(0);
    });

    test("a caller who leaves has cancelled the call", async () => {
      const { traceId, traceparent } = newParent();
      const arrived = Promise.withResolvers<void>();
      canary.answer = () => arrived.resolve();
      const headers = {
        "content-type": "application/json",
        accept: "application/json",
        authorization: `Bearer ${reader}`,
      };
      const outgoing = request(stack.gateway.url, { method: "POST", headers });
      outgoing.on("error", () => {}).end(bodyOf({ meta: { traceparent } }));
      await arrived.promise;
      outgoing.destroy();
      const [span] = await collector.trace(traceId);
      expect(span).toMatchObject({ status: { code: ERROR }, attributes: { "error.type": "cancelled" } });
    });

    test("a call of 2026-07-28 is in no session", async () => {
      const { traceId, traceparent } = newParent();
      const headers = { "mcp-protocol-version": REVISION, "mcp-method": "tools/call", "mcp-name": "allowed-one" };
      await call({ meta: { traceparent, [VERSION_KEY]: REVISION }, headers: { ...headers, "mcp-session-id": "s-1" } });
      const [span] = await collector.trace(traceId);
      expect(span?.attributes).toMatchObject({ "mcp.protocol.version": REVISION });
      expect(span?.attributes).not.toHaveProperty("mcp.session.id");
    });

    test("notifications have no span, and calls that are not sampled have none unless they fail", async () => {
      const [notified, unsampled, failed] = [newParent(), newParent("00"), newParent("00")];
      const notification = {
        jsonrpc: "2.0",
        method: "notifications/initialized",
        params: { _meta: { traceparent: notified.traceparent } },
      };
      await ask(stack.gateway.url, { token: reader, body: JSON.stringify(notification) });
      await call({ meta: { traceparent: unsampled.traceparent } });
      await call({});
      await call({ meta: { traceparent: failed.traceparent }, name: "hidden-one" });
      expect(await collector.trace(failed.traceId)).toMatchObject([{ parentSpanId: failed.spanId }]);
      const traces = (await collector.spans()).map(({ traceId }) => traceId);
      expect(traces).not.toContain(notified.traceId);
      expect(traces).not.toContain(unsampled.traceId);
    });

    test("the trace of a denial that nobody samples is named by the decision log and as an exemplar", async () => {
      await call({ name: "hidden-alone" });
      const { trace_id: traceId } = await stack.toolgate.decision({ tool: "hidden-alone" });
      expect(await collector.trace(String(traceId))).toMatchObject([{ name: "tools/call hidden-alone" }]);
      const metrics = await fetch(stack.toolgate.adminAt("/metrics"), {
        headers: { accept: "application/openmetrics-text" },
      });
      expect(await metrics.text()).toContain(`trace_id="${String(traceId)}"`);
    });

    test("what was sent is counted, and nothing is lost", async () => {
      await traced();
      // The collector has it before it says so.
      await stack.toolgate.program.until("spans that are sent", async () =>
        (await spansTotal("exported")) > 0 ? true : undefined,
      );
      expect([await spansTotal("dropped"), await spansTotal("failed")]).toEqual([0, 0]);
    });
  });

  describe("participating, with every call sampled", () => {
    beforeAll(() =>
      start("--traces", "participate", "--trace-sampling", "1", "--otlp-endpoint", collector.endpoints.http),
    );
    afterAll(stop);
    afterEach(() => canary.forget());

    /** The context that the server got with this call. */
    function received(place = 0): readonly [traceId: string, spanId: string] {
      const meta = canary.executed[place]?.params?.["_meta"] as { readonly traceparent?: string } | undefined;
      const [, traceId = "", spanId = "", flags] = meta?.traceparent?.split("-") ?? [];
      expect(flags).toBe("01");
      return [traceId, spanId];
    }

    test("the server's parent is our CLIENT span, whose parent is our SERVER span, whose parent is the caller", async () => {
      const caller = newParent();
      const meta = { progressToken: 1, traceparent: caller.traceparent, tracestate: "vendor=1" };
      const { status } = await call({ meta });
      expect(status).toBe(200);
      const [traceId, spanId] = received();
      expect(traceId).toBe(caller.traceId);
      const [server, client] = await collector.trace(traceId, 2);
      expect(server).toMatchObject({ kind: SERVER, parentSpanId: caller.spanId });
      expect(client).toMatchObject({ kind: CLIENT, spanId, parentSpanId: server?.spanId, name: server?.name });
      const [began, sent] = [server, client].map((span) => BigInt(span?.startTimeUnixNano ?? 0));
      expect(sent).toBeGreaterThan(began ?? sent ?? 0n);
      expect(client?.endTimeUnixNano).toBe(server?.endTimeUnixNano);
      const [seen] = canary.seen;
      const traceparent = `00-${traceId}-${spanId}-01`;
      // Nothing else has changed, and the length is right.
      const expected = bodyOf({ meta: { progressToken: 1, traceparent, tracestate: "vendor=1" } });
      expect([seen?.body, seen?.headers["content-length"]]).toEqual([expected, String(expected.length)]);
    });

    test("a call without a context begins a trace, and the server is told of it", async () => {
      await call({});
      const [traceId, spanId] = received();
      const [server, client] = await collector.trace(traceId, 2);
      expect(server).toMatchObject({ kind: SERVER });
      expect(server).not.toHaveProperty("parentSpanId");
      expect(client).toMatchObject({ kind: CLIENT, spanId });
    });

    test("the SDKs of both eras get along with it", async () => {
      for (const connect of [connectV2, connectModern]) {
        canary.forget();
        await using session = await connect(stack.gateway.url, reader);
        expect((await session.page("tools")).names).toEqual(["allowed-one", "allowed-two"]);
        expect(await session.callTool("allowed-one")).toEqual({ isError: false, text: "done: allowed-one" });
        const place = canary.executed.findIndex(({ method }) => method === "tools/call");
        const [server] = await collector.trace(received(place)[0], 2);
        expect(server).toMatchObject({ name: "tools/call allowed-one", attributes: { "toolgate.outcome": "ok" } });
      }
    });

    test("what is denied has a SERVER span alone", async () => {
      const { traceId, traceparent } = newParent();
      await call({ meta: { traceparent }, name: "hidden-one" });
      expect(await collector.trace(traceId)).toMatchObject([{ kind: SERVER, status: { code: ERROR } }]);
      await traced(); // Later than the one that is not there.
      expect(await collector.trace(traceId)).toHaveLength(1);
    });
  });

  describe.each(["http", "grpc"])("to a collector that is gone, over %s", (protocol) => {
    beforeAll(async () => {
      const endpoint = `http://127.0.0.1:${await freePort()}`;
      await start(
        "--traces",
        "observe",
        "--otlp-protocol",
        protocol,
        "--otlp-endpoint",
        endpoint,
        "--trace-sampling",
        "1",
      );
    });
    afterAll(stop);

    test("calls go on, spans are lost and counted, and the end is not held up", async () => {
      for (let i = 0; i < 3; i++) expect((await call({})).status).toBe(200);
      await stack.toolgate.program.until("spans that are lost", async () =>
        (await spansTotal("failed")) === 3 ? true : undefined,
      );
      await stack.toolgate.says("spans are lost");
      expect(stack.toolgate.log.filter(({ msg }) => /spans are lost/.test(String(msg)))).toHaveLength(1);
      expect((await call({})).status).toBe(200);
      stack.toolgate.program.signal("SIGTERM");
      expect(await stack.toolgate.program.exitCode()).toBe(0);
    });
  });
});
