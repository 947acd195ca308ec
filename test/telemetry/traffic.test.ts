import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ExchangeRecord } from "../../src/core/exchange/record.ts";
import type { Outcome } from "../../src/core/mcp/outcome.ts";
import { authz } from "../../src/telemetry/authz.ts";
import { edges } from "../../src/telemetry/edges.ts";
import { chart } from "../../src/telemetry/history.ts";
import { statBy, statServers } from "../../src/telemetry/stat.ts";
import { createTraffic, MAX_WINDOW_SECONDS } from "../../src/telemetry/traffic.ts";
import type { Traffic } from "../../src/telemetry/traffic.ts";
import { ANONYMOUS, denied, record, user, workload } from "./records.ts";

/** Milliseconds since the start. */
type Timed = { readonly atMs: number; readonly record: ExchangeRecord };

const isNamed = (): boolean => true;
const READER = workload("reader");
const ALICE = user("auth0|7");
const CALLERS = new Map([
  [READER, "agents/reader,spiffe"],
  [ALICE, "auth0|7,jwt"],
  [ANONYMOUS, "anonymous,anonymous:no-certificate, jwt-missing"],
]);

/** What has seen all of these, and is asked at `askedMs`. */
function seen(records: readonly Timed[], askedMs: number): Traffic {
  let now = 1_000_000;
  const traffic = createTraffic({ isNamed, nowMs: () => now });
  for (const { atMs, record: one } of records) {
    now = 1_000_000 + atMs;
    traffic.record(one);
  }
  now = 1_000_000 + askedMs;
  return traffic;
}

const OUTCOMES: readonly Outcome[] = [
  { kind: "ok" },
  { kind: "tool_error" },
  { kind: "cancelled" },
  { kind: "unread" },
  { kind: "timeout" },
  { kind: "rpc_error", code: -32603 },
  { kind: "rpc_error", code: -32602 },
  { kind: "rpc_error", code: -32000 },
  { kind: "rejected" },
];
const permitted: fc.Arbitrary<Partial<ExchangeRecord>> = fc.record({
  outcome: fc.constantFrom(...OUTCOMES),
  decision: fc.constantFrom("allow", "audit"),
});
const refused: fc.Arbitrary<Partial<ExchangeRecord>> = fc.constant({
  outcome: { kind: "denied" },
  decision: "deny",
  reason: "no-rule-allows",
});
const calls = fc.constantFrom<Partial<ExchangeRecord>>(
  { method: "tools/call", target: { kind: "tool", name: "echo" } },
  { method: "tools/call", target: { kind: "tool", name: "add" } },
  { method: "prompts/get", target: { kind: "prompt", name: "echo" } },
  { method: "resources/read", target: { kind: "resource", name: "x:/a" } },
  { method: "tools/list", target: undefined },
  { method: "GET", target: undefined },
);
const timed: fc.Arbitrary<Timed> = fc
  .record({
    atMs: fc.integer({ min: 0, max: 400_000 }),
    server: fc.constantFrom("tools/a", "tools/b", undefined),
    identity: fc.constantFrom(READER, ALICE, ANONYMOUS),
    rule: fc.constantFrom({ policy: "p/one", rule: "r" }, { policy: "p/two", rule: "r" }),
    call: calls,
    verdict: fc.oneof(permitted, refused),
    durationMs: fc.double({ min: 0, max: 400_000, noNaN: true }),
  })
  .map(({ atMs, call, verdict, ...rest }) => ({ atMs, record: record({ ...rest, ...call, ...verdict }) }));

/** The slow twin: from the records themselves, without slots, sets and labels. */
function slow(records: readonly Timed[], askedMs: number, windowSeconds: number) {
  const from = Math.floor(askedMs / 10_000) * 10_000 - Math.ceil(windowSeconds / 10) * 10_000;
  const inWindow = records.filter(({ atMs }) => atMs >= from).map((one) => one.record);
  const is =
    (...words: readonly string[]) =>
    (one: ExchangeRecord) =>
      words.includes(one.outcome.kind === "rpc_error" ? String(one.outcome.code) : one.outcome.kind);
  const ends = ["ok", "tool_error", "timeout", "rejected", "-32603", "-32602", "-32000"];
  return {
    seconds: Math.max(1, (askedMs - Math.max(0, from)) / 1_000),
    rows: inWindow,
    signals(some: readonly ExchangeRecord[]) {
      const ended = some.filter(is(...ends));
      const failures = some.filter(is("timeout", "-32603", "-32000")).length;
      const errors = some.filter(is("tool_error")).length;
      const share = (bad: number): number | null => (ended.length === 0 ? null : (ended.length - bad) / ended.length);
      return {
        requests: some.length,
        answered: ended.length,
        success: share(failures + errors),
        availability: share(failures),
        tool_errors: errors,
        client_errors: some.filter(is("rejected", "-32602")).length,
        denied: some.filter(is("denied")).length,
        audited: some.filter(({ decision }) => decision === "audit").length,
      };
    },
    /** Sorted, in seconds. */
    durations: (some: readonly ExchangeRecord[]) =>
      some
        .filter((one) => one.method !== "GET" && is(...ends)(one))
        .map(({ durationMs }) => durationMs / 1_000)
        .toSorted((a, b) => a - b),
  };
}

const inTime = fc
  .array(timed, { maxLength: 60 })
  .map((records) => records.toSorted((one, other) => one.atMs - other.atMs));
const asked = fc.record({
  records: inTime,
  laterMs: fc.integer({ min: 0, max: 30_000 }),
  window: fc.integer({ min: 10, max: MAX_WINDOW_SECONDS }),
});

const check = (property: (given: { records: readonly Timed[]; askedMs: number; window: number }) => void): void =>
  fc.assert(
    fc.property(asked, ({ records, laterMs, window }) =>
      property({ records, askedMs: (records.at(-1)?.atMs ?? 0) + laterMs, window }),
    ),
    { numRuns: 300 },
  );

describe("what is counted is what was recorded", () => {
  test("by server", () => {
    check(({ records, askedMs, window }) => {
      const twin = slow(records, askedMs, window);
      const read = seen(records, askedMs).window(window);
      expect(read.seconds).toBeCloseTo(twin.seconds, 6);
      for (const row of statServers(read, ["tools/a", "tools/c"], [])) {
        const some = twin.rows.filter(({ server }) => (server ?? "_unknown") === row.server);
        expect(row).toMatchObject(twin.signals(some));
        expect(row.rps).toBeCloseTo(some.length / twin.seconds, 6);
      }
    });
  });

  test("by tool, prompt and resource method; each call of these in one row", () => {
    check(({ records, askedMs, window }) => {
      const twin = slow(records, askedMs, window);
      const read = seen(records, askedMs).window(window);
      const rows = [...statBy("tools", read), ...statBy("prompts", read), ...statBy("resources", read)];
      for (const row of rows) {
        const isOf = ({ server, method, target }: ExchangeRecord): boolean =>
          (server ?? "_unknown") === row.server && method === row.method && nameOf(server, target) === row.name;
        expect(row).toMatchObject(twin.signals(twin.rows.filter(isOf)));
      }
      const counted = rows.reduce((sum, { requests }) => sum + requests, 0);
      expect(counted).toBe(twin.rows.filter(({ method }) => method !== "GET").length);
    });
  });

  test("by who calls whom", () => {
    check(({ records, askedMs, window }) => {
      const twin = slow(records, askedMs, window);
      const found = edges(seen(records, askedMs).window(window));
      expect(found.reduce((sum, { requests }) => sum + requests, 0)).toBe(twin.rows.length);
      for (const edge of found) {
        const some = twin.rows.filter(
          ({ server, identity }) =>
            (server ?? "_unknown") === edge.server && CALLERS.get(identity) === `${edge.caller},${edge.identity}`,
        );
        const { requests, success, denied: refusals } = twin.signals(some);
        const tools = new Set(
          some.filter(({ method }) => method === "tools/call").map((one) => nameOf(one.server, one.target)),
        );
        expect(edge).toMatchObject({ requests, success, denied: refusals, tools: tools.size });
      }
    });
  });

  test("by rule; a rule without calls has a row too", () => {
    const rules = [{ policy: "p/never", rule: "r", action: "Allow", mode: "Enforce", servers: ["tools/a"] }] as const;
    check(({ records, askedMs, window }) => {
      const twin = slow(records, askedMs, window);
      const rows = authz(seen(records, askedMs).window(window), rules);
      const total = (kind: "allowed" | "denied" | "audited") => rows.reduce((sum, row) => sum + row[kind], 0);
      const decided = (decision: ExchangeRecord["decision"]) =>
        twin.rows.filter((one) => one.decision === decision).length;
      expect([total("allowed"), total("denied"), total("audited")]).toEqual([
        decided("allow"),
        decided("deny"),
        decided("audit"),
      ]);
      expect(rows.filter(({ policy }) => policy === "p/never")).toMatchObject([{ allowed: 0, success: null, rps: 0 }]);
      for (const { policy, allowed } of rows.filter((row) => row.method === "tools/list" && row.server === "tools/a"))
        expect(allowed).toBe(
          twin.rows.filter(
            (one) =>
              one.method === "tools/list" &&
              one.server === "tools/a" &&
              one.rule.policy === policy &&
              one.decision === "allow",
          ).length,
        );
    });
  });

  test("slot by slot, and the slots of a history together are its window", () => {
    check(({ records, askedMs, window }) => {
      const { slots, series } = chart(seen(records, askedMs).history(window));
      const last = Math.floor(askedMs / 10_000);
      const first = Math.max(0, last - Math.ceil(window / 10));
      expect(slots).toHaveLength(last - first);
      for (const [at] of slots.entries()) {
        const some = records.filter(({ atMs }) => Math.floor(atMs / 10_000) === first + at).map((one) => one.record);
        const sum = (kind: "requests" | "errors" | "denied") =>
          series.reduce((all, one) => all + (one[kind][at] ?? 0), 0);
        expect(sum("requests")).toBe(some.length);
        expect(sum("denied")).toBe(some.filter(({ outcome }) => outcome.kind === "denied").length);
        const errors = ["tool_error", "timeout"];
        const codes = [-32603, -32000];
        expect(sum("errors")).toBe(
          some.filter(({ outcome }) =>
            outcome.kind === "rpc_error" ? codes.includes(outcome.code) : errors.includes(outcome.kind),
          ).length,
        );
      }
    });
  });

  test("a quantile is in the same bucket as the call it stands for", () => {
    check(({ records, askedMs, window }) => {
      const twin = slow(records, askedMs, window);
      const [row] = statServers(seen(records, askedMs).window(window), ["tools/a"], []);
      const durations = twin.durations(twin.rows.filter(({ server }) => server === "tools/a"));
      const exact = durations[Math.ceil(0.95 * durations.length) - 1];
      if (row?.server !== "tools/a") return;
      if (exact === undefined) {
        expect(row.p95).toBeNull();
        return;
      }
      const p95 = row.p95 ?? NaN;
      expect(p95).toBeLessThanOrEqual(Math.max(0.001, exact * 1.67));
      if (exact < 300) expect(p95).toBeGreaterThanOrEqual(exact <= 0.001 ? 0 : exact / 1.67);
    });
  });
});

describe("a window", () => {
  test("lets go of what is older, whatever came since", () => {
    const traffic = seen([{ atMs: 0, record: record() }], 309_999);
    expect(traffic.window(300).rows.map(({ requests }) => requests)).toEqual([1]);
    const later = seen([{ atMs: 0, record: record() }], 310_000);
    expect(later.window(300).rows.map(({ requests }) => requests)).toEqual([0]);
  });

  test("has a rate from the first call on", () => {
    expect(seen([{ atMs: 0, record: record() }], 100).window(60)).toMatchObject({ seconds: 1 });
  });
});

describe("what is kept is bounded", () => {
  test("names that nobody vouches for have one row", () => {
    const traffic = createTraffic({ isNamed: () => false });
    for (let i = 0; i < 5_000; i++) traffic.record(denied({ target: { kind: "tool", name: `made-up-${i}` } }));
    expect(traffic.window(60).rows).toMatchObject([{ name: "_unknown", requests: 5_000 }]);
  });

  test("past the cap of rows callers are counted together, and no call is lost", () => {
    const traffic = createTraffic({ isNamed, maxRows: 20 });
    for (let i = 0; i < 400; i++) traffic.record(record({ identity: user(`user-${i}`) }));
    const { rows } = traffic.window(60);
    expect(rows.length).toBeLessThanOrEqual(20);
    expect(rows.reduce((sum, { requests }) => sum + requests, 0)).toBe(400);
    expect(rows.map(({ caller }) => caller)).toContain("_overflow");
  });

  test("a row that is idle for ten minutes goes with the next call after that", () => {
    const old = { atMs: 0, record: record() };
    const other = record({ target: { kind: "tool", name: "add" } });
    expect(seen([old, { atMs: 590_000, record: other }], 590_000).window(60).rows).toHaveLength(2);
    expect(seen([old, { atMs: 610_000, record: other }], 610_000).window(60).rows).toMatchObject([{ name: "add" }]);
  });

  test("hits of rules are counted since the start, also when their rows are gone", () => {
    const rule = { policy: "p/one", rule: "r" };
    const traffic = seen(
      [
        { atMs: 0, record: record({ rule }) },
        { atMs: 0, record: record({ rule, decision: "audit" }) },
        { atMs: 900_000, record: denied({ rule }) },
      ],
      900_000,
    );
    expect(traffic.hits("p/one", "r")).toEqual({ allowed: 1, denied: 1, audited: 1 });
    expect(traffic.hits("p/one", "other")).toBeUndefined();
  });
});

test.each([
  [workload("reader"), "spiffe"],
  [{ ...ANONYMOUS, workload: { uri: "dns:host.example", name: "dns:host.example" } }, "mtls"],
  [user("alice"), "jwt"],
  [ANONYMOUS, "anonymous:no-certificate, jwt-missing"],
])("what vouches for a caller is told: %j", (identity, expected) => {
  expect(seen([{ atMs: 0, record: record({ identity }) }], 0).window(60).rows).toMatchObject([{ identity: expected }]);
});

function nameOf(server: string | undefined, target: ExchangeRecord["target"]): string | undefined {
  if (target === undefined || target.kind === "resource") return undefined;
  return server === undefined ? "_unknown" : target.name;
}
