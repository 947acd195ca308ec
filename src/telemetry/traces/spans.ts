/**
 * The spans of a call, by the MCP conventions: one of kind SERVER and, where the server was told of it, one of kind CLIENT
 * below it. They are made whole from the finished record, so that nothing has to be kept while a call runs.
 */
import { SpanKind, SpanStatusCode, TraceFlags, createTraceState } from "@opentelemetry/api";
import type { Attributes, HrTime, SpanContext, SpanStatus } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { SpanIds } from "../../core/exchange/call-trace.ts";
import type { ExchangeRecord } from "../../core/exchange/record.ts";
import { callerName } from "../../core/identity/identity.ts";
import { eraOf } from "../../core/mcp/revision.ts";
import type { TraceContext } from "../../core/mcp/trace-context.ts";
import { errorOf } from "../labels.ts";
import { CONVENTIONS, EVENT, TOOLGATE } from "./conventions.ts";

/** Who makes the spans. */
export type Maker = {
  readonly resource: Resource;
  readonly instrumentationScope: ReadableSpan["instrumentationScope"];
};

/** What callers and servers wrote is cut. */
const MAX_VALUE_LENGTH = 256;

export function spansOf(record: ExchangeRecord, ids: SpanIds, maker: Maker): readonly ReadableSpan[] {
  const { trace, decision } = record;
  const shared = sharedAttributes(record);
  const parent = trace?.parent === undefined ? undefined : contextOf(trace.parent);
  const context = ownContext(ids, ids.server, trace?.parent?.state);
  const server = span(record, maker, {
    kind: SpanKind.SERVER,
    fromMs: 0,
    context,
    parent,
    links: trace?.linked === undefined ? [] : [{ context: contextOf(trace.linked) }],
    attributes: { ...shared, ...clientAttributes(record), ...decisionAttributes(record) },
  });
  // What is refused goes on to nobody.
  if (ids.client === undefined || decision === "deny") return [server];
  const client = ownContext(ids, ids.client, trace?.parent?.state);
  return [
    server,
    span(record, maker, {
      kind: SpanKind.CLIENT,
      // It goes on when it is decided.
      fromMs: record.decidedMs ?? 0,
      context: client,
      parent: context,
      links: [],
      attributes: shared,
    }),
  ];
}

/** What went wrong with the call; empty when nothing did. The same word as the metrics have, before their caps. */
export const errorType = (record: Parameters<typeof errorOf>[0]): string => String(errorOf(record));

type Parts = Pick<ReadableSpan, "kind" | "links" | "attributes"> & {
  /** When it begins, after the call. */
  readonly fromMs: number;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
};

function span(
  record: ExchangeRecord,
  maker: Maker,
  { kind, fromMs, context, parent, links, attributes }: Parts,
): ReadableSpan {
  const { startedAtMs, durationMs } = record;
  return {
    ...maker,
    kind,
    links,
    attributes,
    name: nameOf(record),
    spanContext: () => context,
    ...(parent === undefined ? {} : { parentSpanContext: parent }),
    startTime: toHrTime(startedAtMs + fromMs),
    endTime: toHrTime(startedAtMs + durationMs),
    duration: toHrTime(durationMs - fromMs),
    status: statusOf(record),
    ended: true,
    events: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function nameOf({ method, target }: ExchangeRecord): string {
  const isNamed = target?.kind === "tool" || target?.kind === "prompt";
  return isNamed ? `${method} ${cut(target.name)}` : method;
}

function statusOf(record: ExchangeRecord): SpanStatus {
  if (errorType(record) === "") return { code: SpanStatusCode.UNSET };
  const { outcome, sentence } = record;
  return outcome.kind === "denied" && sentence !== undefined
    ? { code: SpanStatusCode.ERROR, message: cut(sentence) }
    : { code: SpanStatusCode.ERROR };
}

function sharedAttributes(record: ExchangeRecord): Attributes {
  const { method, target, id, revision, session, outcome } = record;
  const name = target === undefined ? undefined : cut(target.name);
  const error = errorType(record);
  return present({
    [CONVENTIONS.METHOD]: method,
    [CONVENTIONS.TOOL]: target?.kind === "tool" ? name : undefined,
    [CONVENTIONS.PROMPT]: target?.kind === "prompt" ? name : undefined,
    [CONVENTIONS.RESOURCE_URI]: target?.kind === "resource" ? name : undefined,
    [CONVENTIONS.OPERATION]: method === "tools/call" ? "execute_tool" : undefined,
    [CONVENTIONS.REQUEST_ID]: id === undefined ? undefined : cut(String(JSON.parse(id))),
    [CONVENTIONS.PROTOCOL_VERSION]: revision === undefined ? undefined : cut(revision),
    // From 2026-07-28 on there are no sessions.
    [CONVENTIONS.SESSION]: session === undefined || eraOf(revision ?? "") === "modern" ? undefined : cut(session),
    [CONVENTIONS.TRANSPORT]: "tcp",
    [CONVENTIONS.PROTOCOL]: "http",
    [CONVENTIONS.ERROR_TYPE]: error === "" ? undefined : error,
    [CONVENTIONS.STATUS_CODE]: outcome.kind === "rpc_error" ? String(outcome.code) : undefined,
    [TOOLGATE.SERVER]: record.server,
    [TOOLGATE.OUTCOME]: outcome.kind,
  });
}

const ADDRESS = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]+)$/;

/** An address and its port; of a socket in the file system there is neither. */
function clientAttributes({ sourceAddress = "" }: ExchangeRecord): Attributes {
  const [, bracketed, plain, port] = ADDRESS.exec(sourceAddress) ?? [];
  const address = bracketed ?? plain;
  return address === undefined
    ? {}
    : { [CONVENTIONS.CLIENT_ADDRESS]: address, [CONVENTIONS.CLIENT_PORT]: Number(port) };
}

const decisionAttributes = (record: ExchangeRecord): Attributes =>
  present({
    [CONVENTIONS.RULE]: record.rule.rule,
    [CONVENTIONS.RULESET]: record.rule.policy === "" ? undefined : record.rule.policy,
    [EVENT.ACTION]: record.decision === "deny" ? "deny" : "allow",
    [EVENT.OUTCOME]: eventOutcome(record),
    [TOOLGATE.DECISION]: record.decision,
    [TOOLGATE.MODE]: record.mode,
    [TOOLGATE.REASON]: record.reason,
    [TOOLGATE.CALLER]: cut(callerName(record.identity)),
  });

function eventOutcome(record: ExchangeRecord): "success" | "failure" | "unknown" {
  if (record.outcome.kind === "unread") return "unknown";
  return errorType(record) === "" ? "success" : "failure";
}

/** Without those that have no value. */
const present = (attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));

/** Never in the middle of a character: a collector refuses a batch for one text that is no UTF-8. */
const cut = (text: string): string =>
  text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH - 1).toWellFormed()}…`;

const contextOf = ({ traceId, spanId, isSampled, state }: TraceContext): SpanContext => ({
  traceId,
  spanId,
  traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
  isRemote: true,
  ...stateOf(state),
});

const ownContext = ({ traceId }: SpanIds, spanId: string, state: string | undefined): SpanContext => ({
  traceId,
  spanId,
  traceFlags: TraceFlags.SAMPLED,
  ...stateOf(state),
});

const stateOf = (state: string | undefined): Pick<SpanContext, "traceState"> =>
  state === undefined ? {} : { traceState: createTraceState(state) };

function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1_000_000)];
}
