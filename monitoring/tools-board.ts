/** Tool by tool: which one fails, is slow, is large, and whose fault it is. */
import { RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { BY_CALLER, CALLER, OF_TOOL, ON_SERVER, SERVER, TOOL, board, chart, table } from "./panels.ts";
import { ENDED, TOOL_CALL, calls, matching, successRatio } from "./promql.ts";

const TOOL_BY = "mcp_server, gen_ai_tool_name";
const OF = matching(TOOL_CALL, ON_SERVER, OF_TOOL, BY_CALLER);
const LEGEND = "{{gen_ai_tool_name}}";
const DURATION = `mcp_server_operation_duration_seconds_bucket{${matching(TOOL_CALL, ON_SERVER, OF_TOOL, ENDED)}}`;

const quantile = (q: number, by: string, window = "$__rate_interval"): string =>
  `histogram_quantile(${q}, sum by (le, ${by}) (rate(${DURATION}[${window}])))`;
const bytes = (direction: "request" | "response"): string =>
  `histogram_quantile(0.95, sum by (le, ${TOOL_BY}) (rate(toolgate_${direction}_body_bytes_bucket{${matching(ON_SERVER, OF_TOOL)}}[$__rate_interval])))`;

export const toolsBoard = board(
  "toolgate-tools",
  "Toolgate / Tools",
  "Golden signals of each tool, prompt and resource.",
  [SERVER, TOOL, CALLER],
)
  .withRow(new RowBuilder("Every tool"))
  .withPanel(
    table(
      { title: "Tool success", about: "Neither the server nor the tool itself has failed.", unit: "percentunit" },
      `sort(${successRatio(TOOL_BY, OF, "$__range", { toolErrors: true })})`,
    ),
  )
  .withPanel(
    table(
      { title: "p95", about: "From the request's headers to the JSON-RPC answer.", unit: "s" },
      `sort_desc(${quantile(0.95, TOOL_BY, "$__range")} > 0)`,
    ),
  )
  .withRow(new RowBuilder("The chosen tools"))
  .withPanel(
    chart(
      { title: "Calls", about: "Per second.", unit: "reqps" },
      { expr: calls(TOOL_BY, OF, "$__rate_interval"), legend: LEGEND },
    ),
  )
  .withPanel(
    chart(
      { title: "Tool success", about: "1 less what the server and the tool could not do.", unit: "percentunit" },
      { expr: successRatio(TOOL_BY, OF, "$__rate_interval", { toolErrors: true }), legend: LEGEND },
    ),
  )
  .withPanel(
    chart(
      { title: "Duration", about: "Dots are traces.", unit: "s" },
      { expr: quantile(0.5, TOOL_BY), legend: `${LEGEND} p50` },
      { expr: quantile(0.95, TOOL_BY), legend: `${LEGEND} p95`, exemplars: true },
    ),
  )
  .withPanel(
    chart(
      {
        title: "What went wrong",
        about: "Per second, by error_type: the code of JSON-RPC or HTTP, or a word.",
        unit: "reqps",
      },
      {
        expr: `sum by (gen_ai_tool_name, error_type) (rate(toolgate_requests_total{${matching('error_type!="",result!="denied"', OF)}}[$__rate_interval]))`,
        legend: `${LEGEND} {{error_type}}`,
      },
    ),
  )
  .withPanel(
    chart(
      { title: "Size of requests", about: "95 % are smaller.", unit: "bytes" },
      { expr: bytes("request"), legend: LEGEND },
    ),
  )
  .withPanel(
    chart(
      { title: "Size of answers", about: "95 % are smaller.", unit: "bytes" },
      { expr: bytes("response"), legend: LEGEND },
    ),
  )
  .withRow(new RowBuilder("Not tools"))
  .withPanel(
    table(
      { title: "Calls per second", about: "Prompts, resources, lists and what else MCP has.", unit: "reqps" },
      `sort_desc(sum by (mcp_server, mcp_method_name, gen_ai_prompt_name, result) (rate(toolgate_requests_total{${matching('mcp_method_name!="tools/call"', ON_SERVER, BY_CALLER)}}[$__range])) > 0)`,
    ),
  )
  .withPanel(
    chart(
      {
        title: "Hidden from lists",
        about: "Entries per second that a caller may not use, and so did not see.",
        unit: "ops",
      },
      {
        expr: `sum by (mcp_method_name) (rate(toolgate_hidden_items_total{${ON_SERVER}}[$__rate_interval]))`,
        legend: "{{mcp_method_name}}",
      },
    ),
  )
  .build();
