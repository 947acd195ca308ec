/** What the API could answer, made of a list of flows: callers, tools, and how calls end. No clock: the page's tests are given one. */
import type {
  Activity,
  AuthzRow,
  DecisionLine,
  EdgeRow,
  History,
  Policies,
  RuleRow,
  StatRow,
} from "../../src/admin/page/answers.js";

/** Calls of one caller to one tool in the window. */
export type Flow = {
  readonly caller: string;
  readonly server: string;
  readonly tool: string;
  readonly requests: number;
  readonly errors?: number;
  readonly clientErrors?: number;
  readonly denied?: number;
  readonly audited?: number;
  readonly seconds?: number;
};

export type World = {
  readonly nowMs: number;
  readonly flows: readonly Flow[];
  readonly rules: readonly RuleRow[];
  readonly denials: readonly DecisionLine[];
  readonly streams: readonly Activity[];
  readonly servers: readonly string[];
  readonly problems?: Policies["problems"];
  readonly warnings?: Policies["warnings"];
  readonly startedAtMs?: number;
  readonly id?: string;
};

export type Api = Readonly<Record<string, (query: URLSearchParams) => unknown>>;

const SLOT_SECONDS = 10;
const SLOTS = 30;

/** By path, as the admin server answers. */
export function apiOf(world: World): Api {
  const { flows, nowMs } = world;
  const started = new Date(world.startedAtMs ?? nowMs - 3 * 3_600_000).toISOString();
  const rows = (read: (windowSeconds: number) => readonly unknown[]) => (query: URLSearchParams) => {
    const windowSeconds = Number(query.get("window") ?? 60);
    return { windowSeconds, rows: read(windowSeconds) };
  };
  return {
    "/api/info": () => ({ version: "0.1.0", startedAt: started, id: world.id ?? "first", listen: "127.0.0.1:9002" }),
    "/api/policies": () => policiesOf(world),
    "/api/stat/servers": rows((window) =>
      world.servers.map((server) => ({
        ...stat(
          flows.filter((flow) => flow.server === server),
          window,
        ),
        server,
        inflight: world.streams.find((one) => one.server === server)?.inflight ?? 0,
        streams: world.streams.find((one) => one.server === server)?.streams ?? 0,
      })),
    ),
    "/api/stat/tools": rows((window) =>
      groups(flows, ({ server, tool }) => [server, tool]).map((group) => ({
        ...stat(group, window),
        server: first(group).server,
        method: "tools/call",
        name: first(group).tool,
      })),
    ),
    "/api/stat/prompts": rows(() => []),
    "/api/stat/resources": rows(() => []),
    "/api/edges": (query) => {
      const byTool = query.get("by") === "tool";
      const read = (window: number): EdgeRow[] =>
        groups(flows, ({ caller, server, tool }) => [caller, server, byTool ? tool : ""]).map((group) =>
          edge(group, window, byTool),
        );
      return rows(read)(query);
    },
    "/api/authz": rows((): AuthzRow[] =>
      flows.map(({ server, tool, requests, denied = 0, audited = 0 }) => ({
        server,
        method: "tools/call",
        name: tool,
        policy: "tools/readers",
        rule: "readers-may-read",
        mode: audited > 0 ? "Audit" : "Enforce",
        allowed: requests - denied - audited,
        denied,
        audited,
      })),
    ),
    "/api/history": () => historyOf(world),
    "/api/denials": () => ({ denials: world.denials }),
    "/api/streams": () => ({ servers: world.streams }),
  };
}

const policiesOf = ({ rules, servers, problems = [], warnings = [], nowMs }: World): Policies => ({
  generation: 3,
  lastSynced: new Date(nowMs - 60_000).toISOString(),
  servers: [...servers],
  counts: {
    servers: servers.length,
    policies: new Set(rules.map(({ policy }) => policy)).size,
    rules: rules.length,
    invalid: 0,
  },
  rules: [...rules],
  problems,
  warnings,
});

function stat(group: readonly Flow[], window: number): Omit<StatRow, "server"> {
  const requests = sum(group, (flow) => flow.requests);
  const denied = sum(group, (flow) => flow.denied ?? 0);
  const errors = sum(group, (flow) => flow.errors ?? 0);
  const answered = requests - denied;
  const seconds = Math.max(0, ...group.map((flow) => flow.seconds ?? 0.02));
  const timed = (factor: number): number | null => (answered === 0 ? null : seconds * factor);
  return {
    requests,
    rps: requests / window,
    answered,
    success: answered === 0 ? null : 1 - errors / answered,
    availability: answered === 0 ? null : 1 - Math.ceil(errors / 2) / answered,
    tool_errors: Math.floor(errors / 2),
    client_errors: sum(group, (flow) => flow.clientErrors ?? 0),
    denied,
    audited: sum(group, (flow) => flow.audited ?? 0),
    p50: timed(0.4),
    p95: timed(1),
    p99: timed(1.6),
  };
}

function edge(group: readonly Flow[], window: number, byTool: boolean): EdgeRow {
  const { caller, server, tool } = first(group);
  const { requests, rps, answered, success, denied } = stat(group, window);
  const errors = sum(group, (flow) => flow.errors ?? 0);
  const identity = caller === "anonymous" ? "anonymous:jwt-missing" : caller.includes("/") ? "spiffe" : "jwt";
  const tools = new Set(group.map((flow) => flow.tool)).size;
  return {
    caller,
    identity,
    server,
    tools,
    ...(byTool ? { tool } : {}),
    requests,
    rps,
    answered,
    success,
    denied,
    errors,
  };
}

function historyOf({ flows, nowMs }: World): History {
  const end = Math.floor(nowMs / 1_000 / SLOT_SECONDS) * SLOT_SECONDS;
  const slots = Array.from({ length: SLOTS }, (_, i) => end - (SLOTS - i) * SLOT_SECONDS);
  const wave = (seed: number, i: number): number =>
    1 + 0.35 * Math.sin(i / 3 + seed) + 0.15 * Math.sin(i * 1.7 + seed * 3);
  return {
    slotSeconds: SLOT_SECONDS,
    slots: flows.length === 0 ? [] : slots,
    series: groups(flows, ({ server, tool }) => [server, tool]).map((group, seed) => {
      const each = (member: (flow: Flow) => number): number[] =>
        slots.map((_, i) => Math.round((sum(group, member) / 6) * wave(seed, i)));
      const { p95 } = stat(group, 60);
      return {
        server: first(group).server,
        method: "tools/call",
        name: first(group).tool,
        requests: each((flow) => flow.requests),
        errors: each((flow) => flow.errors ?? 0),
        denied: each((flow) => flow.denied ?? 0),
        p95: slots.map((_, i) => (p95 === null ? null : p95 * wave(seed + 1, i))),
      };
    }),
  };
}

function groups(flows: readonly Flow[], keyOf: (flow: Flow) => readonly string[]): readonly (readonly Flow[])[] {
  return [...Map.groupBy(flows, (flow) => JSON.stringify(keyOf(flow))).values()];
}

function first(group: readonly Flow[]): Flow {
  const flow = group[0];
  if (flow === undefined) throw new Error("a group has a flow");
  return flow;
}

const sum = (group: readonly Flow[], member: (flow: Flow) => number): number =>
  group.reduce((all, flow) => all + member(flow), 0);
