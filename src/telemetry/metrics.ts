/**
 * The numbers. Names follow OpenTelemetry's conventions for MCP where they have one; docs/metrics.md says what each is good
 * for. A scrape also is when idle series go, as in Linkerd: without scrapes the caps alone hold.
 */
import { setImmediate as turn } from "node:timers/promises";
import { Counter, Registry } from "@prometheus-io/client";
import { isAbsent } from "../core/identity/identity.ts";
import type { PolicySet } from "../core/policy/policy-set.ts";
import { createCallMetrics } from "./call-metrics.ts";
import { expose } from "./exposition.ts";
import type { Format } from "./exposition.ts";
import { createFlowMetrics } from "./flow-metrics.ts";
import { createLabels } from "./labels.ts";
import type { LabelOptions } from "./labels.ts";
import type { Meter } from "./meter.ts";
import { registerState } from "./state-metrics.ts";
import type { StateOptions } from "./state-metrics.ts";
import type { Overload, Telemetry } from "./telemetry.ts";

export type MetricsOptions = Pick<LabelOptions, "isNamed"> &
  StateOptions & {
    /** What is shown at zero before anybody has used it. */
    readonly inForce: () => Pick<PolicySet, "servers" | "rules">;
    readonly nowMs?: () => number;
    readonly maxLabelSets?: number;
    readonly maxNamesPerServer?: number;
    readonly maxCallers?: number;
  };

export type Metrics = Telemetry & {
  readonly meter: Meter;
  /** A client of the gRPC port was not let in. */
  clientRefused(): void;
  /** An exchange was refused because the process had enough. */
  streamRefused(why: Overload): void;
  /** All metrics, without those that were idle too long. */
  expose(format?: Format): Promise<Buffer>;
};

const IDLE_MS = 10 * 60_000;

export function createMetrics(options: MetricsOptions): Metrics {
  const { nowMs = () => performance.now(), maxLabelSets = 2_000, maxNamesPerServer = 200, maxCallers = 500 } = options;
  const registry = new Registry();
  const overflow = new Counter({
    name: "toolgate_label_overflow_total",
    help: "Label values that gave way to _overflow or _other, by label; all: a whole label set did.",
    labelNames: ["label"],
    registers: [registry],
  });
  const onOverflow = (label: string): void => overflow.inc({ label });
  const labels = createLabels({ isNamed: options.isNamed, onOverflow, maxNamesPerServer, maxCallers });
  const calls = createCallMetrics(labels, { cap: maxLabelSets, onOverflow });
  const withheld = new Counter({
    name: "toolgate_answers_withheld_total",
    help: "Answers, or what may have been one, that were not delivered. reason: unreadable, too-large, not-granted, unexpected; the decision log has the sentence.",
    labelNames: ["mcp_server", "reason"],
    registers: [registry],
  });
  const changed = new Counter({
    name: "toolgate_changed_tools_total",
    help: "Tools that were not shown because their definition is not the one that policy has pinned.",
    labelNames: ["mcp_server", "gen_ai_tool_name"],
    registers: [registry],
  });
  const anonymous = new Counter({
    name: "toolgate_anonymous_requests_total",
    help: "Calls of nobody: why there was no workload, and why no user.",
    labelNames: ["workload", "user"],
    registers: [registry],
  });
  const refusedStreams = new Counter({
    name: "toolgate_streams_refused_total",
    help: "Exchanges that were refused. reason: streams (--max-streams were open), memory (--max-held-bytes were held), audit (the decision log could not be written).",
    labelNames: ["reason"],
    registers: [registry],
  });
  for (const reason of ["streams", "memory", "audit"] satisfies readonly Overload[]) refusedStreams.inc({ reason }, 0);
  const refusedClients = new Counter({
    name: "toolgate_clients_refused_total",
    help: "Connections to the gRPC port that were not let in: no TLS, no certificate of the CA, or none of the names that may ask.",
    registers: [registry],
  });
  registerState(registry, options);
  const flow = createFlowMetrics({ cap: maxLabelSets, onOverflow, nowMs });
  const series = [...calls.series, ...flow.series];

  return {
    meter: flow.meter,
    clientRefused: () => refusedClients.inc(),
    streamRefused: (reason) => refusedStreams.inc({ reason }),
    record(record) {
      calls.record(record, nowMs());
      const { workload, user } = record.identity;
      if (isAbsent(workload) && isAbsent(user)) anonymous.inc({ workload: workload.absent, user: user.absent });
      const { answerFault, changedTools, server = "_unknown" } = record;
      // Policy names them: there are no more than it pins.
      for (const tool of changedTools) changed.inc({ mcp_server: server, gen_ai_tool_name: tool });
      if (answerFault !== undefined) withheld.inc({ mcp_server: server, reason: answerFault.reason });
    },
    async expose(format = "plain") {
      const now = nowMs();
      const inForce = options.inForce();
      calls.hold(inForce, now);
      flow.hold(
        inForce.servers.map(({ name }) => name),
        now,
      );
      labels.expire(now - IDLE_MS);
      for (const one of series) {
        one.expire(now - IDLE_MS);
        await turn();
      }
      return expose([...series, ...flow.gauges], registry, format);
    },
  };
}
