/**
 * Event streams that have begun and then idle, by the thousand. HTTP/2 on both sides of Envoy: they are then some
 * connections, and not two sockets each.
 */
import { once } from "node:events";
import { createServer } from "node:http2";
import type { ClientHttp2Session, ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect } from "vitest";
import type { Message } from "./canary.ts";
import type { Node } from "./gateway.ts";
import { callTool, postOverHttp2 } from "./http.ts";

/** No more than any HTTP/2 proxy lets a client have. */
export const STREAMS_PER_CONNECTION = 100;

/** An MCP server that begins an event stream for the tool `allowed-idle`, and leaves it there. */
export async function startIdleServer() {
  const executed: string[] = [];
  const server = createServer({ settings: { maxConcurrentStreams: 100_000 } });
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
export function toManyOverHttp2(config: Node): void {
  const { clusters } = config["static_resources"] as { clusters: readonly Node[] };
  const [toolgate, server] = clusters;
  if (toolgate === undefined || server === undefined) throw new Error("the configuration has no two clusters");
  server["circuit_breakers"] = toolgate["circuit_breakers"];
  server["typed_extension_protocol_options"] = toolgate["typed_extension_protocol_options"];
}

/** Resolves when the first event has come, and reads on. */
export async function openStream(session: ClientHttp2Session, token: string): Promise<void> {
  const stream = postOverHttp2(session, { token, body: callTool("allowed-idle") });
  const [event] = (await once(stream, "data")) as [Buffer];
  expect(String(event)).toContain("notifications/progress");
  stream.on("error", () => {}).resume();
}
