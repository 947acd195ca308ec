/**
 * The rows of all instances together, from the metrics that Prometheus has scraped of them, put together by the functions
 * that also make them from what one instance has seen. Two things the metrics do not have: latencies by rule (they are by
 * tool), and the mode of a rule that only allows.
 */
import type { Outcome } from "../../core/mcp/outcome.ts";
import { ok } from "../../core/result.ts";
import type { Result } from "../../core/result.ts";
import { edges } from "../../telemetry/edges.ts";
import type { AuthzRow } from "../../telemetry/authz.ts";
import type { Latency } from "../../telemetry/latency.ts";
import { classOf } from "../../telemetry/outcome-class.ts";
import { groupBy, signalsOf } from "../../telemetry/signals.ts";
import { statBy, statServers } from "../../telemetry/stat.ts";
import type { Activity } from "../../telemetry/stat.ts";
import type { TrafficRow, Window } from "../../telemetry/traffic.ts";
import type { Query, Sample } from "./prometheus.ts";
import type { Source } from "./source.ts";

const CALL = "mcp_server, mcp_method_name, gen_ai_tool_name, gen_ai_prompt_name";
/** Servers may export a metric of this name themselves: theirs has no such label. */
const DURATIONS = 'mcp_server_operation_duration_seconds_bucket{mcp_server!="", result!~"denied|cancelled|unread"}';

const requestsQuery = (seconds: number): string =>
  `sum by (caller, ${CALL}, result, error_type) (increase(toolgate_requests_total[${seconds}s]))`;
const durationsQuery = (seconds: number): string => `sum by (${CALL}, le) (increase(${DURATIONS}[${seconds}s]))`;
const decisionsQuery = (seconds: number): string =>
  `sum by (decision, ${CALL}, policy, rule) (increase(toolgate_authz_decisions_total[${seconds}s]))`;
const INFLIGHT = "sum by (mcp_server) (toolgate_inflight_requests)";
const STREAMS = "sum by (mcp_server) (toolgate_active_streams)";

export function fleet(query: Query): Source {
  const all = async (...queries: readonly string[]): Promise<Result<readonly (readonly Sample[])[], string>> => {
    const answers = await Promise.all(queries.map(query));
    const failed = answers.find((answer) => !answer.ok);
    return failed ?? ok(answers.flatMap((answer) => (answer.ok ? [answer.value] : [])));
  };
  return {
    async stat(kind, windowSeconds) {
      const queries = [requestsQuery, durationsQuery, decisionsQuery].map((write) => write(windowSeconds));
      const found = await all(...queries, INFLIGHT, STREAMS);
      if (!found.ok) return found;
      const [requests = [], durations = [], decisions = [], inflight = [], streams = []] = found.value;
      const rows = [...requests.map(requestRow), ...durationRows(durations), ...decisions.flatMap(auditedRow)];
      const window = { rows, seconds: windowSeconds };
      return ok(kind === "servers" ? statServers(window, [], activity(inflight, streams)) : statBy(kind, window));
    },
    async edges(windowSeconds) {
      const found = await all(requestsQuery(windowSeconds));
      if (!found.ok) return found;
      return ok(edges({ rows: (found.value[0] ?? []).map(requestRow), seconds: windowSeconds }));
    },
    async authz(windowSeconds) {
      const found = await all(...[decisionsQuery, requestsQuery, durationsQuery].map((write) => write(windowSeconds)));
      if (!found.ok) return found;
      const [decisions = [], requests = [], durations = []] = found.value;
      const rows = [...requests.map(requestRow), ...durationRows(durations)];
      return ok(authzRows(decisions, { rows, seconds: windowSeconds }));
    },
  };
}

const NO_LATENCY: Latency = { bounds: [], counts: [] };

const callOf = ({ labels }: Sample) => ({
  server: labels["mcp_server"] ?? "",
  method: labels["mcp_method_name"] ?? "",
  name: labels["gen_ai_tool_name"] || (labels["gen_ai_prompt_name"] ?? ""),
});

const emptyRow = (sample: Sample): TrafficRow => ({
  ...callOf(sample),
  caller: "",
  identity: "",
  result: "ok",
  decision: "",
  policy: "",
  rule: "",
  mode: "",
  requests: 0,
  audited: 0,
  latency: NO_LATENCY,
});

function requestRow(sample: Sample): TrafficRow {
  const { caller = "", result = "", error_type: code } = sample.labels;
  const row = emptyRow(sample);
  return {
    ...row,
    caller,
    identity: identityOf(caller),
    result: classOf(row.method, result as Outcome["kind"], Number(code)),
    requests: sample.value,
  };
}

const auditedRow = (sample: Sample): readonly TrafficRow[] =>
  sample.labels["decision"] === "audit" ? [{ ...emptyRow(sample), audited: sample.value }] : [];

/** What vouches for a caller can be told by its name; why there is none cannot. */
function identityOf(caller: string): string {
  if (caller === "anonymous") return caller;
  if (caller.startsWith("_")) return "";
  if (/^(?:dns|subject):/.test(caller)) return "mtls";
  return caller.includes("/") && !caller.startsWith("user:") ? "spiffe" : "jwt";
}

/** Prometheus counts up to each bound, and not between two. */
function durationRows(samples: readonly Sample[]): readonly TrafficRow[] {
  return groupBy(samples, callOf).flatMap(({ rows }) => {
    const [first] = rows;
    if (first === undefined) return [];
    const upTo = rows
      .map(({ labels, value }) => ({ bound: Number(labels["le"]?.replace("+Inf", "Infinity")), value }))
      .toSorted((one, other) => one.bound - other.bound);
    const counts = upTo.map(({ value }, i) => Math.max(0, value - (upTo[i - 1]?.value ?? 0)));
    const bounds = upTo.map(({ bound }) => bound).filter(Number.isFinite);
    return [{ ...emptyRow(first), latency: { bounds, counts } }];
  });
}

const activity = (inflight: readonly Sample[], streams: readonly Sample[]): readonly Activity[] =>
  [...new Set([...inflight, ...streams].map(({ labels }) => labels["mcp_server"] ?? ""))].map((server) => ({
    server,
    inflight: valueOf(inflight, server),
    streams: valueOf(streams, server),
  }));

const valueOf = (samples: readonly Sample[], server: string): number =>
  samples.find(({ labels }) => labels["mcp_server"] === server)?.value ?? 0;

const ruleOf = (sample: Sample) => ({
  ...callOf(sample),
  policy: sample.labels["policy"] ?? "",
  rule: sample.labels["rule"] ?? "",
});

type Called = ReturnType<typeof callOf>;
const isSame = (one: Called, other: Called): boolean =>
  one.server === other.server && one.method === other.method && one.name === other.name;

function authzRows(decisions: readonly Sample[], { rows, seconds }: Window): readonly AuthzRow[] {
  const groups = groupBy(decisions, ruleOf).map(({ key, rows: samples }) => {
    const [allowed, denied, audited] = ["allow", "deny", "audit"].map((decision) =>
      samples.reduce((sum, { labels, value }) => sum + (labels["decision"] === decision ? value : 0), 0),
    ) as [number, number, number];
    return { key, allowed, denied, audited, through: allowed + audited };
  });
  return groups.map(({ key: { name, ...key }, allowed, denied, audited, through }) => {
    const call = { ...key, name };
    // Of calls that two rules have let through, nobody can say which ended how.
    const isAlone = groups.filter((other) => other.through > 0 && isSame(other.key, call)).length === 1;
    const { success, p50, p95, p99 } = signalsOf(
      through > 0 && isAlone ? rows.filter((row) => isSame(row, call)) : [],
      seconds,
    );
    const mode = audited > 0 ? "Audit" : denied > 0 ? "Enforce" : "";
    const rps = (through + denied) / seconds;
    return { ...key, ...(name === "" ? {} : { name }), mode, allowed, denied, audited, success, rps, p50, p95, p99 };
  });
}
