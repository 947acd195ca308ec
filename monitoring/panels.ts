/** What the panels and dashboards have in common: the data source as a variable, units, legends, no fixed time. */
import {
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import {
  LegendDisplayMode,
  LegendPlacement,
  TooltipDisplayMode,
  SortOrder,
} from "@grafana/grafana-foundation-sdk/common";
import { VizLegendOptionsBuilder, VizTooltipOptionsBuilder } from "@grafana/grafana-foundation-sdk/common";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

const DATASOURCE = { type: "prometheus", uid: "${datasource}" };
const TAG = "toolgate";
/** Of a row's 24 columns. */
const HALF = 12;
const SIXTH = 4;

export type Query = { readonly expr: string; readonly legend: string; readonly exemplars?: boolean };

type Panel = {
  readonly title: string;
  readonly about: string;
  readonly unit: string;
};

const target = ({ expr, legend, exemplars = false }: Query, index: number): DataqueryBuilder =>
  new DataqueryBuilder()
    .refId(String.fromCodePoint(65 + index))
    .expr(expr)
    .legendFormat(legend)
    .exemplar(exemplars)
    .datasource(DATASOURCE);

export function chart({ title, about, unit }: Panel, ...queries: readonly Query[]): TimeseriesBuilder {
  const panel = new TimeseriesBuilder()
    .title(title)
    .description(about)
    .unit(unit)
    .datasource(DATASOURCE)
    .span(HALF)
    .height(8)
    .lineWidth(1)
    .fillOpacity(8)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(["lastNotNull", "max"]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .targets(queries.map(target));
  return unit === "percentunit" ? panel.max(1) : panel.min(0);
}

/** One number. */
export const figure = ({ title, about, unit }: Panel, expr: string): StatBuilder =>
  new StatBuilder()
    .title(title)
    .description(about)
    .unit(unit)
    .datasource(DATASOURCE)
    .span(SIXTH)
    .height(4)
    .withTarget(target({ expr, legend: "" }, 0));

/** A row for each label set, as of now. */
export const table = ({ title, about, unit }: Panel, expr: string): TableBuilder =>
  new TableBuilder()
    .title(title)
    .description(about)
    .unit(unit)
    .datasource(DATASOURCE)
    .span(HALF)
    .height(9)
    .withTarget(target({ expr, legend: "" }, 0).instant().format(PromQueryFormat.Table))
    .withTransformation({ id: "organize", options: { excludeByName: { Time: true }, renameByName: { Value: title } } });

type Variable = { readonly name: string; readonly label: string; readonly values: string };

const variable = ({ name, label, values }: Variable): QueryVariableBuilder =>
  new QueryVariableBuilder(name)
    .label(label)
    .query(values)
    .datasource(DATASOURCE)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".*");

export const SERVER: Variable = {
  name: "mcp_server",
  label: "Server",
  values: "label_values(toolgate_requests_total, mcp_server)",
};
export const TOOL: Variable = {
  name: "tool",
  label: "Tool",
  values: 'label_values(toolgate_requests_total{mcp_server=~"$mcp_server"}, gen_ai_tool_name)',
};
export const CALLER: Variable = {
  name: "caller",
  label: "Caller",
  values: 'label_values(toolgate_requests_total{mcp_server=~"$mcp_server"}, caller)',
};

export const ON_SERVER = 'mcp_server=~"$mcp_server"';
export const OF_TOOL = 'gen_ai_tool_name=~"$tool"';
export const BY_CALLER = 'caller=~"$caller"';

export function board(uid: string, title: string, about: string, variables: readonly Variable[]): DashboardBuilder {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(about)
    .tags([TAG, "mcp"])
    .refresh("30s")
    .time({ from: "now-1h", to: "now" })
    .timezone("browser")
    .editable()
    .link(
      new DashboardLinkBuilder("Toolgate")
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(false)
        .keepTime(true)
        .includeVars(true),
    )
    .withVariable(new DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus"));
  for (const one of variables) builder.withVariable(variable(one));
  return builder;
}
