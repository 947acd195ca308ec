/** Every expression of the dashboards and rules, and the names of metrics in it, read with Prometheus's own grammar. */
import { Identifier, VectorSelector, parser } from "@prometheus-io/lezer-promql";
import { parse } from "yaml";
import { files } from "../../monitoring/files.ts";

type Rule = { readonly record?: string; readonly alert?: string; readonly expr: string };
type Panel = { readonly title?: string; readonly targets?: readonly { readonly expr?: string }[] };
type Variable = { readonly name: string; readonly query?: string };
type Board = {
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
};

export type Expression = {
  /** Where it stands, for people. */
  readonly of: string;
  readonly expr: string;
  readonly kind: "panel" | "recording" | "alert";
};

export const BOARDS: readonly Board[] = [...files]
  .filter(([path]) => path.endsWith(".json"))
  .map(([, text]) => JSON.parse(text) as Board);

const panels = BOARDS.flatMap(({ title: board, panels: all }) =>
  all.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr = "" }, i): Expression => ({ of: `${board}: ${title} ${i}`, expr, kind: "panel" })),
  ),
);

export const RULES: readonly Rule[] = [...files]
  .filter(([path]) => path.endsWith(".yml"))
  .flatMap(([, text]) => (parse(text) as { readonly groups: readonly { readonly rules: readonly Rule[] }[] }).groups)
  .flatMap(({ rules }) => rules);

export const EXPRESSIONS: readonly Expression[] = [
  ...panels,
  ...RULES.map(({ record, alert = "", expr }): Expression =>
    record === undefined ? { of: alert, expr, kind: "alert" } : { of: record, expr, kind: "recording" },
  ),
];

/** With Grafana's variables filled in, as when everything is chosen. */
export const filledIn = (expr: string): string =>
  expr
    .replaceAll("$__rate_interval", "30s")
    .replaceAll("$__range", "5m")
    .replaceAll(/\$(?:mcp_server|tool|caller)\b/g, ".*");

/** Throws on what is no PromQL. */
export function metricsIn(expr: string): readonly string[] {
  const text = filledIn(expr);
  const names: string[] = [];
  parser.parse(text).iterate({
    enter({ type, from, to, node }) {
      if (type.isError) throw new Error(`not PromQL at ${from}: ${text}`);
      if (type.id === Identifier && node.parent?.type.id === VectorSelector) names.push(text.slice(from, to));
    },
  });
  return names;
}
