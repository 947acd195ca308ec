/**
 * Where a call comes from, as W3C Trace Context says it (https://www.w3.org/TR/trace-context/): in `_meta` (MCP 2026-07-28;
 * older clients do so too) and in the headers. It comes from the caller and is believed by nobody but the reader of traces:
 * what is not exactly as specified is as if it were not there, and never a reason to refuse.
 */
import { isObject, isString, member, textAt } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import type { Json } from "../jsonrpc/scan.ts";

export type TraceContext = {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 of them: the span of whoever asks. */
  readonly spanId: string;
  readonly isSampled: boolean;
  /** What vendors say beside it, unread. */
  readonly state: string | undefined;
};

export const TRACEPARENT = "traceparent";
export const TRACESTATE = "tracestate";

/** Version 00, the one that there is; ids of zeros alone are invalid. */
const FORM = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
const SAMPLED = 1;
/** What everybody has to carry on (section 3.3.1.5), in the characters that a header may have. */
const STATE = /^[\x20-\x7e]{1,512}$/;

export function parseTraceContext(parent: string, state: string | undefined): TraceContext | undefined {
  const [, traceId, spanId, flags = ""] = FORM.exec(parent) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  return {
    traceId,
    spanId,
    isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0,
    state: state !== undefined && STATE.test(state) ? state : undefined,
  };
}

export const formatTraceparent = ({ traceId, spanId, isSampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;

/** That of `_meta`. */
export function readTraceContext(json: Json, meta: At): TraceContext | undefined {
  if (!isObject(json, meta)) return undefined;
  const parent = member(json, meta, TRACEPARENT);
  if (!isString(json, parent)) return undefined;
  return parseTraceContext(textAt(json, parent), stateOf(json, meta));
}

function stateOf(json: Json, meta: At): string | undefined {
  const state = member(json, meta, TRACESTATE);
  return isString(json, state) ? textAt(json, state) : undefined;
}
