/** What became of the spans, as `/metrics` says it. */
import { Counter } from "@prometheus-io/client";

/** Spans so far. `dropped`: too many were waiting. `failed`: the collector has not taken them. */
export type SpanCounts = { readonly exported: number; readonly dropped: number; readonly failed: number };

/** `counts`: undefined while traces are off. */
export const spansTotal = (counts: () => SpanCounts | undefined): Counter<"state"> =>
  new Counter({
    name: "toolgate_spans_total",
    help: "Spans. state: exported, dropped (too many were waiting for the collector), failed (it has not taken them).",
    labelNames: ["state"],
    registers: [],
    collect() {
      this.reset();
      for (const [state, spans] of Object.entries(counts() ?? NONE)) this.inc({ state }, spans);
    },
  });

const NONE: SpanCounts = { exported: 0, dropped: 0, failed: 0 };
