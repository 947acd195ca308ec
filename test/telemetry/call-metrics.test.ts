import { describe, expect, test } from "vitest";
import type { ExchangeRecord } from "../../src/core/exchange/record.ts";
import { allow, compiled, deny, FROM_READER, policyDocument, serverDocument } from "../fixtures/policies.ts";
import { denied, record, user } from "./records.ts";
import { create, samples, total, values } from "./samples.ts";
import type { Sample } from "./samples.ts";

const MINUTE_MS = 60_000;

/** One line for each sample: its label values and its number. */
const lines = (all: readonly Sample[]): readonly string[] =>
  all.map(({ labels, value }) => [...Object.values(labels), value].join(" "));

describe("toolgate_hidden_items_total", () => {
  test("counts what was taken out of lists, by server and method", async () => {
    const metrics = create();
    const list = { method: "tools/list", target: undefined } as const;
    metrics.record(record({ ...list, hiddenItems: 3 }));
    metrics.record(record({ ...list, hiddenItems: 2 }));
    metrics.record(record({ ...list, method: "prompts/list", hiddenItems: 1 }));
    metrics.record(record(list));
    expect(lines(await samples(metrics, "toolgate_hidden_items_total"))).toStrictEqual([
      "tools/everything tools/list 5",
      "tools/everything prompts/list 1",
    ]);
  });
});

describe("toolgate_refusals_total", () => {
  test("counts refusals by reason, those of requests that could not be read too", async () => {
    const metrics = create();
    metrics.record(denied());
    metrics.record(denied());
    metrics.record(denied({ method: "unknown", target: undefined, reason: "malformed-json" }));
    metrics.record(denied({ server: undefined, method: "unknown", target: undefined, reason: "unknown-server" }));
    metrics.record(record({ decision: "audit", mode: "Audit", reason: "denied-by-rule" }));
    metrics.record(record());
    expect(lines(await samples(metrics, "toolgate_refusals_total"))).toStrictEqual([
      "tools/everything no-rule-allows 2",
      "tools/everything malformed-json 1",
      "_unknown unknown-server 1",
    ]);
  });
});

describe("toolgate_protocol_revisions_total", () => {
  test("counts calls by revision; one that a caller has made up is no label", async () => {
    const metrics = create();
    for (const revision of ["2025-06-18", "2026-07-28", "2026-07-28", undefined]) metrics.record(record({ revision }));
    for (let i = 0; i < 100; i++) metrics.record(denied({ revision: `2099-${i}` }));
    expect(lines(await samples(metrics, "toolgate_protocol_revisions_total"))).toStrictEqual([
      "tools/everything 2025-06-18 1",
      "tools/everything 2026-07-28 2",
      "tools/everything _none 1",
      "tools/everything _other 100",
    ]);
  });
});

describe("toolgate_rule_hits_total", () => {
  const ENFORCED = policyDocument("enforced", [
    allow("may", FROM_READER, { tools: ["echo"] }),
    deny("may-not", FROM_READER, { tools: ["delete"] }),
  ]);
  const AUDITED = policyDocument("audited", [deny("would-not", FROM_READER, { tools: ["old"] })], { mode: "Audit" });
  const { policies } = compiled([serverDocument("everything", [{ path: "/mcp" }]), ENFORCED, AUDITED]);

  test("has each rule in force at zero, under the decision that it makes", async () => {
    const hits = lines(await samples(create({ inForce: () => policies }), "toolgate_rule_hits_total"));
    expect(hits.toSorted()).toStrictEqual([
      "tools/audited would-not audit 0",
      "tools/enforced may allow 0",
      "tools/enforced may-not deny 0",
    ]);
  });

  test("counts decisions, those of the built-in rules too", async () => {
    const metrics = create({ inForce: () => policies });
    metrics.record(record({ rule: { policy: "tools/enforced", rule: "may" } }));
    metrics.record(denied());
    expect(lines(await samples(metrics, "toolgate_rule_hits_total")).toSorted()).toStrictEqual([
      "toolgate default-deny deny 1",
      "tools/audited would-not audit 0",
      "tools/enforced may allow 1",
      "tools/enforced may-not deny 0",
    ]);
  });

  test("keeps a rule for as long as it is in force, however idle", async () => {
    let now = 0;
    let inForce: Pick<typeof policies, "servers" | "rules"> = policies;
    const metrics = create({ nowMs: () => now, inForce: () => inForce });
    metrics.record(record({ rule: { policy: "tools/enforced", rule: "may" } }));
    now = 60 * MINUTE_MS;
    expect(lines(await samples(metrics, "toolgate_rule_hits_total"))).toContain("tools/enforced may allow 1");
    inForce = { servers: [], rules: [] };
    now = 120 * MINUTE_MS;
    expect(await samples(metrics, "toolgate_rule_hits_total")).toStrictEqual([]);
  });

  test("has no more of those that never hit than half of its cap, and a rule that hits has room", async () => {
    const rules = Array.from({ length: 3_000 }, (_, i) => ({
      policy: "tools/many",
      rule: `rule-${i}`,
      action: "Allow" as const,
      mode: "Enforce" as const,
      servers: [],
    }));
    const metrics = create({ inForce: () => ({ servers: [], rules }) });
    expect(await samples(metrics, "toolgate_rule_hits_total")).toHaveLength(1_000);
    metrics.record(record({ rule: { policy: "tools/many", rule: "rule-2999" } }));
    expect(lines(await samples(metrics, "toolgate_rule_hits_total"))).toContain("tools/many rule-2999 allow 1");
    expect(await samples(metrics, "toolgate_label_overflow_total")).toStrictEqual([]);
  });
});

describe("a tool that is known", () => {
  const policiesFor = (tools: readonly string[]) =>
    compiled([
      serverDocument("everything", [{ path: "/mcp" }]),
      policyDocument("p", [allow("may", FROM_READER, { tools }), deny("may-not", FROM_READER, { tools: ["delete"] })]),
    ]).policies;
  const DURATIONS = "mcp_server_operation_duration_seconds_count";
  const list = (names: readonly string[]): ExchangeRecord =>
    record({ method: "tools/list", target: undefined, listed: [{ kind: "tool", names }] });

  test("is there at zero before its first call: named by a policy, or listed by its server", async () => {
    const policies = policiesFor(["echo", "get-*"]);
    const metrics = create({ inForce: () => policies, isNamed: policies.isNamed });
    metrics.record(list(["search"]));
    const seen = await samples(metrics, DURATIONS);
    expect(
      seen.map(({ labels, value }) => [labels["mcp_method_name"], labels["gen_ai_tool_name"], labels["result"], value]),
    ).toStrictEqual([
      ["tools/list", "", "ok", 1],
      ["tools/call", "echo", "ok", 0],
      ["tools/call", "delete", "ok", 0],
      ["tools/call", "search", "ok", 0],
    ]);
  });

  test("is counted in the same series when it is called, and stays when it is idle", async () => {
    let now = 0;
    const policies = policiesFor(["echo"]);
    const metrics = create({ nowMs: () => now, inForce: () => policies, isNamed: policies.isNamed });
    await metrics.expose();
    metrics.record(record());
    now = 60 * MINUTE_MS;
    const seen = await samples(metrics, DURATIONS);
    expect(seen.map(({ labels, value }) => [labels["gen_ai_tool_name"], value])).toStrictEqual([
      ["echo", 1],
      ["delete", 0],
    ]);
  });

  test("does not take the room of one that is called: half of the names of a server stay for those", async () => {
    const policies = policiesFor(["a"]);
    const metrics = create({ inForce: () => policies, isNamed: policies.isNamed });
    const names = Array.from({ length: 1_000 }, (_, i) => `tool-${i}`);
    for (let page = 0; page < 10; page++) {
      metrics.record(list(names.slice(page * 100, page * 100 + 100)));
      await metrics.expose();
    }
    expect(await samples(metrics, DURATIONS)).toHaveLength(101); // With the lists themselves.
    for (const name of names.slice(-100)) metrics.record(record({ target: { kind: "tool", name } }));
    expect(values(await samples(metrics, DURATIONS), "gen_ai_tool_name")).not.toContain("_overflow");
  });

  test("is gone when nobody names it any more", async () => {
    let now = 0;
    let policies = policiesFor(["echo"]);
    const isNamed: typeof policies.isNamed = (...of) => policies.isNamed(...of);
    const metrics = create({ nowMs: () => now, inForce: () => policies, isNamed });
    await metrics.expose();
    policies = policiesFor(["other"]);
    now = 60 * MINUTE_MS;
    expect(values(await samples(metrics, DURATIONS), "gen_ai_tool_name")).toStrictEqual(["delete", "other"]);
  });
});

describe("toolgate_clients_total", () => {
  const clients = async (...all: readonly (readonly [string, (string | undefined)?])[]): Promise<readonly string[]> => {
    const metrics = create();
    for (const [name, version] of all) metrics.record(record({ client: { name, version } }));
    return lines(await samples(metrics, "toolgate_clients_total"));
  };

  test("counts clients by name and major version, as they say them", async () => {
    const odd = ["1x", "v", "12345.0", "latest", "", undefined].map((version) => ["odd", version] as const);
    expect(
      await clients(["inspector", "2.12.0"], ["inspector", "2.0.0-rc.1"], ["inspector", "v3"], ["go sdk"], ...odd),
    ).toStrictEqual([
      "tools/everything inspector/2 2",
      "tools/everything inspector/3 1",
      "tools/everything go sdk 1",
      "tools/everything odd 6",
    ]);
  });

  test("has no client that cannot be read well", async () => {
    expect(await clients(["x".repeat(65), "1"], ["a\nb"], ["a\u202eb"])).toStrictEqual(["tools/everything _unknown 3"]);
  });

  test("has room for 50, and says how many calls were of others", async () => {
    const metrics = create();
    for (let i = 0; i < 1_000; i++) metrics.record(record({ client: { name: `client-${i}`, version: undefined } }));
    const all = await samples(metrics, "toolgate_clients_total");
    expect([all.length, total(all)]).toStrictEqual([51, 1_000]);
    expect(await samples(metrics, "toolgate_label_overflow_total")).toStrictEqual([
      { labels: { label: "client" }, value: 950 },
    ]);
  });

  test("forgets who has not been seen for 10 minutes, and has room again", async () => {
    let now = 0;
    const metrics = create({ nowMs: () => now });
    for (let i = 0; i < 50; i++) metrics.record(record({ client: { name: `client-${i}`, version: undefined } }));
    now = 10 * MINUTE_MS;
    await metrics.expose();
    metrics.record(record({ client: { name: "late", version: "1" } }));
    expect(lines(await samples(metrics, "toolgate_clients_total"))).toStrictEqual(["tools/everything late/1 1"]);
  });
});

describe("the sizes of bodies", () => {
  test("are counted by tool, where they are known", async () => {
    const metrics = create();
    metrics.record(record({ sizes: { requestBytes: 100, responseBytes: 20_000 } }));
    metrics.record(denied({ sizes: { requestBytes: 200, responseBytes: undefined } }));
    metrics.record(record({ sizes: undefined }));
    const labels = { mcp_server: "tools/everything", gen_ai_tool_name: "echo" };
    expect(await samples(metrics, "toolgate_request_body_bytes_sum")).toStrictEqual([{ labels, value: 300 }]);
    expect(await samples(metrics, "toolgate_response_body_bytes_sum")).toStrictEqual([{ labels, value: 20_000 }]);
    const buckets = await samples(metrics, "toolgate_response_body_bytes_bucket");
    expect(buckets.map(({ labels: { le }, value }) => `${le}=${value}`).join(" ")).toBe(
      "1024=0 16384=0 262144=1 4194304=1 16777216=1 +Inf=1",
    );
  });
});

describe("the duration's exemplar", () => {
  test("is the trace of the call and when it ended, for who reads OpenMetrics", async () => {
    const metrics = create();
    metrics.record(record());
    expect(String(await metrics.expose("openmetrics"))).not.toContain("trace_id");
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    metrics.record(record({ trace: { traceId, parent: undefined, linked: undefined, spans: undefined } }));
    metrics.record(record({ trace: { traceId: undefined, parent: undefined, linked: undefined, spans: undefined } }));
    const exemplars = String(await metrics.expose("openmetrics"))
      .split("\n")
      .filter((line) => line.includes("trace_id"));
    expect(exemplars).toStrictEqual([
      expect.stringMatching(
        /le="0\.02"\} 3 # \{trace_id="0af7651916cd43dd8448eb211c80319c"\} 0\.0123456 1788179415\.262$/,
      ),
    ]);
    expect(String(await metrics.expose("plain"))).not.toContain("trace_id");
  });
});

describe("the number of series", () => {
  const FAMILIES = [
    "toolgate_rule_hits_total",
    "toolgate_refusals_total",
    "toolgate_protocol_revisions_total",
    "toolgate_hidden_items_total",
    "toolgate_request_body_bytes_count",
    "toolgate_response_body_bytes_count",
  ];

  test("does not depend on 100,000 invented tools, callers, sessions, revisions and clients", async () => {
    const metrics = create();
    for (let i = 0; i < 100_000; i++) {
      const invented: Partial<ExchangeRecord> = {
        identity: user(`user-${i}`),
        target: { kind: "tool", name: `t${i}` },
        session: `s${i}`,
        revision: `r${i}`,
        client: { name: `c${i}`, version: `${i}.0.0` },
      };
      metrics.record(i % 2 === 0 ? denied(invented) : record({ ...invented, hiddenItems: 1 }));
    }
    for (const name of FAMILIES) expect((await samples(metrics, name)).length, name).toBeLessThanOrEqual(2);
    expect(await samples(metrics, "toolgate_clients_total")).toHaveLength(51);
    expect(total(await samples(metrics, "toolgate_rule_hits_total"))).toBe(100_000);
  });

  test("stays under 2,000 with any number of servers and rules", async () => {
    const metrics = create();
    for (let i = 0; i < 10_000; i++)
      metrics.record(denied({ server: `tools/s${i}`, rule: { policy: "tools/p", rule: `r${i}` }, hiddenItems: 1 }));
    for (const name of FAMILIES) expect((await samples(metrics, name)).length, name).toBeLessThanOrEqual(2_001);
    expect(total(await samples(metrics, "toolgate_refusals_total"))).toBe(10_000);
  });
});
