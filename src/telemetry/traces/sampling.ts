/**
 * Which calls get spans. A caller that has a trace decides with its flag; of calls without one a share is taken. Both are
 * decided before anything is made. Beside them a few denials and errors a second, whatever the flag says: those one looks for.
 */
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { SpanIds, StartSpans } from "../../core/exchange/call-trace.ts";
import type { TraceContext } from "../../core/mcp/trace-context.ts";

export type SamplingOptions = {
  /** Of the calls without a parent, from 0 to 1. */
  readonly ratio: number;
  /** From 0 to less than 1. */
  readonly random?: () => number;
};

/** `withClient`: also the id of the span that the server is to see as its parent. */
export const createStartSpans =
  ({ ratio, random = Math.random }: SamplingOptions, withClient: boolean): StartSpans =>
  (parent) => {
    const isSampled = parent === undefined ? ratio > 0 && random() < ratio : parent.isSampled;
    return isSampled ? newIds(parent, withClient) : undefined;
  };

const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;

/** Ids of zeros alone are invalid, and as likely as to guess a key. */
export function newIds(parent: TraceContext | undefined, withClient: boolean): SpanIds {
  const digits = randomBytes((TRACE_DIGITS + 2 * SPAN_DIGITS) / 2).toString("hex");
  return {
    traceId: parent?.traceId ?? digits.slice(0, TRACE_DIGITS),
    server: digits.slice(TRACE_DIGITS, TRACE_DIGITS + SPAN_DIGITS),
    client: withClient ? digits.slice(TRACE_DIGITS + SPAN_DIGITS) : undefined,
  };
}

export type Budget = {
  /** Whether one more may be had now. */
  take(): boolean;
};

/** So many a second, and as many at once after a quiet second. */
export function createBudget(perSecond: number, nowMs: () => number = () => performance.now()): Budget {
  let left = perSecond;
  let filledAtMs = nowMs();
  return {
    take() {
      const now = nowMs();
      left = Math.min(perSecond, left + ((now - filledAtMs) * perSecond) / 1_000);
      filledAtMs = now;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
