/** The series that records make: who called what, what was decided, how it ended, how long it took. */
import type { ExchangeRecord } from "../core/exchange/record.ts";
import { REVISIONS } from "../core/mcp/revision.ts";
import type { PolicySet, RuleInForce, Server } from "../core/policy/policy-set.ts";
import { createCounter, createHistogram } from "./capped.ts";
import type { CappedSeries } from "./capped.ts";
import { isOperation } from "./labels.ts";
import type { Labels } from "./labels.ts";

/** The bounds that the conventions advise for `mcp.server.operation.duration`. */
const DURATION_BOUNDS_SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

/** 1 KiB to 16 MiB: the largest that may be configured is larger, and rare. */
const BODY_BOUNDS_BYTES = [1_024, 16_384, 262_144, 4_194_304, 16_777_216];

const CALL = ["caller", "mcp_server", "mcp_method_name", "gen_ai_tool_name", "gen_ai_prompt_name"] as const;

const NAMES_HELP =
  "gen_ai_tool_name and gen_ai_prompt_name are empty for other calls, _unknown for a name that neither a policy nor a list of the server has, _overflow past the cap.";

export type CallMetrics = {
  readonly series: readonly CappedSeries[];
  record(record: ExchangeRecord, nowMs: number): void;
  /** Shows what is in force and known at zero, before anybody has used it. */
  hold(inForce: Pick<PolicySet, "servers" | "rules">, nowMs: number): void;
};

type Shared = { readonly cap: number; readonly onOverflow: (label: string) => void };

/**
 * Costs 1.2 us a record (Node 24, 50 callers, 20 tools).
 */
export function createCallMetrics(labels: Labels, shared: Shared): CallMetrics {
  const requests = createCounter({
    ...shared,
    name: "toolgate_requests_total",
    help: `Calls that have ended, by caller and result. error_type: the code of JSON-RPC or HTTP, or a word, empty when nothing went wrong. ${NAMES_HELP}`,
    names: [...CALL, "result", "error_type"],
    closed: ["result"],
  });
  const decisions = createCounter({
    ...shared,
    name: "toolgate_authz_decisions_total",
    help: `Decisions and the rule behind each. audit: refused by a policy in mode Audit, and let through. ${NAMES_HELP}`,
    names: ["decision", ...CALL, "policy", "rule", "reason"],
    closed: ["decision"],
  });
  const durations = createHistogram({
    ...shared,
    name: "mcp_server_operation_duration_seconds",
    help: `From the request's headers to the JSON-RPC answer. Without the caller: that would be too many series. ${NAMES_HELP}`,
    names: ["mcp_server", "mcp_method_name", "gen_ai_tool_name", "gen_ai_prompt_name", "result"],
    closed: ["result"],
    bounds: DURATION_BOUNDS_SECONDS,
  });
  const ruleHits = createCounter({
    ...shared,
    name: "toolgate_rule_hits_total",
    help: "Decisions by the rule behind each, 0 for a rule in force that has never decided. decision: what the rule's action and its policy's mode come to.",
    names: ["policy", "rule", "decision"],
    closed: ["decision"],
  });
  const refusals = createCounter({
    ...shared,
    name: "toolgate_refusals_total",
    help: "Refused calls and requests that could not be read as one, by reason.",
    names: ["mcp_server", "reason"],
    closed: ["reason"],
  });
  const hidden = createCounter({
    ...shared,
    name: "toolgate_hidden_items_total",
    help: "Entries taken out of list answers because their caller may not use them.",
    names: ["mcp_server", "mcp_method_name"],
    closed: ["mcp_method_name"],
  });
  const revisions = createCounter({
    ...shared,
    name: "toolgate_protocol_revisions_total",
    help: "Calls by the protocol revision that they name: _none when they name none, as before 2025-06-18, _other when it is not known.",
    names: ["mcp_server", "revision"],
    closed: ["revision"],
  });

  const clients = createCounter({
    ...shared,
    name: "toolgate_clients_total",
    help: "Calls that were let through and say which client makes them, by name and major version: `initialize`, and any call since 2026-07-28. Nobody has checked it; _overflow past 50, _unknown when it cannot be read well.",
    names: ["mcp_server", "client"],
    closed: [],
  });
  const bodies = (name: string, help: string) =>
    createHistogram({
      ...shared,
      name,
      help,
      names: ["mcp_server", "gen_ai_tool_name"],
      closed: [],
      bounds: BODY_BOUNDS_BYTES,
    });
  const requestBodies = bodies("toolgate_request_body_bytes", "Bodies of requests, as they came.");
  const responseBodies = bodies(
    "toolgate_response_body_bytes",
    "Bodies of answers that were read, as they came, until the answer was there.",
  );

  return {
    series: [
      requests,
      decisions,
      durations,
      ruleHits,
      refusals,
      hidden,
      revisions,
      clients,
      requestBodies,
      responseBodies,
    ],
    record(record, nowMs) {
      const { decision, rule, reason, hiddenItems } = record;
      // One object for all series: each takes of it what it has labels for.
      const call = {
        ...labels.call(record, nowMs),
        result: record.outcome.kind,
        error_type: labels.errorType(record, nowMs),
        decision,
        policy: rule.policy,
        rule: rule.rule,
        reason: reason ?? "",
        revision: revisionLabel(record),
      };
      requests.add(call, nowMs);
      decisions.add(call, nowMs);
      ruleHits.add(call, nowMs);
      revisions.add(call, nowMs);
      if (decision === "deny") refusals.add(call, nowMs);
      if (hiddenItems > 0) hidden.add(call, nowMs, hiddenItems);
      const client = labels.client(record, nowMs);
      if (client !== undefined) clients.add({ mcp_server: call.mcp_server, client }, nowMs);
      if (!isOperation(record)) return;
      durations.observe(call, nowMs, record.durationMs / 1_000, exampleOf(record));
      const { requestBytes, responseBytes } = record.sizes ?? {};
      if (requestBytes !== undefined) requestBodies.observe(call, nowMs, requestBytes);
      if (responseBytes !== undefined) responseBodies.observe(call, nowMs, responseBytes);
    },
    hold({ servers, rules }, nowMs) {
      for (const { policy, rule, action, mode } of rules)
        ruleHits.hold({ policy, rule, decision: decisionOf(action, mode) }, nowMs);
      for (const server of servers) {
        for (const tool of labels.tools(server.name, exactTools(server), nowMs))
          durations.hold(toolCall(server.name, tool), nowMs);
      }
    },
  };
}

const KNOWN_REVISIONS: ReadonlySet<string> = new Set(Object.keys(REVISIONS));

function revisionLabel({ revision }: ExchangeRecord): string {
  if (revision === undefined) return "_none";
  return KNOWN_REVISIONS.has(revision) ? revision : "_other";
}

function exampleOf({ trace, startedAtMs, durationMs }: ExchangeRecord) {
  const traceId = trace?.traceId;
  return traceId === undefined ? undefined : { traceId, atMs: Math.round(startedAtMs + durationMs) };
}

const decisionOf = (action: RuleInForce["action"], mode: RuleInForce["mode"]): ExchangeRecord["decision"] =>
  action === "Allow" ? "allow" : mode === "Audit" ? "audit" : "deny";

function* exactTools({ rules }: Server): Iterable<string> {
  const { allows, denies, auditedDenies } = rules.tool;
  for (const index of [allows, denies, auditedDenies]) yield* index.exactNames();
}

/** A call that went well: what most calls of a tool will be. */
const toolCall = (server: string, tool: string) => ({
  mcp_server: server,
  mcp_method_name: "tools/call",
  gen_ai_tool_name: tool,
  gen_ai_prompt_name: "",
  result: "ok",
});
