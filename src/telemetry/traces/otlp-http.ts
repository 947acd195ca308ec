/** OTLP over HTTP, in protobuf: OpenTelemetry's own exporter, which tries again while a collector is only busy. */
import { ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import type { Exporter } from "./span-queue.ts";

/** `endpoint`: the collector's base URL, to which the path of traces is added (OTLP, "Endpoint URLs for OTLP/HTTP"). */
export function createHttpExporter(endpoint: string, timeoutMillis: number): Exporter {
  const url = `${endpoint.replace(/\/$/, "")}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis });
  return {
    send: (spans) =>
      new Promise((resolve, reject) => {
        exporter.export([...spans], ({ code, error }) => {
          if (code === ExportResultCode.SUCCESS) resolve();
          else reject(error ?? new Error("the collector has not taken them"));
        });
      }),
    close: () => exporter.shutdown(),
  };
}
