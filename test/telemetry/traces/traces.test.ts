import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { describe, expect, test } from "vitest";
import type { CallTrace } from "../../../src/core/exchange/call-trace.ts";
import type { ExchangeRecord } from "../../../src/core/exchange/record.ts";
import type { Id } from "../../../src/core/jsonrpc/message.ts";
import { fanOut } from "../../../src/telemetry/telemetry.ts";
import type { Telemetry } from "../../../src/telemetry/telemetry.ts";
import { createTraces } from "../../../src/telemetry/traces/traces.ts";
import { TRACE_ID } from "../../fixtures/traces.ts";
import { denied, record } from "../records.ts";
import { create } from "../samples.ts";

const ID = "7" as Id;
const PARENT = { traceId: TRACE_ID, spanId: "3".repeat(16), isSampled: false, state: undefined };
const UNSAMPLED: CallTrace = { traceId: undefined, parent: PARENT, linked: undefined, spans: undefined };

/** The spans that come of these records, of which `reader` hears first. */
async function spansFor(
  records: readonly ExchangeRecord[],
  reader: Telemetry = { record() {} },
): Promise<readonly ReadableSpan[]> {
  const sent: ReadableSpan[] = [];
  const exporter = { send: async (spans: readonly ReadableSpan[]) => void sent.push(...spans), close: async () => {} };
  const onFault = (error: Error): never => {
    throw error;
  };
  const traces = createTraces({ version: "1", mode: "observe", ratio: 0, exporter, onFault });
  const telemetry = fanOut([reader, traces], traces.sampleFailure);
  for (const one of records) telemetry.record(one);
  await traces.close();
  expect(traces.counts()).toEqual({ exported: sent.length, dropped: 0, failed: 0 });
  return sent;
}

describe("createTraces()", () => {
  test("makes the spans that were begun when the call was judged", async () => {
    const ids = { traceId: TRACE_ID, server: "1".repeat(16), client: "2".repeat(16) };
    const spans = await spansFor([record({ id: ID, trace: { ...UNSAMPLED, spans: ids } })]);
    expect(spans.map((span) => span.spanContext().spanId)).toEqual([ids.server, ids.client]);
  });

  test("makes none of what is not sampled and goes well", async () => {
    expect(await spansFor([record({ id: ID }), record({ id: ID, trace: UNSAMPLED })])).toEqual([]);
  });

  test("makes some of what fails, in its caller's trace, and five of a flood", async () => {
    const [span] = await spansFor([denied({ id: ID, trace: UNSAMPLED })]);
    expect([span?.spanContext().traceId, span?.parentSpanContext?.spanId]).toEqual([TRACE_ID, PARENT.spanId]);
    const [alone] = await spansFor([record({ id: ID, outcome: { kind: "tool_error" } })]);
    expect(alone).not.toHaveProperty("parentSpanContext");
    expect(await spansFor(Array.from({ length: 20 }, () => denied({ id: ID })))).toHaveLength(5);
  });

  test("tells all readers the trace of what fails, so that exemplars and the decision log name it", async () => {
    const metrics = create();
    const log: (string | undefined)[] = [];
    const readers = fanOut([metrics, { record: ({ trace }) => void log.push(trace?.traceId) }]);
    const failures = [denied({ id: ID }), record({ id: ID, outcome: { kind: "tool_error" }, durationMs: 15_000 })];
    const spans = await spansFor([...failures, record({ id: ID })], readers);
    const traceIds = spans.map((span) => span.spanContext().traceId);
    expect(log).toEqual([...traceIds, undefined]);
    const text = String(await metrics.expose("openmetrics"));
    const exemplars = [...text.matchAll(/trace_id="(\w+)"/g)].map(([, traceId]) => traceId);
    expect(exemplars).toEqual(traceIds);
  });

  test("makes none of what has no id: notifications, streams, what could not be read", async () => {
    expect(await spansFor([denied(), record({ outcome: { kind: "cancelled" } })])).toEqual([]);
  });

  test("says which service and which version it is", async () => {
    const [span] = await spansFor([denied({ id: ID })]);
    expect(span?.resource.attributes).toMatchObject({ "service.name": "toolgate", "service.version": "1" });
    expect(span?.instrumentationScope).toEqual({ name: "toolgate", version: "1" });
  });

  test("gives a span for the server to see only when participating, and never to who cannot change a request", () => {
    const shared = { version: "1", ratio: 1, exporter: { send: async () => {}, close: async () => {} }, onFault() {} };
    const ids = (mode: "observe" | "participate", of: "startSpans" | "observeSpans") =>
      createTraces({ ...shared, mode })[of](undefined)?.client !== undefined;
    expect([ids("observe", "startSpans"), ids("participate", "startSpans")]).toEqual([false, true]);
    expect([ids("observe", "observeSpans"), ids("participate", "observeSpans")]).toEqual([false, false]);
  });
});
