/** What the script comes to, as sums: by the labels of the metrics, and by the members of the admin API. */
import type { OnRecord } from "./script.ts";

/** How many, by what they agree in: JSON of its entries in order, without those that are empty. */
export type Sums = ReadonlyMap<string, number>;

type Key = Readonly<Record<string, string | undefined>>;

const keyText = (key: Key): string =>
  JSON.stringify(
    Object.entries(key)
      .filter(([, value]) => value !== undefined && value !== "")
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );

export function sumsOf(entries: Iterable<readonly [key: Key, count: number]>): Sums {
  const sums = new Map<string, number>();
  for (const [key, count] of entries) {
    const text = keyText(key);
    if (count !== 0) sums.set(text, (sums.get(text) ?? 0) + count);
  }
  return new Map([...sums].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** Undefined: it is not counted. */
export function countBy(records: readonly OnRecord[], keyOf: (record: OnRecord) => Key | undefined): Sums {
  const keys = records.map(keyOf).filter((key) => key !== undefined);
  return sumsOf(keys.map((key) => [key, 1] as const));
}

/** Names of the callers' own making are no labels. */
const labelOf = (name: string | undefined): string | undefined => (name?.startsWith("invented") ? "_unknown" : name);
export const nameOf = ({ tool, prompt }: OnRecord): string | undefined => labelOf(tool) ?? prompt;

const target = (record: OnRecord): Key => ({
  mcp_server: record.server,
  mcp_method_name: record.method,
  gen_ai_tool_name: labelOf(record.tool),
  gen_ai_prompt_name: record.prompt,
});

/** By metric: the labels of a record. Undefined: it is not counted there. */
export const METRICS: Readonly<Record<string, (record: OnRecord) => Key | undefined>> = {
  toolgate_requests_total: (record) => ({
    caller: record.caller,
    ...target(record),
    result: record.outcome,
    error_type: errorType(record),
  }),
  toolgate_authz_decisions_total: (record) => ({
    decision: record.decision,
    caller: record.caller,
    ...target(record),
    policy: record.policy,
    rule: record.rule,
    reason: record.reason,
  }),
  mcp_server_operation_duration_seconds_count: (record) =>
    record.method === "GET" || record.method === "DELETE" ? undefined : { ...target(record), result: record.outcome },
  toolgate_rule_hits_total: ({ policy, rule, decision }) => ({ policy, rule, decision }),
  toolgate_refusals_total: ({ server, decision, reason }) =>
    decision === "deny" ? { mcp_server: server, reason } : undefined,
};

function errorType({ outcome, code, status, reason }: OnRecord): string | undefined {
  switch (outcome) {
    case "ok":
    case "input_required":
    case "unread":
      return undefined;
    case "rpc_error":
      return String(code);
    case "rejected":
    case "transport_error":
      return status === undefined ? outcome : String(status);
    case "denied":
      return reason;
    default:
      return outcome;
  }
}

/** The series of one metric in Prometheus's text format. */
export function seriesOf(exposition: string, name: string): Sums {
  const lines = exposition.split("\n").filter((line) => line.startsWith(`${name}{`));
  return sumsOf(
    lines.map((line) => {
      const labels = [...line.matchAll(/(\w+)="([^"]*)"/g)].map(
        ([, label = "", value = ""]) => [label, value] as const,
      );
      return [Object.fromEntries(labels), Number(line.split(" ").at(-1))] as const;
    }),
  );
}
