/** The series of what is under way: calls and streams that are open, how streams go, and what we take of each message. */
import { performance } from "node:perf_hooks";
import { createCounter, createHistogram } from "./capped.ts";
import type { CappedSeries } from "./capped.ts";
import { formatLabels } from "./exposition.ts";
import type { Family } from "./exposition.ts";
import { countOpen } from "./meter.ts";
import type { Meter, OpenExchange, OpenOnServer, Phase } from "./meter.ts";

export type FlowMetrics = {
  readonly meter: Meter;
  readonly series: readonly CappedSeries[];
  /** As of the last `hold`. */
  readonly gauges: readonly Family[];
  /** Counts what is open; of these servers also where nothing is. */
  hold(servers: Iterable<string>, nowMs: number): void;
};

type Options = {
  readonly cap: number;
  readonly onOverflow: (label: string) => void;
  readonly nowMs: () => number;
};

const PROCESSING_BOUNDS_SECONDS = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1];

const PHASES: Readonly<Record<Phase, string>> = {
  requestHeaders: "request_headers",
  requestBody: "request_body",
  requestTrailers: "request_trailers",
  responseHeaders: "response_headers",
  responseBody: "response_body",
  responseTrailers: "response_trailers",
  check: "check",
};

export function createFlowMetrics({ nowMs, ...shared }: Options): FlowMetrics {
  const processing = createHistogram({
    ...shared,
    name: "toolgate_processing_seconds",
    help: "What Toolgate takes itself for a message of Envoy's, by phase. check: the whole of ext_authz.",
    names: ["phase"],
    closed: ["phase"],
    bounds: PROCESSING_BOUNDS_SECONDS,
  });
  const take = (label: string) => processing.bind({ phase: label }, nowMs());
  const takes = Object.fromEntries(Object.entries(PHASES).map(([phase, label]) => [phase, take(label)])) as {
    readonly [phase in Phase]: (seconds: number) => void;
  };
  const events = createCounter({
    ...shared,
    name: "toolgate_stream_events_total",
    help: "Events with data on the streams that answers are.",
    names: ["mcp_server"],
    closed: [],
  });
  const ended = createCounter({
    ...shared,
    name: "toolgate_streams_ended_total",
    help: "Streams by how they ended: complete, cancelled (client, server or Envoy has left before the end), revoked (by new policies), broken-off (an event was too large), failed (Toolgate has).",
    names: ["mcp_server", "how"],
    closed: ["how"],
  });
  const resumptions = createCounter({
    ...shared,
    name: "toolgate_stream_resumptions_total",
    help: "Requests with Last-Event-ID: their clients had lost a stream.",
    names: ["mcp_server"],
    closed: [],
  });
  const open = new Set<OpenExchange>();
  let counted: readonly (readonly [labels: string, OpenOnServer])[] = [];
  const gauge = (name: string, help: string, read: (one: OpenOnServer) => number): Family => ({
    name,
    help,
    type: "gauge",
    *texts() {
      for (const [labels, one] of counted) yield `${name}{${labels}} ${read(one)}\n`;
    },
  });

  return {
    meter: {
      open,
      processed: (phase, ms) => takes[phase](ms / 1_000),
      streamEvents: (server, count) => events.add({ mcp_server: server }, nowMs(), count),
      streamEnded: (server, how) => ended.add({ mcp_server: server, how }, nowMs()),
      streamResumed: (server) => resumptions.add({ mcp_server: server }, nowMs()),
    },
    series: [processing, events, ended, resumptions],
    gauges: [
      gauge(
        "toolgate_inflight_requests",
        "Calls that were let through and wait for their answers; not those whose answers go by unread.",
        ({ calls }) => calls,
      ),
      gauge("toolgate_active_streams", "Answers that are streams of events and are open.", ({ streams }) => streams),
      gauge(
        "toolgate_stream_idle_seconds",
        "The longest silence among the open streams, 0 when there are none.",
        ({ longestSilenceMs }) => longestSilenceMs / 1_000,
      ),
    ],
    hold(servers, now) {
      for (const phase of Object.values(PHASES)) processing.hold({ phase }, now);
      const found = countOpen(open, performance.now());
      for (const server of servers) {
        if (found.size >= shared.cap) break;
        if (!found.has(server)) found.set(server, { calls: 0, streams: 0, longestSilenceMs: 0 });
        for (const counter of [events, resumptions]) counter.hold({ mcp_server: server }, now);
      }
      counted = [...found].map(([server, one]) => [formatLabels({ mcp_server: server }), one]);
    },
  };
}
