/** The script: which calls are made, in which order, and what each of them is on record as. Drawn with a seed. */
import { HOSTS, SERVERS } from "./policies.ts";
import type { ServerName } from "./policies.ts";
import { TOOLS, endingOf } from "./tools.ts";
import type { Ending, Tool } from "./tools.ts";

const ROLES = ["reader", "admin", "outsider", "anonymous"] as const;
/** `outsider`: has a token, and no rule names it. `anonymous`: has none. */
export type Role = (typeof ROLES)[number];
type Era = "2024-11-05" | "2025-11-25" | "2026-07-28";
const ERAS: readonly Era[] = ["2024-11-05", "2025-11-25", "2026-07-28"];
const MODERN: Era = "2026-07-28";

/** What is on record of one call, in the words of the decision log. */
export type OnRecord = {
  readonly caller: Role;
  readonly server: ServerName | undefined;
  readonly method: string;
  readonly tool?: string;
  readonly prompt?: string;
  readonly resource?: string;
  readonly decision: "allow" | "deny" | "audit";
  readonly policy: string;
  readonly rule: string;
  readonly reason?: string;
  readonly outcome: string;
  readonly code?: number;
  readonly status?: number;
};

export type Scripted = {
  /** The request id, under which the decision log has it. */
  readonly id: string;
  readonly role: Role;
  readonly http: "POST" | "GET" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly leaves?: Ending["leaves"];
  /** To be sent when the answer has begun: what takes the call back. */
  readonly takenBackBy?: Scripted;
  /** One but for a batch. */
  readonly records: readonly OnRecord[];
};

/** The header of a request that goes by the route with the time-out. */
export const IMPATIENT = "x-impatient";

type Random = (below: number) => number;
type Drawn = { readonly id: string; readonly role: Role; readonly server: ServerName; readonly era: Era };
type Verdict = Pick<OnRecord, "decision" | "policy" | "rule" | "reason">;
type Target = Pick<OnRecord, "tool" | "prompt" | "resource">;

const BASE: Verdict = { decision: "allow", policy: "toolgate", rule: "base-access" };
const NO_ACCESS = { decision: "deny", policy: "toolgate", rule: "default-deny", reason: "no-access" } as const;
const NO_RULE = { decision: "deny", policy: "toolgate", rule: "default-deny", reason: "no-rule-allows" } as const;
const FORBIDDEN = { decision: "deny", policy: "tools/limits", rule: "nobody-may", reason: "denied-by-rule" } as const;
const ON_TRIAL = { decision: "audit", policy: "tools/trial", rule: "on-trial", reason: "denied-by-rule" } as const;
const GRANTED: Readonly<Record<"reader" | "admin", Verdict>> = {
  reader: { decision: "allow", policy: "tools/readers", rule: "readers-may" },
  admin: { decision: "allow", policy: "tools/admins", rule: "admins-may" },
};

export type ScriptOptions = {
  readonly calls: number;
  /** So many of them, the last ones, find no server behind Envoy. */
  readonly orphaned: number;
  readonly seed: number;
};

export function scriptOf({ calls, orphaned, seed }: ScriptOptions): readonly Scripted[] {
  const random = randomFrom(seed);
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
  return Array.from({ length: calls }, (_, n) => {
    const drawn: Drawn = { id: `truth-${n}`, role: pick(ROLES), server: pick(SERVERS), era: pick(ERAS) };
    const call = random(4) === 0 ? pick(OTHERS)(drawn, random) : toolCall(drawn, pick(TOOLS));
    return n < calls - orphaned ? call : orphan(call);
  });
}

function orphan({ id, role, http, headers, body, records }: Scripted): Scripted {
  const failed = records.map(({ code: _code, status: _status, outcome, ...record }) => ({
    ...record,
    ...(outcome === "denied" ? { outcome } : { outcome: "transport_error", status: 503 }),
  }));
  return { id, role, http, headers, body, records: failed };
}

function toolCall(given: Drawn, name: Tool): Scripted {
  const ending = endingOf(name);
  const isLegacy = given.era !== MODERN;
  const era = ending.era === "legacy" && !isLegacy ? "2025-11-25" : ending.era === "modern" ? MODERN : given.era;
  const drawn = { ...given, era };
  const verdict = !hasAccess(drawn.role) ? NO_ACCESS : name === "watched" ? ON_TRIAL : GRANTED[drawn.role];
  const { leaves } = verdict.decision === "deny" ? {} : ending;
  const called = post(drawn, "tools/call", { name, arguments: {} }, { tool: name }, verdict, ending);
  const call = ending.isImpatient === true ? { ...called, headers: { ...called.headers, [IMPATIENT]: "1" } } : called;
  if (leaves === undefined) return call;
  const taking = { ...drawn, id: `${drawn.id}-taken-back` };
  const cancelled = { requestId: drawn.id };
  return leaves === "by a notification"
    ? { ...call, takenBackBy: post(taking, "notifications/cancelled", cancelled, {}, BASE, { outcome: "unread" }) }
    : { ...call, leaves };
}

const hasAccess = (role: Role): role is "reader" | "admin" => role === "reader" || role === "admin";

/** What is not a call of a tool that is somewhere. */
const OTHERS: readonly ((drawn: Drawn, random: Random) => Scripted)[] = [
  (drawn) => base(drawn, drawn.era === MODERN ? "server/discover" : "initialize", "ok"),
  (drawn) => base(drawn, "tools/list", "ok"),
  (drawn) => base({ ...drawn, era: "2025-11-25" }, "notifications/initialized", "unread"),
  (drawn) => named(drawn, "tools/call", { name: "forbidden", arguments: {} }, { tool: "forbidden" }, FORBIDDEN),
  (drawn, random) => {
    const name = `invented-${random(1_000)}`;
    const byRole = drawn.role === "admin" ? GRANTED.admin : NO_RULE;
    return named(drawn, "tools/call", { name, arguments: {} }, { tool: name }, byRole);
  },
  (drawn) => named(drawn, "prompts/get", { name: "secret" }, { prompt: "secret" }, FORBIDDEN),
  (drawn) => named(drawn, "prompts/get", { name: "greeting" }, { prompt: "greeting" }, grantedTo(drawn)),
  (drawn, random) => {
    const uri = `demo://item/${random(1_000)}`;
    return named(drawn, "resources/read", { uri }, { resource: uri }, grantedTo(drawn));
  },
  (drawn, random) => {
    const uri = `private://item/${random(1_000)}`;
    const byRole = drawn.role === "admin" ? GRANTED.admin : NO_RULE;
    return named(drawn, "resources/read", { uri }, { resource: uri }, byRole);
  },
  // A stream of the server's own, which its client leaves; and the end of a session.
  (drawn) => bare({ ...drawn, era: "2025-11-25" }, "GET", "ok"),
  (drawn) => bare({ ...drawn, era: "2025-11-25" }, "DELETE", "unread"),
  batch,
];

const grantedTo = ({ role }: Drawn): Verdict => (hasAccess(role) ? GRANTED[role] : NO_ACCESS);

const named = (drawn: Drawn, method: string, params: object, target: Target, verdict: Verdict): Scripted =>
  post(drawn, method, params, target, hasAccess(drawn.role) ? verdict : NO_ACCESS, { outcome: "ok" });

const base = (drawn: Drawn, method: string, outcome: Ending["outcome"]): Scripted =>
  post(drawn, method, {}, {}, hasAccess(drawn.role) ? BASE : NO_ACCESS, { outcome });

function bare(drawn: Drawn, http: "GET" | "DELETE", outcome: Ending["outcome"]): Scripted {
  const verdict = hasAccess(drawn.role) ? BASE : NO_ACCESS;
  const leaves = http === "GET" && verdict === BASE ? { leaves: "in the answer" as const } : {};
  return { ...request(drawn, http, {}, ""), ...leaves, records: [onRecord(drawn, http, {}, verdict, { outcome })] };
}

/** Of 2025-03-26, which says so by naming no other: a call that is granted, one that is not, and a notification. */
function batch(given: Drawn): Scripted {
  const drawn: Drawn = {
    ...given,
    server: "tools/beta",
    era: "2024-11-05",
    role: hasAccess(given.role) ? given.role : "reader",
  };
  const { id } = drawn;
  const parts = [
    message(`${id}-0`, "tools/call", { name: "json-ok", arguments: {} }),
    message(`${id}-1`, "tools/call", { name: "forbidden", arguments: {} }),
    message(undefined, "notifications/initialized", {}),
  ];
  return {
    ...request(drawn, "POST", {}, `[${parts.join(",")}]`),
    records: [
      onRecord(drawn, "tools/call", { tool: "json-ok" }, grantedTo(drawn), { outcome: "ok" }),
      onRecord(drawn, "tools/call", { tool: "forbidden" }, FORBIDDEN, { outcome: "ok" }),
      onRecord(drawn, "notifications/initialized", {}, BASE, { outcome: "unread" }),
    ],
  };
}

function post(
  drawn: Drawn,
  method: string,
  params: Readonly<Record<string, unknown>> | object,
  target: Target,
  verdict: Verdict,
  ending: Ending,
): Scripted {
  const isModern = drawn.era === MODERN;
  const name = target.tool ?? target.prompt ?? target.resource;
  const headers = isModern ? { "mcp-method": method, ...(name === undefined ? {} : { "mcp-name": name }) } : {};
  const id = method.startsWith("notifications/") ? undefined : drawn.id;
  const body = message(id, method, isModern ? { ...params, _meta: META } : params);
  return { ...request(drawn, "POST", headers, body), records: [onRecord(drawn, method, target, verdict, ending)] };
}

const META = {
  "io.modelcontextprotocol/protocolVersion": MODERN,
  "io.modelcontextprotocol/clientInfo": { name: "truth", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

const message = (id: string | undefined, method: string, params: object): string =>
  JSON.stringify({ jsonrpc: "2.0", ...(id === undefined ? {} : { id }), method, params });

const request = (
  { id, role, server, era }: Drawn,
  http: Scripted["http"],
  headers: Readonly<Record<string, string>>,
  body: string,
): Omit<Scripted, "records"> => ({
  id,
  role,
  http,
  headers: {
    host: HOSTS[server],
    "x-request-id": id,
    // Those of 2024-11-05 say nothing.
    ...(era === "2024-11-05" ? {} : { "mcp-protocol-version": era }),
    ...headers,
  },
  body,
});

const onRecord = (
  { role, server }: Drawn,
  method: string,
  target: Target,
  verdict: Verdict,
  { outcome, code, status }: Ending,
): OnRecord => ({
  caller: role,
  server,
  method,
  ...target,
  ...verdict,
  ...(verdict.decision === "deny"
    ? { outcome: "denied" }
    : { outcome, ...(code === undefined ? {} : { code }), ...(status === undefined ? {} : { status }) }),
});

/** Mulberry32: whole numbers from 0, the same ones for the same seed. */
function randomFrom(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
