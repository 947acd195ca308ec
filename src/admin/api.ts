/** What this process has seen, as JSON: for `toolgate stat` and its kin, for the page, and for whoever likes to write his own. */
import { parsePattern } from "../core/policy/pattern.ts";
import type { PolicySet } from "../core/policy/policy-set.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { PolicyReport } from "../policies/publisher.ts";
import { authz } from "../telemetry/authz.ts";
import type { DecisionLog } from "../telemetry/decision-log.ts";
import { decisionOf, withoutArguments } from "../telemetry/decision-line.ts";
import { edges } from "../telemetry/edges.ts";
import { chart } from "../telemetry/history.ts";
import type { Recent } from "../telemetry/recent.ts";
import { STAT_KINDS, statBy, statServers } from "../telemetry/stat.ts";
import type { Activity } from "../telemetry/stat.ts";
import type { Tap, TapFilter } from "../telemetry/tap.ts";
import { MAX_WINDOW_SECONDS } from "../telemetry/traffic.ts";
import type { Traffic, Window } from "../telemetry/traffic.ts";
import { json } from "./answer.ts";
import type { Answer, Page } from "./answer.ts";
import { streamTap } from "./tap-stream.ts";

export type ApiOptions = {
  readonly policies: () => PolicySet;
  readonly report: () => PolicyReport;
  readonly traffic: Traffic;
  readonly recent: Recent;
  readonly tap: Tap;
  readonly activity: () => readonly Activity[];
  readonly decisionLog: Pick<DecisionLog, "dropped" | "queuedBytes" | "head">;
  /** Of this start of the process: another one has another. */
  readonly info: {
    readonly version: string;
    readonly startedAtMs: number;
    readonly id: string;
    /** Where Envoy asks; undefined before the listener is open. */
    readonly listen: () => string | undefined;
  };
};

const MIN_WINDOW_SECONDS = 10;
const DEFAULT_WINDOW_SECONDS = 60;

export function apiPages(options: ApiOptions): readonly (readonly [path: string, page: Page])[] {
  const { policies, report, traffic, recent, tap, activity, decisionLog, info } = options;
  const known = (): readonly string[] => policies().servers.map(({ name }) => name);
  const rows = (about: string, read: (window: Window, query: URLSearchParams) => readonly { server: string }[]): Page =>
    page(`${about} (?window=60&server=)`, (query) => {
      const seconds = windowOf(query, DEFAULT_WINDOW_SECONDS);
      if (!seconds.ok) return json(400, { error: seconds.error });
      const server = query.get("server");
      const found = read(traffic.window(seconds.value), query);
      const wanted = server === null ? found : found.filter((row) => row.server === server);
      return json(200, { windowSeconds: seconds.value, rows: wanted });
    });
  const stats = STAT_KINDS.map((kind) => {
    const about = kind === "servers" ? "golden signals by server" : `the same by what is asked: ${kind}`;
    const read = (window: Window) =>
      kind === "servers" ? statServers(window, known(), activity()) : statBy(kind, window);
    return [`/api/stat/${kind}`, rows(about, read)] as const;
  });
  return [
    ["/api/info", page("version, start", () => json(200, describeInfo(info)))],
    [
      "/api/policies",
      page("the policies in force, their rules, problems and warnings", () =>
        json(200, describePolicies(policies(), report(), traffic)),
      ),
    ],
    ...stats,
    ["/api/edges", rows("who talks to whom (&by=tool)", (window, query) => edges(window, query.get("by") === "tool"))],
    ["/api/authz", rows("which rule decided what", (window) => authz(window, policies().rules))],
    [
      "/api/history",
      page("the last minutes, slot by slot (?window=300)", (query) => {
        const seconds = windowOf(query, MAX_WINDOW_SECONDS);
        return seconds.ok ? json(200, chart(traffic.history(seconds.value))) : json(400, { error: seconds.error });
      }),
    ],
    [
      "/api/denials",
      page("the last calls refused, and why", () =>
        json(200, { denials: recent.list().map((record) => decisionOf(withoutArguments(record))) }),
      ),
    ],
    ["/api/streams", page("calls and event streams that are open", () => json(200, { servers: activity() }))],
    ["/api/decision-log", page("what it has lost, and its chain", () => json(200, describeLog(decisionLog)))],
    [
      "/api/tap",
      {
        about: "calls as they end, as server-sent events (?server=&tool=&caller=&denied=true&arguments=true)",
        stream: (query, response) => streamTap(tap, filterOf(query), response),
      },
    ],
  ];
}

const page = (about: string, answer: (query: URLSearchParams) => Answer): Page => ({ about, answer });

function windowOf(query: URLSearchParams, fallback: number): Result<number, string> {
  const text = query.get("window") ?? String(fallback);
  const seconds = Number(text);
  return /^[0-9]+$/.test(text) && seconds >= MIN_WINDOW_SECONDS && seconds <= MAX_WINDOW_SECONDS
    ? ok(seconds)
    : err(
        `window: expected whole seconds from ${MIN_WINDOW_SECONDS} to ${MAX_WINDOW_SECONDS}, not ${JSON.stringify(text)}`,
      );
}

function filterOf(query: URLSearchParams): TapFilter {
  const named = (["server", "tool", "caller"] as const).flatMap((name) => {
    const text = query.get(name);
    return text === null ? [] : [[name, parsePattern(text)] as const];
  });
  return { ...Object.fromEntries(named), denied: isSet(query, "denied"), arguments: isSet(query, "arguments") };
}

const isSet = (query: URLSearchParams, name: string): boolean => query.get(name) === "true";

/** The head is for whoever keeps it where the log cannot be written: `toolgate log verify --head`. */
const describeLog = ({ dropped, queuedBytes, head }: ApiOptions["decisionLog"]) => ({
  dropped: dropped(),
  queuedBytes: queuedBytes(),
  head: head(),
});

const describeInfo = ({ version, startedAtMs, id, listen }: ApiOptions["info"]) => ({
  version,
  startedAt: new Date(startedAtMs).toISOString(),
  id,
  listen: listen(),
});

const describePolicies = (
  policies: PolicySet,
  { generation, lastSyncedAtMs, problems, warnings }: PolicyReport,
  traffic: Traffic,
) => ({
  generation,
  lastSynced: lastSyncedAtMs === undefined ? null : new Date(lastSyncedAtMs).toISOString(),
  servers: policies.servers.map(({ name }) => name),
  counts: policies.counts,
  rules: policies.rules.map((rule) => ({
    ...rule,
    ...(traffic.hits(rule.policy, rule.rule) ?? { allowed: 0, denied: 0, audited: 0 }),
  })),
  problems,
  warnings,
});
