import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { describe, expect, test } from "vitest";
import type { CallTrace, SpanIds } from "../../../src/core/exchange/call-trace.ts";
import type { ExchangeRecord } from "../../../src/core/exchange/record.ts";
import type { Id } from "../../../src/core/jsonrpc/message.ts";
import type { TraceContext } from "../../../src/core/mcp/trace-context.ts";
import { createLabels } from "../../../src/telemetry/labels.ts";
import { errorType, spansOf } from "../../../src/telemetry/traces/spans.ts";
import { TRACE_ID } from "../../fixtures/traces.ts";
import { denied, record } from "../records.ts";

const MAKER = { resource: resourceFromAttributes({}), instrumentationScope: { name: "toolgate", version: "1" } };
const IDS: SpanIds = { traceId: TRACE_ID, server: "1".repeat(16), client: undefined };
const BOTH: SpanIds = { ...IDS, client: "2".repeat(16) };
const PARENT: TraceContext = { traceId: TRACE_ID, spanId: "3".repeat(16), isSampled: true, state: "a=1" };

const traceWith = (more: Partial<CallTrace>): { readonly trace: CallTrace } => ({
  trace: { traceId: TRACE_ID, parent: PARENT, linked: undefined, spans: IDS, ...more },
});
const spans = (changes: Partial<ExchangeRecord> = {}, ids: SpanIds = IDS) => spansOf(record(changes), ids, MAKER);
const attributes = (changes: Partial<ExchangeRecord>) => spans(changes)[0]?.attributes ?? {};

describe("spansOf()", () => {
  test("begins when Envoy asked and lasts as long as the call", () => {
    const [span] = spans({ startedAtMs: 1_500, durationMs: 2_250.5 });
    expect([span?.startTime, span?.endTime, span?.duration]).toEqual([
      [1, 500_000_000],
      [3, 750_500_000],
      [2, 250_500_000],
    ]);
  });

  test("has the parent, and the trace state that goes with it", () => {
    const [span] = spans(traceWith({ linked: { ...PARENT, spanId: "4".repeat(16), isSampled: false } }));
    expect(span?.kind).toBe(SpanKind.SERVER);
    expect(span?.parentSpanContext).toMatchObject({ spanId: PARENT.spanId, isRemote: true, traceFlags: 1 });
    expect(span?.spanContext()).toMatchObject({ traceId: TRACE_ID, spanId: IDS.server, traceFlags: 1 });
    expect(span?.spanContext().traceState?.serialize()).toBe("a=1");
    expect(span?.links).toMatchObject([{ context: { spanId: "4".repeat(16), traceFlags: 0 } }]);
  });

  test("has no parent when nobody has named one", () => {
    const [span] = spans();
    expect(span).not.toHaveProperty("parentSpanContext");
    expect(span?.links).toEqual([]);
  });

  test("has a CLIENT span below it when the server was told of one, and it is not about the decision", () => {
    const [server, client, ...more] = spans(traceWith({ spans: BOTH }), BOTH);
    expect(more).toEqual([]);
    expect(client).toMatchObject({ kind: SpanKind.CLIENT, name: server?.name });
    expect(client?.spanContext().spanId).toBe(BOTH.client);
    expect(client?.parentSpanContext?.spanId).toBe(IDS.server);
    expect(Object.keys(client?.attributes ?? {}).filter((name) => /^(security_rule|event)\./.test(name))).toEqual([]);
    expect(spansOf(denied(), BOTH, MAKER)).toHaveLength(1);
  });

  test("begins the CLIENT span with the decision, and ends it with the call", () => {
    const [, client] = spans({ startedAtMs: 1_000, durationMs: 30, decidedMs: 10 }, BOTH);
    expect([client?.startTime, client?.endTime, client?.duration]).toEqual([
      [1, 10_000_000],
      [1, 30_000_000],
      [0, 20_000_000],
    ]);
  });

  test.each([
    [{ target: { kind: "tool", name: "echo" } }, "tools/call echo"],
    [{ method: "prompts/get", target: { kind: "prompt", name: "p" } }, "prompts/get p"],
    // A URI would be a name for each resource.
    [{ method: "resources/read", target: { kind: "resource", name: "x:/a" } }, "resources/read"],
    [{ method: "tools/list", target: undefined }, "tools/list"],
    [{ target: { kind: "tool", name: "x".repeat(300) } }, `tools/call ${"x".repeat(255)}…`],
  ] satisfies [Partial<ExchangeRecord>, string][])("is named after the method and its target: %j", (changes, name) => {
    expect(spans(changes)[0]?.name).toBe(name);
  });

  test("says the id as text, whatever it is in JSON", () => {
    const idOf = (id: string) => attributes({ id: id as Id })["jsonrpc.request.id"];
    expect([idOf("7"), idOf('"7"'), idOf('"a\\"b"')]).toEqual(["7", "7", 'a"b']);
    expect(attributes({})).not.toHaveProperty("jsonrpc.request.id");
  });

  test("cuts what callers wrote", () => {
    const long = "x".repeat(300);
    const found = attributes({
      target: { kind: "resource", name: long },
      id: `"${long}"` as Id,
      revision: long,
      session: long,
    });
    for (const value of Object.values(found)) expect(String(value).length).toBeLessThanOrEqual(256);
  });

  test("does not cut a character in two", () => {
    const name = attributes({ target: { kind: "tool", name: "\u{1f600}".repeat(200) } })["gen_ai.tool.name"];
    expect(String(name).isWellFormed()).toBe(true);
  });

  test.each([
    ["10.0.0.1:4321", { "client.address": "10.0.0.1", "client.port": 4321 }],
    ["[2001:db8::1]:80", { "client.address": "2001:db8::1", "client.port": 80 }],
    ["/run/envoy.sock", {}],
    [undefined, {}],
  ])("has the client of %s on the SERVER span alone", (sourceAddress, expected) => {
    const clientOf = (found: object) =>
      Object.fromEntries(Object.entries(found).filter(([key]) => key.startsWith("client.")));
    const [server, client] = spans({ sourceAddress }, BOTH);
    expect(clientOf(server?.attributes ?? {})).toEqual(expected);
    expect(clientOf(client?.attributes ?? {})).toEqual({});
  });

  test("says what was let through against policy", () => {
    expect(attributes({ decision: "audit", mode: "Audit", reason: "no-rule-allows" })).toMatchObject({
      "event.action": "allow",
      "toolgate.decision": "audit",
      "toolgate.policy.mode": "Audit",
      "toolgate.reason": "no-rule-allows",
    });
  });

  test.each([
    [{ kind: "ok" }, "success", undefined],
    [{ kind: "input_required" }, "success", undefined],
    [{ kind: "unread" }, "unknown", undefined],
    [{ kind: "tool_error" }, "failure", "tool_error"],
    [{ kind: "cancelled" }, "failure", "cancelled"],
    [{ kind: "timeout" }, "failure", "timeout"],
    [{ kind: "rpc_error", code: -32_603 }, "failure", "-32603"],
  ] as const)("has the status of the outcome %j", (outcome, result, error) => {
    const [span] = spans({ outcome });
    expect(span?.status.code).toBe(error === undefined ? SpanStatusCode.UNSET : SpanStatusCode.ERROR);
    expect([span?.attributes["event.outcome"], span?.attributes["error.type"]]).toEqual([result, error]);
  });
});

test("the word for what went wrong is the one that the metrics have", () => {
  const labels = createLabels({ isNamed: () => true, onOverflow() {}, maxNamesPerServer: 9, maxCallers: 9 });
  for (const one of [
    record(),
    denied(),
    record({ outcome: { kind: "rpc_error", code: -32_602 } }),
    record({ outcome: { kind: "tool_error" } }),
    record({ outcome: { kind: "transport_error" } }),
    record({ outcome: { kind: "rejected" }, httpStatus: 404 }),
  ])
    expect(errorType(one)).toBe(labels.errorType(one, 0));
});
