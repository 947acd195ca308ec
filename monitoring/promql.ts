/**
 * How a call has ended, in PromQL: the same classes as in `src/telemetry/outcome-class.ts`. A failure is the server's alone;
 * what a caller got wrong is none (`rejected` among it: HTTP 3xx and 4xx), and calls that were refused, left or not read are not counted at all.
 */

/** A selector's matchers, to be put between braces. */
type Matchers = string;

/** Calls that a server has answered, or should have. */
export const ENDED: Matchers = 'result!~"denied|cancelled|unread"';
export const TOOL_CALL: Matchers = 'mcp_method_name="tools/call"';

const NO_ANSWER: Matchers = 'result=~"timeout|transport_error"';
/** Internal error, and what JSON-RPC keeps for the server's implementation below the codes of MCP. */
const SERVER_CODE: Matchers =
  'result="rpc_error",error_type=~"-32603|-320[01][0-9]",mcp_method_name!="server/discover"';
const TOOL_ERROR: Matchers = 'result="tool_error"';

export const matching = (...matchers: readonly Matchers[]): Matchers => matchers.filter((one) => one !== "").join(",");

/** `toolgate_requests_total` per second, by these labels. */
export const calls = (by: string, matchers: Matchers, window: string): string =>
  `sum by (${by}) (rate(toolgate_requests_total{${matching(ENDED, matchers)}}[${window}]))`;

/** What the server could not do, and with `toolErrors` what a tool itself could not; 0 where nothing has failed. */
export function failures(by: string, matchers: Matchers, window: string, { toolErrors = false } = {}): string {
  const classes = [NO_ANSWER, SERVER_CODE, ...(toolErrors ? [TOOL_ERROR] : [])];
  const rates = classes.map((one) => `rate(toolgate_requests_total{${matching(one, matchers)}}[${window}])`);
  return `(sum by (${by}) (${rates.join(" or ")}) or 0 * ${calls(by, matchers, window)})`;
}

export const successRatio = (
  by: string,
  matchers: Matchers,
  window: string,
  options?: { toolErrors: boolean },
): string => `1 - ${failures(by, matchers, window, options)} / (${calls(by, matchers, window)} > 0)`;
