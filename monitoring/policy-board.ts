/** What policy refuses, would refuse, and never does; and whether Toolgate itself is well. */
import { RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { BY_CALLER, CALLER, OF_TOOL, ON_SERVER, SERVER, TOOL, board, chart, figure, table } from "./panels.ts";
import { matching } from "./promql.ts";

const OF = matching(ON_SERVER, OF_TOOL, BY_CALLER);
const WHO = "caller, mcp_server, mcp_method_name, gen_ai_tool_name, gen_ai_prompt_name, policy, rule, reason";

const decisions = (decision: "deny" | "audit"): string =>
  `sort_desc(sum by (${WHO}) (increase(toolgate_authz_decisions_total{${matching(`decision="${decision}"`, OF)}}[$__range])) > 0)`;

const trouble = (title: string, about: string, metric: string, by: string) =>
  chart(
    { title, about, unit: "ops" },
    { expr: `sum by (${by}) (rate(${metric}[$__rate_interval]))`, legend: `{{${by}}}` },
  );

const about = "Decisions by the rule behind each. Toolgate names the same rule in metric, log line, span and refusal.";

export const policyBoard = board("toolgate-policy", "Toolgate / Policy", about, [SERVER, TOOL, CALLER])
  .withRow(new RowBuilder("Decisions"))
  .withPanel(
    chart(
      { title: "Decisions", about: "Per second. audit: refused by a policy on trial, and let through.", unit: "reqps" },
      {
        expr: `sum by (decision) (rate(toolgate_authz_decisions_total{${OF}}[$__rate_interval]))`,
        legend: "{{decision}}",
      },
    ),
  )
  .withPanel(
    chart(
      { title: "Refusals by reason", about: "Per second, also of what could not be read as MCP.", unit: "reqps" },
      { expr: `sum by (reason) (rate(toolgate_refusals_total{${ON_SERVER}}[$__rate_interval]))`, legend: "{{reason}}" },
    ),
  )
  .withPanel(
    table(
      { title: "Refused", about: "In this time: who wanted what, and the rule that refused it.", unit: "short" },
      decisions("deny"),
    ),
  )
  .withPanel(
    table(
      {
        title: "Would be refused",
        about: "In this time, by policies on trial (mode Audit). Nothing here: they can be enforced.",
        unit: "short",
      },
      decisions("audit"),
    ),
  )
  .withPanel(
    table(
      { title: "Rule hits", about: "Since each process started.", unit: "short" },
      "sort_desc(sum by (policy, rule, decision) (toolgate_rule_hits_total) > 0)",
    ),
  )
  .withPanel(
    table(
      {
        title: "Rules that never matched",
        about: "In force, and without a call since the processes started.",
        unit: "short",
      },
      "sum by (policy, rule) (toolgate_rule_hits_total) == 0",
    ),
  )
  .withPanel(
    chart(
      { title: "Callers without an identity", about: "Calls per second, and why there is no user.", unit: "reqps" },
      { expr: "sum by (user) (rate(toolgate_anonymous_requests_total[$__rate_interval]))", legend: "{{user}}" },
    ),
  )
  .withPanel(
    trouble("Answers withheld", "Per second, by reason.", `toolgate_answers_withheld_total{${ON_SERVER}}`, "reason"),
  )
  .withRow(new RowBuilder("Toolgate itself"))
  .withPanel(figure({ title: "Instances", about: "That were scraped.", unit: "short" }, "count(toolgate_build_info)"))
  .withPanel(
    figure(
      { title: "Policies", about: "In force.", unit: "short" },
      'max(toolgate_policy_objects{kind="MCPAccessPolicy"})',
    ),
  )
  .withPanel(
    figure(
      { title: "Mistakes", about: "In policy documents, as last read.", unit: "short" },
      "max(toolgate_policy_problems)",
    ),
  )
  .withPanel(
    figure(
      { title: "Policies read", about: "When they were last read without a mistake.", unit: "dateTimeFromNow" },
      "min(toolgate_policy_last_sync_timestamp_seconds) * 1000",
    ),
  )
  .withPanel(
    figure(
      { title: "Log kept", about: "1: all instances keep their decision log.", unit: "short" },
      "min(toolgate_decision_log_kept)",
    ),
  )
  .withPanel(
    figure(
      { title: "Certificate ends", about: "The first of those of the gRPC ports.", unit: "dateTimeFromNow" },
      "min(toolgate_certificate_expiry_timestamp_seconds > 0) * 1000",
    ),
  )
  .withPanel(
    chart(
      { title: "What Toolgate takes itself", about: "For a message of Envoy's, by phase: 99 % are faster.", unit: "s" },
      {
        expr: "histogram_quantile(0.99, sum by (le, phase) (rate(toolgate_processing_seconds_bucket[$__rate_interval]))) > 0",
        legend: "{{phase}}",
      },
    ),
  )
  .withPanel(
    chart(
      { title: "Event loop", about: "How late it is (p99), and how busy the processor.", unit: "s" },
      {
        expr: "nodejs_eventloop_lag_p99_seconds and on (instance, job) toolgate_build_info",
        legend: "{{instance}} late",
      },
      {
        expr: "rate(process_cpu_seconds_total[$__rate_interval]) and on (instance, job) toolgate_build_info",
        legend: "{{instance}} CPU",
      },
    ),
  )
  .withPanel(
    chart(
      {
        title: "Held",
        about: "Of messages that are not whole yet, and of the log whose reader is behind.",
        unit: "bytes",
      },
      { expr: "sum by (instance) (toolgate_held_bytes)", legend: "{{instance}} messages" },
      { expr: "sum by (instance) (toolgate_decision_log_queued_bytes)", legend: "{{instance}} log" },
    ),
  )
  .withPanel(
    chart(
      { title: "Open exchanges", about: "Requests and event streams.", unit: "short" },
      { expr: "sum by (instance) (toolgate_open_exchanges)", legend: "{{instance}}" },
    ),
  )
  .withPanel(
    trouble("Spans", "Per second: exported, dropped (too many waited), failed.", "toolgate_spans_total", "state"),
  )
  .withPanel(trouble("Streams refused", "Per second, by reason.", "toolgate_streams_refused_total", "reason"))
  .withPanel(
    trouble(
      "Labels that overflow",
      "Values per second that gave way to _overflow.",
      "toolgate_label_overflow_total",
      "label",
    ),
  )
  .build();
