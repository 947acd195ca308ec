/**
 * What `/metrics` says about Toolgate itself: the build, the policy in force, the decision log, the process. All of it
 * is read from its owner when Prometheus asks, so that there is no second copy to go stale.
 */
import { Counter, Gauge, collectDefaultMetrics } from "@prometheus-io/client";
import type { Registry } from "@prometheus-io/client";
import { spansTotal } from "./span-metrics.ts";
import type { SpanCounts } from "./span-metrics.ts";

/** Of the policy that is in force. */
type PolicyNumbers = {
  /** Counts the policy sets that were put in force since the start. */
  readonly generation: number;
  readonly lastSyncedAtMs: number | undefined;
  readonly servers: number;
  readonly policies: number;
  /** Mistakes in documents, as of the last reading. */
  readonly problems: number;
};

export type StateOptions = {
  readonly version: string;
  readonly policy: () => PolicyNumbers;
  readonly decisionLogDropped: () => number;
  readonly decisionLogQueuedBytes: () => number;
  /** What is open and held now; undefined before anything can be. */
  readonly load: () => { readonly streams: number; readonly heldBytes: number } | undefined;
  readonly isLogKept: () => boolean;
  /** Of the gRPC port; undefined without TLS. */
  readonly certificateExpiresAtMs: () => number | undefined;
  /** Undefined, or left out, while traces are off. */
  readonly spans?: () => SpanCounts | undefined;
};

export function registerState(
  registry: Registry,
  {
    version,
    policy,
    decisionLogDropped,
    decisionLogQueuedBytes,
    certificateExpiresAtMs,
    load,
    isLogKept,
    spans = () => undefined,
  }: StateOptions,
): void {
  registry.registerMetric(buildInfo(version));
  registry.registerMetric(policyObjects(policy));
  const gauge = (name: string, help: string, read: () => number): void =>
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      }),
    );
  const policyGauge = (name: string, help: string, read: (numbers: PolicyNumbers) => number): void =>
    gauge(name, help, () => read(policy()));
  policyGauge(
    "toolgate_policy_generation",
    "Policy sets put in force since the start.",
    ({ generation }) => generation,
  );
  policyGauge(
    "toolgate_policy_last_sync_timestamp_seconds",
    "When all policy documents were last read without a problem; 0 before that.",
    ({ lastSyncedAtMs = 0 }) => lastSyncedAtMs / 1_000,
  );
  policyGauge("toolgate_policy_problems", "Mistakes in the documents, as last read.", ({ problems }) => problems);
  registry.registerMetric(decisionLogLosses(decisionLogDropped));
  registry.registerMetric(spansTotal(spans));
  gauge(
    "toolgate_certificate_expiry_timestamp_seconds",
    "When the certificate of the gRPC port ends; 0 without TLS.",
    () => (certificateExpiresAtMs() ?? 0) / 1_000,
  );
  gauge("toolgate_open_exchanges", "Requests and event streams that are open.", () => load()?.streams ?? 0);
  gauge("toolgate_held_bytes", "Of requests and answers that are not whole yet.", () => load()?.heldBytes ?? 0);
  gauge(
    "toolgate_decision_log_queued_bytes",
    "Of the decision log that wait for its reader; lines are lost past 8 MiB.",
    decisionLogQueuedBytes,
  );
  gauge(
    "toolgate_decision_log_kept",
    "1 while the decision log keeps what is written to it, 0 while its reader is gone or far behind.",
    () => Number(isLogKept()),
  );
  collectDefaultMetrics({ register: registry });
}

function buildInfo(version: string): Gauge<"version" | "node_version"> {
  const gauge = new Gauge({
    name: "toolgate_build_info",
    help: "Always 1; the labels say what runs.",
    labelNames: ["version", "node_version"],
    registers: [],
  });
  gauge.set({ version, node_version: process.version }, 1);
  return gauge;
}

const policyObjects = (policy: () => PolicyNumbers): Gauge<"kind"> =>
  new Gauge({
    name: "toolgate_policy_objects",
    help: "Documents in force, by kind.",
    labelNames: ["kind"],
    registers: [],
    collect() {
      const { servers, policies } = policy();
      this.set({ kind: "MCPServer" }, servers);
      this.set({ kind: "MCPAccessPolicy" }, policies);
    },
  });

const decisionLogLosses = (dropped: () => number): Counter =>
  new Counter({
    name: "toolgate_decision_log_dropped_total",
    help: "Decision log lines lost because their reader was too slow or gone.",
    registers: [],
    collect() {
      this.reset();
      this.inc(dropped());
    },
  });
