/** The situations in which the page has to be good: few tools, many, none, refusals without end, names that are attacks. */
import type { DecisionLine, RuleRow } from "../../src/admin/page/answers.js";
import type { Flow, World } from "./fixtures.ts";

/** When all of them are looked at. */
export const NOW_MS = Date.UTC(2026, 10, 29, 12, 3, 4);

const rule = (
  policy: string,
  name: string,
  action: string,
  mode: string,
  hits: readonly [number, number, number],
): RuleRow => ({
  policy,
  rule: name,
  action,
  mode,
  servers: ["tools/everything"],
  allowed: hits[0],
  denied: hits[1],
  audited: hits[2],
});

const refused = (secondsAgo: number, line: Partial<DecisionLine>): DecisionLine => ({
  v: 1,
  time: new Date(NOW_MS - secondsAgo * 1_000).toISOString(),
  request_id: "8c7a3a52-0a4d-4b7c-9d6e-2f1f5a0b1c2d",
  server: "tools/everything",
  method: "tools/call",
  caller: "agents/reader",
  workload: "spiffe://cluster.local/ns/agents/sa/reader",
  decision: "deny",
  mode: "Enforce",
  policy: "toolgate",
  rule: "default-deny",
  reason: "no-rule-allows",
  outcome: "denied",
  duration_ms: 0.412,
  ...line,
});

function withoutServer(line: DecisionLine): DecisionLine {
  const rest = { ...line };
  delete rest.server;
  return rest;
}

const NOT_ALLOWED = (tool: string): string =>
  `Blocked by policy: no rule lets agents/reader use tool ${tool} on server tools/everything (rule default-deny).`;

/** The demo with a morning's traffic. */
export const demo: World = {
  nowMs: NOW_MS,
  servers: ["tools/everything", "tools/files", "search/web"],
  flows: [
    { caller: "agents/reader", server: "tools/everything", tool: "echo", requests: 412, seconds: 0.024 },
    { caller: "agents/reader", server: "tools/everything", tool: "get-sum", requests: 96, seconds: 0.031, errors: 3 },
    { caller: "agents/reader", server: "tools/everything", tool: "get-env", requests: 14, denied: 14 },
    {
      caller: "agents/planner",
      server: "tools/everything",
      tool: "trigger-long-running-operation",
      requests: 18,
      audited: 18,
      seconds: 4.2,
    },
    {
      caller: "agents/planner",
      server: "search/web",
      tool: "search",
      requests: 240,
      seconds: 0.31,
      errors: 11,
      clientErrors: 4,
    },
    { caller: "agents/planner", server: "tools/files", tool: "read-file", requests: 131, seconds: 0.044 },
    { caller: "alice@example.com", server: "tools/files", tool: "read-file", requests: 37, seconds: 0.052 },
    { caller: "alice@example.com", server: "tools/files", tool: "write-file", requests: 9, denied: 4, seconds: 0.09 },
    { caller: "alice@example.com", server: "search/web", tool: "fetch-page", requests: 22, seconds: 1.3, errors: 2 },
    { caller: "anonymous", server: "search/web", tool: "search", requests: 6, denied: 6 },
  ],
  rules: [
    rule("tools/readers", "readers-may-read", "Allow", "Enforce", [5_120, 0, 0]),
    rule("tools/admins", "admins-may-do-everything", "Allow", "Enforce", [1_804, 0, 0]),
    rule("tools/admins", "nobody-reads-the-environment", "Deny", "Enforce", [0, 61, 0]),
    rule("tools/on-trial", "no-long-operations", "Deny", "Audit", [0, 0, 212]),
    rule("search/web", "planners-may-search", "Allow", "Enforce", [3_377, 0, 0]),
    rule("search/web", "interns-may-search", "Allow", "Enforce", [0, 0, 0]),
  ],
  denials: [
    refused(3, {
      tool: "get-env",
      policy: "tools/admins",
      rule: "nobody-reads-the-environment",
      reason: "denied-by-rule",
      sentence:
        "Blocked by policy: rule nobody-reads-the-environment of policy tools/admins denies agents/reader the use of tool get-env on server tools/everything.",
    }),
    refused(9, {
      tool: "trigger-long-running-operation",
      caller: "agents/planner",
      decision: "audit",
      mode: "Audit",
      policy: "tools/on-trial",
      rule: "no-long-operations",
      reason: "denied-by-rule",
      outcome: "ok",
      sentence:
        "Blocked by policy: rule no-long-operations of policy tools/on-trial denies agents/planner the use of tool trigger-long-running-operation on server tools/everything.",
    }),
    refused(12, {
      tool: "get-env",
      policy: "tools/admins",
      rule: "nobody-reads-the-environment",
      reason: "denied-by-rule",
      sentence:
        "Blocked by policy: rule nobody-reads-the-environment of policy tools/admins denies agents/reader the use of tool get-env on server tools/everything.",
    }),
    refused(41, {
      server: "tools/files",
      tool: "write-file",
      caller: "alice@example.com",
      sentence:
        "Blocked by policy: no rule lets alice@example.com use tool write-file on server tools/files (rule default-deny).",
    }),
    refused(75, {
      server: "search/web",
      tool: "search",
      caller: "anonymous",
      absent: "jwt-missing",
      reason: "no-access",
      sentence:
        "Blocked by policy: no rule gives anonymous (jwt-missing) access to server search/web (rule default-deny).",
    }),
    withoutServer(
      refused(160, {
        method: "initialize",
        caller: "anonymous",
        absent: "jwt-missing",
        rule: "unknown-server",
        reason: "unknown-server",
        sentence: "this request goes to no MCP server that policy knows",
      }),
    ),
  ],
  streams: [
    { server: "tools/everything", inflight: 2, streams: 3 },
    { server: "tools/files", inflight: 1, streams: 0 },
    { server: "search/web", inflight: 4, streams: 1 },
  ],
};

/** A new installation. */
export const nothing: World = {
  nowMs: NOW_MS,
  servers: [],
  flows: [],
  rules: [],
  denials: [],
  streams: [],
  startedAtMs: NOW_MS - 4_000,
};

/** 200 tools on 14 servers, called by 40 callers. */
export const many: World = {
  ...demo,
  servers: Array.from({ length: 14 }, (_, i) => `team-${i}/server-${i}`),
  flows: Array.from({ length: 400 }, (_, i): Flow => {
    const tool = i % 200;
    return {
      caller: `agents/agent-${(i * 7) % 40}`,
      server: `team-${tool % 14}/server-${tool % 14}`,
      tool: `tool-${String(tool).padStart(3, "0")}-with-a-name-of-some-length`,
      requests: 400 - i + (tool === 17 ? 900 : 0),
      errors: tool % 11 === 0 ? 12 : 0,
      denied: tool % 17 === 0 ? 9 : 0,
      seconds: 0.01 + (tool % 50) / 60,
    };
  }),
  rules: Array.from({ length: 60 }, (_, i) =>
    rule(`team-${i % 14}/policy-${i % 14}`, `rule-${i}`, i % 5 === 0 ? "Deny" : "Allow", "Enforce", [
      i % 5 === 0 ? 0 : i * 31,
      i % 5 === 0 ? i : 0,
      0,
    ]),
  ),
  streams: Array.from({ length: 14 }, (_, i) => ({ server: `team-${i}/server-${i}`, inflight: i, streams: i * 2 })),
};

/** The ring of refusals is full: 100, of which no two are the same, then those of a caller that never stops. */
export const refusals: World = {
  ...demo,
  denials: [
    ...Array.from({ length: 40 }, (_, i) => refused(i, { tool: "get-env", sentence: NOT_ALLOWED("get-env") })),
    ...Array.from({ length: 60 }, (_, i) => refused(60 + i, { tool: `tool-${i}`, sentence: NOT_ALLOWED(`tool-${i}`) })),
  ],
};

export const HOSTILE = `<img src=x onerror="window.attacked=true">`;

/** Names that callers and servers chose so that they would hurt. */
export const hostile: World = {
  ...demo,
  flows: [
    { caller: HOSTILE, server: "tools/everything", tool: HOSTILE, requests: 60, errors: 2 },
    { caller: "__proto__", server: "tools/everything", tool: "constructor", requests: 30, denied: 3 },
    { caller: `javascript:alert(1)"'\`\\`, server: "tools/everything", tool: "x".repeat(256), requests: 30 },
    { caller: "\u202eevil", server: "tools/everything", tool: "two\nlines\tand tabs", requests: 30 },
  ],
  denials: [
    refused(1, { caller: HOSTILE, tool: HOSTILE, sentence: `The tool ${HOSTILE} is not allowed.`, [HOSTILE]: HOSTILE }),
  ],
  rules: [rule("tools/readers", HOSTILE, "Allow", "Enforce", [1, 0, 0])],
  problems: [{ file: "a.yaml", line: 3, path: "spec.rules[0]", message: HOSTILE }],
};
