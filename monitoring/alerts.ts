/** What somebody has to know about Toolgate itself, and about ways past it. docs/monitoring.md says what to do. */
import { ENDED, matching } from "./promql.ts";
import type { Alert } from "./rule.ts";

const DENIED = 'toolgate_requests_total{result="denied"}';
const IN_EARNEST = 'mcp_method_name!~"server/discover|GET|DELETE"';
const REJECTED = `toolgate_requests_total{${matching('result="rejected"', IN_EARNEST)}}`;

/** Somebody may be getting past, or what is decided may not be on record. */
export const safety: readonly Alert[] = [
  {
    alert: "ToolgateDown",
    expr: 'up{job=~".*toolgate.*"} == 0',
    for: "2m",
    severity: "page",
    summary: "Toolgate at {{ $labels.instance }} cannot be scraped",
    description: "While none answers Envoy, no call passes. While only the scrape fails, nobody sees what passes.",
    section: "toolgate-is-down",
  },
  {
    alert: "ToolgateDecisionLogNotKept",
    expr: "toolgate_decision_log_kept == 0",
    for: "1m",
    severity: "page",
    summary: "{{ $labels.instance }} does not keep its decision log",
    description:
      "Its reader is gone or far behind. With --audit required, calls are refused; without, they are not on record.",
    section: "the-decision-log-is-not-kept",
  },
  {
    alert: "ToolgateDecisionLogLinesLost",
    expr: "increase(toolgate_decision_log_dropped_total[5m]) > 0",
    for: "0m",
    severity: "page",
    summary: "{{ $labels.instance }} has lost lines of its decision log",
    description: "These calls are in the metrics and nowhere else.",
    section: "the-decision-log-is-not-kept",
  },
  {
    alert: "ToolgateRefusesStreams",
    expr: "sum by (instance, reason) (increase(toolgate_streams_refused_total[5m])) > 0",
    for: "0m",
    severity: "page",
    summary: "{{ $labels.instance }} refuses calls: {{ $labels.reason }}",
    description: "It has as many open as it may have, holds as much as it may hold, or cannot keep its decision log.",
    section: "toolgate-refuses-streams",
  },
  {
    alert: "ToolgateNotAsked",
    expr: [
      '(sum by (job, mcp_server) (increase(toolgate_requests_total{mcp_server!~"_.*"}[1d] offset 1h)) > 100)',
      "unless (sum by (job, mcp_server) (increase(toolgate_requests_total[1h])) > 0)",
      "and on (job) (max by (job) (up) == 1)",
    ].join("\n"),
    for: "10m",
    severity: "ticket",
    summary: "nobody has asked about {{ $labels.mcp_server }} for an hour",
    description: "There were calls in the day before. Either nobody calls any more, or calls go past Toolgate.",
    section: "nobody-asks-any-more",
  },
  {
    alert: "ToolgateClientsRefused",
    expr: "sum by (instance) (increase(toolgate_clients_refused_total[15m])) > 0",
    for: "0m",
    severity: "ticket",
    summary: "{{ $labels.instance }} has refused connections to its gRPC port",
    description:
      "Somebody without a certificate that may ask: an Envoy with an old one, or nobody who should be there.",
    section: "clients-are-refused",
  },
  {
    alert: "ToolgateCertificateExpires",
    expr: [
      "toolgate_certificate_expiry_timestamp_seconds > 0",
      "and toolgate_certificate_expiry_timestamp_seconds - time() < 3 * 86400",
    ].join("\n"),
    for: "10m",
    severity: "page",
    summary: "the certificate of {{ $labels.instance }} ends in less than three days",
    description: "After that no Envoy can ask, and no call passes.",
    section: "a-certificate-expires",
  },
  {
    alert: "ToolgatePolicyProblems",
    expr: "toolgate_policy_problems > 0",
    for: "5m",
    severity: "ticket",
    summary: "the policies of {{ $labels.instance }} have mistakes: {{ $value }}",
    description: "Documents with a mistake stay in force as they were before, or deny what they are about.",
    section: "policies-have-problems",
  },
  {
    alert: "ToolgatePolicyStale",
    expr: [
      "max by (job) (toolgate_policy_last_sync_timestamp_seconds)",
      "- on (job) group_right () toolgate_policy_last_sync_timestamp_seconds > 900",
    ].join("\n"),
    for: "15m",
    severity: "ticket",
    summary: "{{ $labels.instance }} decides by older policies than its replicas",
    description: "A replica has read policies a quarter of an hour after this one, and this one has not since.",
    section: "policies-are-stale",
  },
];

/** What callers and servers do. */
export const conduct: readonly Alert[] = [
  {
    alert: "ToolgateDenialSpike",
    expr: [
      `sum by (caller) (increase(${DENIED}[10m])) > 30`,
      `and sum by (caller) (increase(${DENIED}[10m])) > 5 * (sum by (caller) (increase(${DENIED}[1d] offset 10m)) / 144 or 0 * sum by (caller) (increase(${DENIED}[10m])))`,
    ].join("\n"),
    for: "0m",
    severity: "ticket",
    summary: "{{ $labels.caller }} is refused far more often than usual",
    description: "{{ $value | humanize }} refusals in ten minutes, more than five times the average of the day before.",
    section: "many-denials",
  },
  {
    alert: "ToolgateWouldDeny",
    expr: 'sum by (caller, mcp_server, gen_ai_tool_name, policy, rule) (increase(toolgate_authz_decisions_total{decision="audit"}[1d])) > 0',
    for: "0m",
    severity: "info",
    summary: "rule {{ $labels.rule }} of {{ $labels.policy }}, on trial, would refuse {{ $labels.caller }}",
    description: "{{ $value | humanize }} calls of the last day would be refused if the policy were in force.",
    section: "rules-on-trial",
  },
  {
    // A server that dies in the middle of an answer looks like this, and is in no other ratio: Envoy does not say who left.
    alert: "McpAnswersBreakOff",
    expr: [
      'sum by (mcp_server) (increase(toolgate_requests_total{result="cancelled"}[30m])) > 10',
      'and sum by (mcp_server) (rate(toolgate_requests_total{result="cancelled"}[30m])) > 0.2 * sum by (mcp_server) (rate(toolgate_requests_total{result!="denied"}[30m]))',
    ].join("\n"),
    for: "5m",
    severity: "ticket",
    summary: "more than a fifth of the calls of {{ $labels.mcp_server }} ended before their answer",
    description: "Callers do not wait for it, or the server breaks off in the middle of its answers.",
    section: "answers-break-off",
  },
  {
    // In no ratio, since the server is well: but who has to log in first, or finds no path, cannot work either. A probe
    // for another revision and a stream that is not offered are turned away in good order.
    alert: "McpCallsRejected",
    expr: [
      `sum by (mcp_server) (increase(${REJECTED}[30m])) > 20`,
      `and sum by (mcp_server) (rate(${REJECTED}[30m])) > 0.5 * sum by (mcp_server) (rate(toolgate_requests_total{${matching(ENDED, IN_EARNEST)}}[30m]))`,
    ].join("\n"),
    for: "5m",
    severity: "ticket",
    summary: "{{ $labels.mcp_server }} turns away more than half of its calls by HTTP (3xx, 4xx)",
    description: "Callers do not log in, bring sessions that have ended, or are sent to a wrong path.",
    section: "calls-are-rejected",
  },
  {
    alert: "ToolgateAnswersWithheld",
    expr: "sum by (mcp_server, reason) (increase(toolgate_answers_withheld_total[15m])) > 0",
    for: "0m",
    severity: "ticket",
    summary: "answers of {{ $labels.mcp_server }} were not delivered: {{ $labels.reason }}",
    description:
      "They could not be read, were too large, or asked for what is not granted. Their callers got an error.",
    section: "answers-are-withheld",
  },
  {
    alert: "ToolgateToolsChanged",
    expr: "sum by (mcp_server, gen_ai_tool_name) (increase(toolgate_changed_tools_total[15m])) > 0",
    for: "0m",
    severity: "ticket",
    summary: "tool {{ $labels.gen_ai_tool_name }} of {{ $labels.mcp_server }} is not what policy has pinned",
    description: "It is hidden until the pin is the digest of its new definition.",
    section: "a-tool-has-changed",
  },
];

/** Toolgate's own health. */
export const health: readonly Alert[] = [
  {
    alert: "ToolgateSlow",
    // Of fewer, the slowest is the first one after a pause.
    expr: [
      "(histogram_quantile(0.99, sum by (le, instance, phase) (rate(toolgate_processing_seconds_bucket[5m]))) > 0.01)",
      "and (sum by (instance, phase) (increase(toolgate_processing_seconds_count[5m])) > 100)",
    ].join("\n"),
    for: "10m",
    severity: "ticket",
    summary: "{{ $labels.instance }} takes {{ $value | humanizeDuration }} in phase {{ $labels.phase }} (p99)",
    description: "Callers wait for it in addition to the server.",
    section: "toolgate-is-slow",
  },
  {
    alert: "ToolgateEventLoopDelayed",
    expr: "nodejs_eventloop_lag_p99_seconds > 0.1 and on (instance, job) toolgate_build_info",
    for: "10m",
    severity: "ticket",
    summary: "the event loop of {{ $labels.instance }} is late by {{ $value | humanizeDuration }} (p99)",
    description: "Every call waits for that. Envoy's message_timeout comes next.",
    section: "toolgate-is-slow",
  },
  {
    alert: "ToolgateSpansLost",
    expr: 'sum by (instance, state) (increase(toolgate_spans_total{state!="exported"}[15m])) > 0',
    for: "15m",
    severity: "ticket",
    summary: "{{ $labels.instance }} loses spans: {{ $labels.state }}",
    description: "The collector is down or too slow. Calls do not wait for it; their traces are missing.",
    section: "spans-are-lost",
  },
  {
    alert: "ToolgateLabelsOverflow",
    expr: "sum by (instance, label) (increase(toolgate_label_overflow_total[1h])) > 0",
    for: "0m",
    severity: "ticket",
    summary: "{{ $labels.instance }} has more values of {{ $labels.label }} than it may show",
    description: "Calls are counted under _overflow: still all of them, but not told apart.",
    section: "labels-overflow",
  },
];
