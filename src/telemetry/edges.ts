/** Who talks to whom: the answer to `toolgate edges`, and the graph of the page. */
import { groupBy, isError, signalsOf } from "./signals.ts";
import type { TrafficRow, Window } from "./traffic.ts";

export type Edge = {
  readonly caller: string;
  /** What vouches for the caller: `spiffe`, `mtls`, `jwt`, or `anonymous:` and why. */
  readonly identity: string;
  readonly server: string;
  /** How many different ones were called, with success or not. */
  readonly tools: number;
  readonly tool?: string;
  readonly requests: number;
  readonly rps: number;
  readonly answered: number;
  readonly success: number | null;
  readonly denied: number;
};

/** `errors`: what the server, or the tool itself, could not do. */
export type CountedEdge = Edge & { readonly errors: number };

/** `byTool`: an edge for each tool, and none for what is no call of a tool. */
export function edges({ rows, seconds }: Window, byTool = false): readonly CountedEdge[] {
  const shown = rows.filter((row) => row.requests > 0 && (!byTool || isToolCall(row)));
  const groups = groupBy(shown, ({ caller, identity, server, name }) => ({
    caller,
    identity,
    server,
    tool: byTool ? name : "",
  }));
  return groups.map(({ key: { tool, ...key }, rows: group }) => {
    const { requests, rps, answered, success, denied } = signalsOf(group, seconds);
    const errors = group.reduce((sum, row) => sum + (isError(row) ? row.requests : 0), 0);
    const tools = new Set(group.filter(isToolCall).map(({ name }) => name)).size;
    return { ...key, tools, ...(byTool ? { tool } : {}), requests, rps, answered, success, denied, errors };
  });
}

const isToolCall = ({ method }: TrafficRow): boolean => method === "tools/call";
