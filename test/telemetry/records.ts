/** Records as exchanges leave them, for the tests of their readers. */
import type { ExchangeRecord } from "../../src/core/exchange/record.ts";
import type { Identity } from "../../src/core/identity/identity.ts";
import { DEFAULT_DENY } from "../../src/core/policy/decision.ts";

export const workload = (name: string): Identity => ({
  workload: { uri: `spiffe://cluster.local/ns/agents/sa/${name}`, name: `agents/${name}` },
  user: { absent: "jwt-missing" },
});

export const user = (subject: string): Identity => ({
  workload: { absent: "no-certificate" },
  user: { issuer: "https://idp.example", subject, claims: {} },
});

export const ANONYMOUS: Identity = { workload: { absent: "no-certificate" }, user: { absent: "jwt-missing" } };

/** An allowed call of the tool `echo`, but for what is given. */
export const record = (changes: Partial<ExchangeRecord> = {}): ExchangeRecord => ({
  server: "tools/everything",
  method: "tools/call",
  target: { kind: "tool", name: "echo" },
  identity: workload("reader"),
  decision: "allow",
  mode: "Enforce",
  rule: { policy: "tools/readers", rule: "readers-may-read" },
  reason: undefined,
  sentence: undefined,
  outcome: { kind: "ok" },
  listed: [],
  hiddenItems: 0,
  changedTools: [],
  answerFault: undefined,
  revision: "2025-06-18",
  requestId: "8c7a3a52-0a4d-4b7c-9d6e-2f1f5a0b1c2d",
  startedAtMs: Date.UTC(2026, 7, 31, 12, 30, 15, 250),
  durationMs: 12.3456,
  id: undefined,
  session: undefined,
  trace: undefined,
  client: undefined,
  sizes: { requestBytes: 120, responseBytes: 340 },
  arguments: undefined,
  ...changes,
});

export const denied = (changes: Partial<ExchangeRecord> = {}): ExchangeRecord =>
  record({ decision: "deny", rule: DEFAULT_DENY, reason: "no-rule-allows", outcome: { kind: "denied" }, ...changes });
