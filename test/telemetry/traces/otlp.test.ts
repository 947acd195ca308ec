import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { Http2Server, ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { buffer } from "node:stream/consumers";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { afterEach, describe, expect, test } from "vitest";
import { createGrpcExporter } from "../../../src/telemetry/traces/otlp-grpc.ts";
import { createHttpExporter } from "../../../src/telemetry/traces/otlp-http.ts";
import type { Exporter } from "../../../src/telemetry/traces/span-queue.ts";
import { newIds } from "../../../src/telemetry/traces/sampling.ts";
import { spansOf } from "../../../src/telemetry/traces/spans.ts";
import { record } from "../records.ts";

const MAKER = { resource: resourceFromAttributes({}), instrumentationScope: { name: "toolgate" } };
const SPANS = spansOf(record(), newIds(undefined, false), MAKER);
const TIMEOUT_MS = 2_000;
/** For what has to come in time however busy the machine is. */
const PATIENCE_MS = 20_000;

let server: Server | undefined;
const exporters: Exporter[] = [];
/** Closed after the test, before its collector. */
function kept(exporter: Exporter): Exporter {
  exporters.push(exporter);
  return exporter;
}
afterEach(async () => {
  for (const exporter of exporters.splice(0)) await exporter.close();
  if (server === undefined) return;
  const closed = once(server, "close");
  server.close();
  await closed;
  server = undefined;
});

async function listen(listening: Server): Promise<string> {
  server = listening;
  await once(listening.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

describe("createGrpcExporter()", () => {
  /** A collector that does this with each call. */
  const collector = (answer: (stream: ServerHttp2Stream, path: string | undefined) => void): Promise<string> => {
    const http2: Http2Server = createHttp2Server();
    http2.on("stream", (stream, headers) =>
      answer(
        stream.on("error", () => {}),
        headers[":path"],
      ),
    );
    return listen(http2);
  };
  const ok = (stream: ServerHttp2Stream, status = "0"): void => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status, "grpc-message": "why" }));
    stream.end(Buffer.alloc(5));
  };

  test("sends one message to the service of OTLP, and resolves when it says OK", async () => {
    const calls: (readonly [string | undefined, Buffer])[] = [];
    const url = await collector((stream, path) => {
      const read = async (): Promise<void> => {
        calls.push([path, await buffer(stream)]);
        ok(stream);
      };
      void read();
    });
    const exporter = kept(createGrpcExporter(url, PATIENCE_MS));
    await exporter.send(SPANS);
    await exporter.send(SPANS);
    expect(calls.map(([path]) => path)).toEqual(
      Array.from({ length: 2 }, () => "/opentelemetry.proto.collector.trace.v1.TraceService/Export"),
    );
    const [, body] = calls[0] ?? ["", Buffer.alloc(0)];
    expect([body.readUInt8(0), body.readUInt32BE(1)]).toEqual([0, body.length - 5]);
    expect(body.includes("tools/call echo")).toBe(true);
  });

  test("says which status the collector has answered with, in trailers or in headers", async () => {
    let calls = 0;
    const url = await collector((stream) => {
      calls++;
      if (calls === 1) ok(stream, "14");
      else stream.respond({ ":status": 200, "grpc-status": "8" }, { endStream: true });
    });
    const exporter = kept(createGrpcExporter(url, PATIENCE_MS));
    await expect(exporter.send(SPANS)).rejects.toThrow("gRPC status 14 why");
    await expect(exporter.send(SPANS)).rejects.toThrow("gRPC status 8");
  });

  test("takes an answer without a status for none", async () => {
    const url = await collector((stream) => {
      stream.respond({ ":status": 404 });
      stream.end();
    });
    await expect(kept(createGrpcExporter(url, PATIENCE_MS)).send(SPANS)).rejects.toThrow("gRPC status none");
  });

  test("says so when the connection ends without an answer, as on a port that wants TLS", async () => {
    const url = await collector((stream) => stream.session?.destroy());
    const exporter = kept(createGrpcExporter(url, PATIENCE_MS));
    await expect(exporter.send(SPANS)).rejects.toThrow("ended the connection without an answer");
  });

  test("gives up on a collector that does not answer, and asks the next time on another connection", async () => {
    let calls = 0;
    const url = await collector((stream) => {
      calls++;
      if (calls > 1) ok(stream);
    });
    let connections = 0;
    server?.on("session", () => connections++);
    const exporter = kept(createGrpcExporter(url, TIMEOUT_MS));
    await expect(exporter.send(SPANS)).rejects.toThrow(`has not answered in ${TIMEOUT_MS} ms`);
    await exporter.send(SPANS);
    expect([calls, connections]).toEqual([2, 2]);
  });

  test("rejects when nobody listens, and connects again when somebody does", async () => {
    const url = await collector((stream) => ok(stream));
    const port = Number(new URL(url).port);
    const gone = once(server as Server, "close");
    server?.close();
    await gone;
    const exporter = kept(createGrpcExporter(url, PATIENCE_MS));
    await expect(exporter.send(SPANS)).rejects.toThrow("ECONNREFUSED");
    const back = createHttp2Server().on("stream", (stream) => ok(stream));
    server = back;
    await once(back.listen(port, "127.0.0.1"), "listening");
    await exporter.send(SPANS);
  });
});

describe("createHttpExporter()", () => {
  /** A collector that answers with this status; what it was asked. */
  async function collector(status: number) {
    const asked: { readonly path: string | undefined; readonly type: string | undefined; readonly body: Buffer }[] = [];
    const http = createServer((request, response) => {
      const read = async (): Promise<void> => {
        asked.push({ path: request.url, type: request.headers["content-type"], body: await buffer(request) });
        response.writeHead(status, { connection: "close" }).end();
      };
      void read();
    });
    return { url: await listen(http), asked };
  }

  test.each(["", "/", "/base", "/base/"])("sends protobuf to the path of traces below %j", async (path) => {
    const { url, asked } = await collector(200);
    const exporter = kept(createHttpExporter(`${url}${path}`, PATIENCE_MS));
    await exporter.send(SPANS);
    expect(asked).toMatchObject([{ path: `${path.replace(/\/$/, "")}/v1/traces`, type: "application/x-protobuf" }]);
    expect(asked[0]?.body.includes("tools/call echo")).toBe(true);
  });

  test("rejects what the collector does not take", async () => {
    const { url } = await collector(400);
    const exporter = kept(createHttpExporter(url, PATIENCE_MS));
    await expect(exporter.send(SPANS)).rejects.toThrow();
  });
});
