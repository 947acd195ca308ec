/** The first board to look at: are the MCP servers well? */
import { RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { BY_CALLER, CALLER, ON_SERVER, SERVER, board, chart, figure, table } from "./panels.ts";
import { ENDED, matching, successRatio } from "./promql.ts";

const OF = matching(ON_SERVER, BY_CALLER);
const REQUESTS = `toolgate_requests_total{${OF}}`;
const DURATION = `mcp_server_operation_duration_seconds_bucket{${matching(ON_SERVER, ENDED)}}`;

const quantile = (q: number, by: string): string =>
  `histogram_quantile(${q}, sum by (${matching("le", by)}) (rate(${DURATION}[$__rate_interval])))`;

const about = "Golden signals of MCP servers, as Toolgate reads them from the answers: HTTP says 200 to most failures.";

export const serversBoard = board("toolgate-servers", "Toolgate / Servers", about, [SERVER, CALLER])
  .withRow(new RowBuilder("Now"))
  .withPanel(
    figure(
      { title: "Calls", about: "Per second, all of them, also those refused.", unit: "reqps" },
      `sum(rate(${REQUESTS}[$__rate_interval]))`,
    ),
  )
  .withPanel(
    figure(
      { title: "Availability", about: "Of the calls that a server has answered, or should have.", unit: "percentunit" },
      successRatio("", OF, "$__range"),
    ),
  )
  .withPanel(
    figure(
      { title: "p95", about: "From the request's headers to the JSON-RPC answer.", unit: "s" },
      quantile(0.95, ""),
    ),
  )
  .withPanel(
    figure(
      { title: "Refused", about: "Per second.", unit: "reqps" },
      `sum(rate(toolgate_requests_total{${matching('result="denied"', OF)}}[$__rate_interval])) or vector(0)`,
    ),
  )
  .withPanel(
    figure(
      { title: "In flight", about: "Calls that wait for their answers.", unit: "short" },
      `sum(toolgate_inflight_requests{${ON_SERVER}})`,
    ),
  )
  .withPanel(
    figure(
      { title: "Open streams", about: "Answers that are streams of events.", unit: "short" },
      `sum(toolgate_active_streams{${ON_SERVER}})`,
    ),
  )
  .withRow(new RowBuilder("Golden signals by server"))
  .withPanel(
    chart(
      { title: "Calls", about: "Per second, by server.", unit: "reqps" },
      { expr: `sum by (mcp_server) (rate(${REQUESTS}[$__rate_interval]))`, legend: "{{mcp_server}}" },
    ),
  )
  .withPanel(
    chart(
      {
        title: "Availability",
        about: "1 less time-outs, broken answers and errors of the server. What a caller got wrong is no failure.",
        unit: "percentunit",
      },
      { expr: successRatio("mcp_server", OF, "$__rate_interval"), legend: "{{mcp_server}}" },
    ),
  )
  .withPanel(
    chart(
      { title: "Duration", about: "From the request's headers to the JSON-RPC answer.", unit: "s" },
      { expr: quantile(0.5, "mcp_server"), legend: "{{mcp_server}} p50" },
      { expr: quantile(0.95, "mcp_server"), legend: "{{mcp_server}} p95", exemplars: true },
      { expr: quantile(0.99, "mcp_server"), legend: "{{mcp_server}} p99", exemplars: true },
    ),
  )
  .withPanel(
    chart(
      { title: "How calls end", about: "Per second, by result.", unit: "reqps" },
      { expr: `sum by (result) (rate(${REQUESTS}[$__rate_interval]))`, legend: "{{result}}" },
    ),
  )
  .withPanel(
    chart(
      {
        title: "HTTP errors",
        about:
          "Per second, by status: 3xx and 4xx turn callers away (to log in, to begin a new session), 5xx is the server's.",
        unit: "reqps",
      },
      {
        expr: `sum by (mcp_server, error_type) (rate(toolgate_requests_total{${matching('result=~"rejected|transport_error"', OF)}}[$__rate_interval]))`,
        legend: "{{mcp_server}} {{error_type}}",
      },
    ),
  )
  .withRow(new RowBuilder("Who and what"))
  .withPanel(
    table(
      { title: "Calls per second", about: "Who calls what.", unit: "reqps" },
      `sort_desc(sum by (caller, mcp_server, mcp_method_name) (rate(${REQUESTS}[$__range])) > 0)`,
    ),
  )
  .withPanel(
    chart(
      { title: "Calls by caller", about: "Per second; callers as Envoy has verified them.", unit: "reqps" },
      { expr: `sum by (caller) (rate(${REQUESTS}[$__rate_interval]))`, legend: "{{caller}}" },
    ),
  )
  .withPanel(
    chart(
      { title: "Protocol revisions", about: "Calls per second by the revision that they name.", unit: "reqps" },
      {
        expr: `sum by (revision) (rate(toolgate_protocol_revisions_total{${ON_SERVER}}[$__rate_interval]))`,
        legend: "{{revision}}",
      },
    ),
  )
  .withPanel(
    chart(
      {
        title: "Clients",
        about: "Sessions and calls per second by what clients say that they are. Not verified.",
        unit: "reqps",
      },
      {
        expr: `sum by (client) (rate(toolgate_clients_total{${ON_SERVER}}[$__rate_interval]))`,
        legend: "{{client}}",
      },
    ),
  )
  .withRow(new RowBuilder("Streams and saturation"))
  .withPanel(
    chart(
      { title: "Open now", about: "Calls without an answer yet, and event streams.", unit: "short" },
      { expr: `sum by (mcp_server) (toolgate_inflight_requests{${ON_SERVER}})`, legend: "{{mcp_server}} calls" },
      { expr: `sum by (mcp_server) (toolgate_active_streams{${ON_SERVER}})`, legend: "{{mcp_server}} streams" },
    ),
  )
  .withPanel(
    chart(
      { title: "Streams: events, ends, resumptions", about: "Per second.", unit: "ops" },
      { expr: `sum(rate(toolgate_stream_events_total{${ON_SERVER}}[$__rate_interval]))`, legend: "events" },
      { expr: `sum by (how) (rate(toolgate_streams_ended_total{${ON_SERVER}}[$__rate_interval]))`, legend: "{{how}}" },
      { expr: `sum(rate(toolgate_stream_resumptions_total{${ON_SERVER}}[$__rate_interval]))`, legend: "resumed" },
    ),
  )
  .withPanel(
    chart(
      { title: "Longest silence of a stream", about: "Of those that are open.", unit: "s" },
      { expr: `max by (mcp_server) (toolgate_stream_idle_seconds{${ON_SERVER}})`, legend: "{{mcp_server}}" },
    ),
  )
  .withPanel(
    chart(
      {
        title: "Calls left or broken off",
        about: "Per second: cancelled by callers, or their answer broke off.",
        unit: "reqps",
      },
      {
        expr: `sum by (mcp_server) (rate(toolgate_requests_total{${matching('result="cancelled"', OF)}}[$__rate_interval]))`,
        legend: "{{mcp_server}}",
      },
    ),
  )
  .build();
