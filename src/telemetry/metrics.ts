/**
 * The numbers: three series for calls, and what says which build and which policy they come from. Names follow
 * OpenTelemetry's conventions for MCP where they have one. `/metrics` is the plain Prometheus text.
 *
 * A scrape also is when idle series go, as in Linkerd: without scrapes the caps alone hold.
 */
import { Counter, Histogram, Registry } from "@prometheus-io/client";
import type { CounterConfiguration, LabelValues } from "@prometheus-io/client";
import type { ExchangeRecord } from "../core/exchange/record.ts";
import { isAbsent } from "../core/identity/identity.ts";
import { createLabelSets } from "./label-sets.ts";
import type { LabelSets } from "./label-sets.ts";
import { createLabels } from "./labels.ts";
import type { CallLabels, LabelOptions } from "./labels.ts";
import { registerState } from "./state-metrics.ts";
import type { StateOptions } from "./state-metrics.ts";
import type { Overload, Telemetry } from "./telemetry.ts";

export type MetricsOptions = Pick<LabelOptions, "isNamed"> &
  StateOptions & {
    readonly nowMs?: () => number;
    readonly maxLabelSets?: number;
    readonly maxNamesPerServer?: number;
    readonly maxCallers?: number;
  };

export type Metrics = Telemetry & {
  /** A client of the gRPC port was not let in. */
  clientRefused(): void;
  /** An exchange was refused because the process had enough. */
  streamRefused(why: Overload): void;
  readonly contentType: string;
  /** All metrics in Prometheus's text format, without those that were idle too long. */
  expose(): Promise<string>;
};

const IDLE_MS = 10 * 60_000;
/** The bounds that the conventions advise for `mcp.server.operation.duration`. */
const DURATION_BOUNDS_SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

const CALL = ["caller", "mcp_server", "mcp_method_name", "gen_ai_tool_name", "gen_ai_prompt_name"] as const;
const REQUEST = [...CALL, "result", "error_type"] as const;
const DECISION = ["decision", ...CALL, "policy", "rule", "reason"] as const;
const DURATION = ["mcp_server", "mcp_method_name", "gen_ai_tool_name", "gen_ai_prompt_name", "result"] as const;

const NAMES_HELP =
  "gen_ai_tool_name and gen_ai_prompt_name are empty for other calls, _unknown for a name that neither a policy nor a list of the server has, _overflow past the cap.";

type Count = { value: number };

/** A counter whose label sets are ours: capped, expiring, found without confusion. */
class CappedCounter<Name extends string> extends Counter<Name> {
  readonly #sets: LabelSets<Name, Count>;

  constructor(config: CounterConfiguration<Name>, sets: LabelSets<Name, Count>) {
    super(config);
    this.#sets = sets;
  }

  override async get(): ReturnType<Counter<Name>["get"]> {
    const values = [...this.#sets.values()].map(({ labels, item }) => ({
      labels: labels as LabelValues<Name>,
      value: item.value,
    }));
    return { ...(await super.get()), values };
  }
}

/** What the series of calls share: where they are registered, how many there may be, who hears when there are more. */
type Series = { readonly registry: Registry; readonly cap: number; readonly onOverflow: (label: string) => void };

/**
 * Costs 1.5 us a record (Node 24, 50 callers, 20 tools), 0.5 of it the histogram.
 */
export function createMetrics(options: MetricsOptions): Metrics {
  const { nowMs = Date.now, maxLabelSets = 2_000, maxNamesPerServer = 200, maxCallers = 500 } = options;
  const registry = new Registry();
  const overflow = new Counter({
    name: "toolgate_label_overflow_total",
    help: "Label values that gave way to _overflow or _other, by label; all: a whole label set did.",
    labelNames: ["label"],
    registers: [registry],
  });
  const onOverflow = (label: string): void => overflow.inc({ label });
  const labels = createLabels({ isNamed: options.isNamed, onOverflow, maxNamesPerServer, maxCallers });
  const series: Series = { registry, cap: maxLabelSets, onOverflow };
  const requests = createRequests(series);
  const decisions = createDecisions(series);
  const durations = createDurations(series);
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

  return {
    contentType: registry.contentType,
    clientRefused: () => refusedClients.inc(),
    streamRefused: (reason) => refusedStreams.inc({ reason }),
    record(record) {
      const now = nowMs();
      const call = labels.call(record, now);
      const result = record.outcome.kind;
      requests.at({ ...call, result, error_type: labels.errorType(record, now) }, now).value += 1;
      decisions.at(decisionLabels(record, call), now).value += 1;
      const { workload, user } = record.identity;
      if (isAbsent(workload) && isAbsent(user)) anonymous.inc({ workload: workload.absent, user: user.absent });
      const { answerFault, changedTools } = record;
      // Policy names them: there are no more than it pins.
      for (const tool of changedTools) changed.inc({ mcp_server: call.mcp_server, gen_ai_tool_name: tool });
      if (answerFault !== undefined) withheld.inc({ mcp_server: call.mcp_server, reason: answerFault.reason });
      if (isOperation(record)) durations.at({ ...call, result }, now).observe(record.durationMs / 1_000);
    },
    async expose() {
      const idleSinceMs = nowMs() - IDLE_MS;
      for (const part of [labels, requests, decisions, durations]) part.expire(idleSinceMs);
      return registry.metrics();
    },
  };
}

const decisionLabels = (record: ExchangeRecord, call: CallLabels) => ({
  decision: record.decision,
  ...call,
  policy: record.rule.policy,
  rule: record.rule.rule,
  reason: record.reason ?? "",
});

/** What the conventions mean by an operation: not the legacy stream, its end, or an answer to the server. */
export const isOperation = ({ method }: ExchangeRecord): boolean =>
  method !== "GET" && method !== "DELETE" && method !== "answer";

function createRequests({ registry, ...shared }: Series): LabelSets<(typeof REQUEST)[number], Count> {
  const sets = createLabelSets({ ...shared, names: REQUEST, closed: ["result"], create: () => ({ value: 0 }) });
  const name = "toolgate_requests_total";
  const help = `Calls that have ended, by caller and result. error_type: the JSON-RPC code, or a word, empty when nothing went wrong. ${NAMES_HELP}`;
  registry.registerMetric(new CappedCounter({ name, help, labelNames: REQUEST, registers: [] }, sets));
  return sets;
}

function createDecisions({ registry, ...shared }: Series): LabelSets<(typeof DECISION)[number], Count> {
  const sets = createLabelSets({ ...shared, names: DECISION, closed: ["decision"], create: () => ({ value: 0 }) });
  const name = "toolgate_authz_decisions_total";
  const help = `Decisions and the rule behind each. audit: refused by a policy in mode Audit, and let through. ${NAMES_HELP}`;
  registry.registerMetric(new CappedCounter({ name, help, labelNames: DECISION, registers: [] }, sets));
  return sets;
}

function createDurations({
  registry,
  ...shared
}: Series): LabelSets<(typeof DURATION)[number], Histogram.Internal<(typeof DURATION)[number]>> {
  const histogram = new Histogram({
    name: "mcp_server_operation_duration_seconds",
    help: `From the request's headers to the JSON-RPC answer. Without the caller: that would be too many series. ${NAMES_HELP}`,
    labelNames: DURATION,
    buckets: DURATION_BOUNDS_SECONDS,
    registers: [registry],
  });
  return createLabelSets({
    ...shared,
    names: DURATION,
    closed: ["result"],
    create: (labels) => histogram.labels(labels),
    remove: (labels) => histogram.remove(labels),
  });
}
