/**
 * OTLP over gRPC: one call of `TraceService/Export` a batch, on one connection that is made when it is needed. Our own, as
 * OpenTelemetry's exporter for it brings 48 packages more than the one for HTTP; what is sent is written by its serializer.
 */
import { connect, constants } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { Exporter } from "./span-queue.ts";

const PATH = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const PREFIX_BYTES = 5;
const GRPC_OK = "0";

export function createGrpcExporter(endpoint: string, timeoutMs: number): Exporter {
  let session: ClientHttp2Session | undefined;
  const open = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    session = connect(endpoint);
    // What it says is also said to the call that waits.
    session.on("error", () => {});
    session.unref();
    return session;
  };
  return {
    async send(spans) {
      const message = ProtobufTraceSerializer.serializeRequest([...spans]);
      if (message === undefined) throw new Error("the spans could not be written down");
      await call(open(), message, timeoutMs);
    },
    async close() {
      session?.destroy();
    },
  };
}

/** Resolves when the collector says OK. */
function call(session: ClientHttp2Session, message: Uint8Array, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": PATH,
      te: "trailers",
      "content-type": "application/grpc",
      "grpc-timeout": `${timeoutMs}m`,
    });
    const timer = setTimeout(() => {
      stream.close(constants.NGHTTP2_CANCEL);
      // Who did not answer this one is not asked again on the same connection.
      session.destroy();
      reject(new Error(`the collector has not answered in ${timeoutMs} ms`));
    }, timeoutMs);
    /** Undefined: no answer has come. */
    let status: string | undefined;
    let said = "";
    const read = (headers: IncomingHttpHeaders): void => {
      status = text(headers["grpc-status"]) ?? status ?? "none";
      said = text(headers["grpc-message"]) ?? said;
    };
    stream.on("response", read);
    stream.on("trailers", read);
    stream.on("error", reject);
    stream.on("close", () => {
      clearTimeout(timer);
      if (status === GRPC_OK) resolve();
      else if (status === undefined) reject(new Error("the collector has ended the connection without an answer"));
      else reject(new Error(`the collector has answered with gRPC status ${status} ${said}`.trim()));
    });
    // Which spans were not taken is in there; a collector that takes none of them does not say OK.
    stream.resume();
    stream.end(framed(message));
  });
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

const text = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === "string" ? value : value?.[0];
