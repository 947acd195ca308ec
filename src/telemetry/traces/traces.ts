/**
 * Traces: one span a call, by OpenTelemetry's MCP conventions, sent to a collector over OTLP. A reader of records like the
 * others. It is loaded only when traces are on: it costs 25 MB and a tenth of a second.
 */
import { randomUUID } from "node:crypto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { StartSpans } from "../../core/exchange/call-trace.ts";
import type { ExchangeRecord } from "../../core/exchange/record.ts";
import type { SpanCounts } from "../span-metrics.ts";
import type { Telemetry } from "../telemetry.ts";
import { CONVENTIONS } from "./conventions.ts";
import { createGrpcExporter } from "./otlp-grpc.ts";
import { createHttpExporter } from "./otlp-http.ts";
import { createBudget, createStartSpans, newIds } from "./sampling.ts";
import { createSpanQueue } from "./span-queue.ts";
import type { Exporter } from "./span-queue.ts";
import { errorType, spansOf } from "./spans.ts";
import type { Maker } from "./spans.ts";

export type TracesOptions = {
  readonly version: string;
  readonly mode: "observe" | "participate";
  /** Of the calls whose caller has no trace, the share that gets one. */
  readonly ratio: number;
  readonly exporter: Exporter;
  readonly onFault: (error: Error) => void;
};

export type Traces = Telemetry & {
  /** For who can change a request on its way. */
  readonly startSpans: StartSpans;
  /** For who cannot. */
  readonly observeSpans: StartSpans;
  /** Gives spans to a few denials and errors that nobody samples: before any reader has them, so that all name the trace. */
  readonly sampleFailure: (record: ExchangeRecord) => ExchangeRecord;
  counts(): SpanCounts;
  /** Sends what is left; takes two seconds at most. */
  close(): Promise<void>;
};

/** Denials and errors that nobody samples, so many a second. */
const FAILURES_PER_SECOND = 5;
const EXPORT_TIMEOUT_MS = 5_000;

export function createTraces({ version, mode, ratio, exporter, onFault }: TracesOptions): Traces {
  const queue = createSpanQueue({ exporter, onFault });
  const budget = createBudget(FAILURES_PER_SECOND);
  const maker: Maker = {
    resource: resourceFromAttributes({
      [CONVENTIONS.SERVICE]: "toolgate",
      [CONVENTIONS.SERVICE_VERSION]: version,
      [CONVENTIONS.SERVICE_INSTANCE]: randomUUID(),
    }),
    instrumentationScope: { name: "toolgate", version },
  };
  return {
    startSpans: createStartSpans({ ratio }, mode === "participate"),
    observeSpans: createStartSpans({ ratio }, false),
    sampleFailure(record) {
      const { id, trace } = record;
      // What gets no answer has no span.
      if (trace?.spans !== undefined || id === undefined || errorType(record) === "" || !budget.take()) return record;
      const spans = newIds(trace?.parent, false);
      return { ...record, trace: { parent: undefined, linked: undefined, ...trace, traceId: spans.traceId, spans } };
    },
    record(record) {
      const ids = record.trace?.spans;
      if (ids !== undefined) queue.push(spansOf(record, ids, maker));
    },
    counts: () => queue.counts(),
    close: () => queue.close(),
  };
}

/** `endpoint` empty: a collector on this machine, at the port that OTLP has for it. */
export function createExporter(protocol: "grpc" | "http", endpoint: string): Exporter {
  return protocol === "grpc"
    ? createGrpcExporter(endpoint === "" ? "http://127.0.0.1:4317" : endpoint, EXPORT_TIMEOUT_MS)
    : createHttpExporter(endpoint === "" ? "http://127.0.0.1:4318" : endpoint, EXPORT_TIMEOUT_MS);
}
