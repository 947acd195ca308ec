/**
 * Service level objectives, as in chapter 5 of the SRE Workbook: how fast the error budget of 30 days burns, over a long
 * window so that it matters and a short one so that it still goes on. Recorded first, since the alerts ask for the same
 * numbers again and again.
 */
import { TOOL_CALL, calls, failures } from "./promql.ts";
import type { Alert, Recording } from "./rule.ts";

type Objective = {
  /** What the recorded series are called by, and told apart by. */
  readonly level: string;
  readonly by: string;
  readonly matchers: string;
  readonly toolErrors: boolean;
  readonly alert: string;
  readonly slo: string;
  readonly summary: string;
  readonly section: string;
};

const OBJECTIVES: readonly Objective[] = [
  {
    level: "mcp_server",
    by: "mcp_server",
    matchers: "",
    toolErrors: false,
    alert: "McpServerFailing",
    slo: "availability",
    summary: "MCP server {{ $labels.mcp_server }} fails {{ $value | humanizePercentage }} of its calls",
    section: "a-server-fails",
  },
  {
    level: "mcp_server_tool",
    by: "mcp_server, gen_ai_tool_name",
    matchers: TOOL_CALL,
    toolErrors: true,
    alert: "McpToolFailing",
    slo: "tool_success",
    summary:
      "tool {{ $labels.gen_ai_tool_name }} of {{ $labels.mcp_server }} fails {{ $value | humanizePercentage }} of its calls",
    section: "a-tool-fails",
  },
];

const WINDOWS = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"] as const;

const BURNS = [
  { factor: 14.4, long: "1h", short: "5m", seconds: 3_600, severity: "page", for: "2m" },
  { factor: 6, long: "6h", short: "30m", seconds: 21_600, severity: "page", for: "5m" },
  { factor: 3, long: "1d", short: "2h", seconds: 86_400, severity: "ticket", for: "15m" },
  { factor: 1, long: "3d", short: "6h", seconds: 259_200, severity: "ticket", for: "30m" },
] as const satisfies readonly {
  readonly factor: number;
  readonly long: (typeof WINDOWS)[number];
  readonly short: (typeof WINDOWS)[number];
  readonly seconds: number;
  readonly severity: Alert["severity"];
  readonly for: string;
}[];

/** With little traffic a single failure is a large share: so many of them it takes. */
const FEWEST_FAILURES = 8;

const BUDGET = "toolgate:slo_error_budget:ratio";

/** The objectives: to change one, change its number. */
export const budgets: readonly Recording[] = OBJECTIVES.map(({ slo }) => ({
  record: BUDGET,
  expr: "vector(0.01)",
  labels: { slo },
}));

export const ratios: readonly Recording[] = OBJECTIVES.flatMap(({ level, by, matchers, toolErrors }) =>
  WINDOWS.flatMap((window) => [
    { record: `${level}:mcp_calls:rate${window}`, expr: calls(by, matchers, window) },
    { record: `${level}:mcp_failures:rate${window}`, expr: failures(by, matchers, window, { toolErrors }) },
    {
      record: `${level}:mcp_failures:ratio_rate${window}`,
      expr: `${level}:mcp_failures:rate${window} / (${level}:mcp_calls:rate${window} > 0)`,
    },
  ]),
);

export const burns: readonly Alert[] = OBJECTIVES.flatMap(({ level, alert, slo, summary, section }) =>
  BURNS.map(({ factor, long, short, seconds, severity, for: lasting }) => {
    const limit = `${factor} * scalar(${BUDGET}{slo="${slo}"})`;
    return {
      alert,
      for: lasting,
      severity,
      labels: { window: long },
      expr: [
        `${level}:mcp_failures:ratio_rate${long} > ${limit}`,
        `and ${level}:mcp_failures:ratio_rate${short} > ${limit}`,
        `and ${level}:mcp_failures:rate${long} * ${seconds} >= ${FEWEST_FAILURES}`,
      ].join("\n"),
      summary: `${summary} (${long})`,
      description: `At this rate the error budget of 30 days burns ${factor} times as fast as it may.`,
      section,
    };
  }),
);
