/** The golden signals by server, and by what is asked of it: the answer to `toolgate stat`. */
import { groupBy, signalsOf } from "./signals.ts";
import type { Signals } from "./signals.ts";
import type { TrafficRow, Window } from "./traffic.ts";

export const STAT_KINDS = ["servers", "tools", "prompts", "resources"] as const;
export type StatKind = (typeof STAT_KINDS)[number];

/** What a server is doing now. */
export type Activity = { readonly server: string; readonly inflight: number; readonly streams: number };

export type StatRow = Signals & {
  readonly server: string;
  readonly method?: string;
  /** The tool or the prompt. Never a URI: that is the caller's text. */
  readonly name?: string;
  readonly inflight?: number;
  readonly streams?: number;
};

/** `known`: the servers that policy names, which have a row also when nobody calls them. */
export function statServers(
  { rows, seconds }: Window,
  known: readonly string[],
  activity: readonly Activity[],
): readonly StatRow[] {
  const servers = [...new Set([...known, ...rows.map(({ server }) => server)])].toSorted();
  return servers.map((server) => {
    const signals = signalsOf(
      rows.filter((row) => row.server === server),
      seconds,
    );
    const now = activity.find((one) => one.server === server);
    return { server, ...signals, ...(now === undefined ? {} : { inflight: now.inflight, streams: now.streams }) };
  });
}

/** By server, method, and tool or prompt. */
export const statBy = (kind: Exclude<StatKind, "servers">, { rows, seconds }: Window): readonly StatRow[] =>
  groupBy(
    rows.filter((row) => isAbout[kind](row)),
    ({ server, method, name }) => ({ server, method, name }),
  ).map(({ key: { server, method, name }, rows: group }) => ({
    server,
    method,
    ...(name === "" ? {} : { name }),
    ...signalsOf(group, seconds),
  }));

/** Completion is about a prompt when it has a name: that of a resource template is no label. */
const isAbout: { readonly [kind in Exclude<StatKind, "servers">]: (row: TrafficRow) => boolean } = {
  tools: ({ method }) => method.startsWith("tools/"),
  prompts: ({ method, name }) => method.startsWith("prompts/") || (method === "completion/complete" && name !== ""),
  resources: ({ method, name }) =>
    method.startsWith("resources/") || method === "skills/get" || (method === "completion/complete" && name === ""),
};
