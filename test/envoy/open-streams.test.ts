/**
 * 10,000 event streams that have begun and then idle, on one Toolgate behind a real Envoy. HTTP/2 on both sides of Envoy:
 * 10,000 streams are then some connections, and not 20,000 sockets.
 */
import { once } from "node:events";
import { connect, createServer } from "node:http2";
import type { ClientHttp2Session, ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { Message } from "./canary.ts";
import type { Node } from "./gateway.ts";
import { ask, callTool, postOverHttp2 } from "./http.ts";
import { MEASURED, memoryOf, metric, untilMetric } from "./measured.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";

const CONNECTIONS = 100;
/** No more than any HTTP/2 proxy lets a client have. */
const STREAMS_PER_CONNECTION = 100;
const STREAMS = CONNECTIONS * STREAMS_PER_CONNECTION;

/** What one open stream may cost: about twice what was measured (15 to 20 kB, 6 kB). */
const RESIDENT_BYTES_PER_STREAM = 40_000;
const LIVE_BYTES_PER_STREAM = 12_000;
/** What may stay of it, after its end: compiled code and tables that have grown (0.7 kB after the first 10,000). */
const LEFT_BYTES_PER_STREAM = 1_500;

/** An MCP server that begins an event stream for the tool `allowed-idle`, and leaves it there. */
async function startIdleServer() {
  const executed: string[] = [];
  const server = createServer({ settings: { maxConcurrentStreams: STREAMS } });
  server.on("stream", (stream) => void answer(stream));
  async function answer(stream: ServerHttp2Stream): Promise<void> {
    stream.on("error", () => {});
    const { id, params } = JSON.parse(await text(stream)) as Message;
    const name = String(params?.["name"]);
    executed.push(name);
    if (name === "allowed-idle") {
      stream.respond({ ":status": 200, "content-type": "text/event-stream" });
      stream.write(
        'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}\n\n',
      );
    } else {
      stream.respond({ ":status": 200, "content-type": "application/json" });
      stream.end(
        JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text: `done: ${name}` }] } }),
      );
    }
  }
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    executed,
    [Symbol.asyncDispose]: async () => void (await new Promise((resolve) => server.close(resolve))),
  };
}

/** Envoy's defaults allow 1,024 requests at a time to a server, and speak HTTP/1.1 to it. */
function toManyOverHttp2(config: Node): void {
  const { clusters } = config["static_resources"] as { clusters: readonly Node[] };
  const [toolgate, server] = clusters;
  if (toolgate === undefined || server === undefined) throw new Error("the configuration has no two clusters");
  server["circuit_breakers"] = toolgate["circuit_breakers"];
  server["typed_extension_protocol_options"] = toolgate["typed_extension_protocol_options"];
}

/** Resolves when the first event has come, and reads on. */
async function openStream(session: ClientHttp2Session, token: string): Promise<void> {
  const stream = postOverHttp2(session, { token, body: callTool("allowed-idle") });
  const [event] = (await once(stream, "data")) as [Buffer];
  expect(String(event)).toContain("notifications/progress");
  stream.on("error", () => {}).resume();
}

describeWithEnvoy("10,000 open streams on one process", () => {
  test("cost a bounded memory each, which comes back, and do not keep new calls from being decided", async () => {
    await using server = await startIdleServer();
    await using stack = await startStack({
      policies: CANARY_POLICIES,
      upstreamPort: server.port,
      change: toManyOverHttp2,
      flags: ["--max-streams", String(STREAMS + 1)],
      env: MEASURED,
    });
    const { toolgate, gateway } = stack;
    const token = await stack.token("reader");
    const call = async (name: string) => (await ask(gateway.url, { token, body: callTool(name) })).text;
    await call("allowed-one");
    const before = await memoryOf(toolgate);

    // The second time shows that nothing adds up.
    for (const round of [1, 2]) {
      const sessions = Array.from({ length: CONNECTIONS }, () => connect(gateway.url.origin));
      for (const session of sessions)
        await Promise.all(Array.from({ length: STREAMS_PER_CONNECTION }, () => openStream(session, token)));
      expect(await metric(toolgate, "toolgate_open_exchanges")).toBe(STREAMS);
      const during = await memoryOf(toolgate);
      expect(during.residentBytes - before.residentBytes).toBeLessThan(STREAMS * RESIDENT_BYTES_PER_STREAM);
      expect(during.liveBytes - before.liveBytes).toBeLessThan(STREAMS * LIVE_BYTES_PER_STREAM);

      server.executed.length = 0;
      expect(await call("allowed-two")).toContain("done: allowed-two");
      expect(await call("hidden-one")).toContain("Blocked by policy");
      expect(server.executed).toEqual(["allowed-two"]);

      for (const session of sessions) session.destroy();
      await untilMetric(toolgate, "toolgate_open_exchanges", 0);
      const after = await memoryOf(toolgate);
      expect(after.liveBytes - before.liveBytes).toBeLessThan(STREAMS * LEFT_BYTES_PER_STREAM);
      expect(await metric(toolgate, "toolgate_held_bytes")).toBe(0);
      expect(await metric(toolgate, "toolgate_requests_total", { result: "cancelled" })).toBe(round * STREAMS);
    }
    expect(toolgate.log.filter(({ level }) => level === "error")).toEqual([]);
  });
});
