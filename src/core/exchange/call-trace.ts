/** The trace that a call is part of, as known when it is judged. */
import type { TraceContext } from "../mcp/trace-context.ts";

/** The ids of the spans that will be made of a call. */
export type SpanIds = {
  readonly traceId: string;
  /** Of the call as it came to us. */
  readonly server: string;
  /** Of the call as it goes on, when the server is to see that one as its parent. */
  readonly client: string | undefined;
};

/** Undefined: this call is not sampled. The core has no randomness of its own. */
export type StartSpans = (parent: TraceContext | undefined) => SpanIds | undefined;

export type CallTrace = {
  /** The trace that keeps this call; undefined when it is not sampled. */
  readonly traceId: string | undefined;
  /** Of `_meta`, else of the headers. */
  readonly parent: TraceContext | undefined;
  /** Of the headers, when `_meta` has another one: HTTP's branch of the same call. */
  readonly linked: TraceContext | undefined;
  readonly spans: SpanIds | undefined;
};

/** Undefined for most: nobody has said anything, and nothing is sampled. */
export function traceOf(
  meta: TraceContext | undefined,
  http: TraceContext | undefined,
  startSpans: StartSpans | undefined,
): CallTrace | undefined {
  const parent = meta ?? http;
  const spans = startSpans?.(parent);
  if (parent === undefined && spans === undefined) return undefined;
  const sampled = parent?.isSampled === true ? parent.traceId : undefined;
  const linked = meta === undefined || http?.spanId === meta.spanId ? undefined : http;
  return { traceId: spans?.traceId ?? sampled, parent, linked, spans };
}
