import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { ExchangeRecord } from "../../src/core/exchange/record.ts";
import type { Outcome } from "../../src/core/mcp/outcome.ts";
import type { Metrics } from "../../src/telemetry/metrics.ts";
import { fanOut } from "../../src/telemetry/telemetry.ts";
import { PROMTOOL } from "../fixtures/prometheus.ts";
import { ANONYMOUS, denied, record, user, workload } from "./records.ts";
import { create, samples, total, values } from "./samples.ts";

const MINUTE_MS = 60_000;
const CALL_METRICS = [
  "toolgate_requests_total",
  "toolgate_authz_decisions_total",
  "mcp_server_operation_duration_seconds_count",
];

const toolLabels = async (metrics: Metrics): Promise<readonly string[]> =>
  values(await samples(metrics, "toolgate_requests_total"), "gen_ai_tool_name");

describe("a record", () => {
  test("is one increment of each series, with the labels of the call", async () => {
    const metrics = create();
    metrics.record(record());

    expect(await samples(metrics, "toolgate_requests_total")).toStrictEqual([
      {
        labels: {
          caller: "agents/reader",
          mcp_server: "tools/everything",
          mcp_method_name: "tools/call",
          gen_ai_tool_name: "echo",
          gen_ai_prompt_name: "",
          result: "ok",
          error_type: "",
        },
        value: 1,
      },
    ]);
    expect(await samples(metrics, "toolgate_authz_decisions_total")).toStrictEqual([
      {
        labels: {
          decision: "allow",
          caller: "agents/reader",
          mcp_server: "tools/everything",
          mcp_method_name: "tools/call",
          gen_ai_tool_name: "echo",
          gen_ai_prompt_name: "",
          policy: "tools/readers",
          rule: "readers-may-read",
          reason: "",
        },
        value: 1,
      },
    ]);
    expect(await samples(metrics, "mcp_server_operation_duration_seconds_sum")).toStrictEqual([
      {
        labels: {
          mcp_server: "tools/everything",
          mcp_method_name: "tools/call",
          gen_ai_tool_name: "echo",
          gen_ai_prompt_name: "",
          result: "ok",
        },
        value: 0.0123456,
      },
    ]);
  });

  test("of every kind counts once, and every sample of a metric has the same labels", async () => {
    const metrics = create();
    const outcomes: readonly Outcome[] = [
      { kind: "ok" },
      { kind: "tool_error" },
      { kind: "rpc_error", code: -32602 },
      { kind: "cancelled" },
      { kind: "timeout" },
      { kind: "transport_error" },
      { kind: "rejected" },
      { kind: "input_required" },
      { kind: "task" },
      { kind: "unread" },
    ];
    const records: readonly ExchangeRecord[] = [
      ...outcomes.map((outcome) => record({ outcome })),
      denied(),
      denied({ server: undefined, method: "unknown", target: undefined, reason: "unknown-server" }),
      record({ decision: "audit", mode: "Audit", reason: "denied-by-rule" }),
      record({ method: "prompts/get", target: { kind: "prompt", name: "simple-prompt" } }),
      record({ method: "resources/read", target: { kind: "resource", name: "demo://resource/1" } }),
    ];
    for (const one of records) metrics.record(one);

    for (const name of CALL_METRICS) {
      const all = await samples(metrics, name);
      expect(total(all), name).toBe(records.length);
      expect(new Set(all.map(({ labels }) => Object.keys(labels).join())).size, name).toBe(1);
    }
  });

  test.each<[Outcome, string]>([
    [{ kind: "ok" }, ""],
    [{ kind: "input_required" }, ""],
    [{ kind: "task" }, ""],
    [{ kind: "unread" }, ""],
    [{ kind: "tool_error" }, "tool_error"],
    [{ kind: "timeout" }, "timeout"],
    [{ kind: "cancelled" }, "cancelled"],
    [{ kind: "transport_error" }, "transport_error"],
    [{ kind: "rpc_error", code: -32602 }, "-32602"],
    [{ kind: "denied" }, "no-rule-allows"],
  ])("with the outcome %j has its own result and error type", async (outcome, errorType) => {
    const metrics = create();
    metrics.record(outcome.kind === "denied" ? denied() : record({ outcome }));
    const [sample] = await samples(metrics, "toolgate_requests_total");
    expect(sample?.labels).toMatchObject({ result: outcome.kind, error_type: errorType });
  });

  test("that HTTP has failed has its status as the error type, of which there are not many", async () => {
    const metrics = create();
    for (const [kind, httpStatus] of [
      ["rejected", 404],
      ["transport_error", 502],
      ["timeout", 504],
    ] as const)
      metrics.record(record({ outcome: { kind }, httpStatus }));
    for (let httpStatus = 430; httpStatus < 530; httpStatus++)
      metrics.record(record({ outcome: { kind: httpStatus < 500 ? "rejected" : "transport_error" }, httpStatus }));
    const types = (await samples(metrics, "toolgate_requests_total")).map(({ labels }) => labels["error_type"]);
    expect(types).toStrictEqual(["404", "502", "timeout", "4xx", "500", "5xx", "503", "504"]);
  });

  test("of a refusal in Audit mode is a decision of its own, and a success all the same", async () => {
    const metrics = create();
    metrics.record(record({ decision: "audit", mode: "Audit", reason: "denied-by-rule" }));
    const [decision] = await samples(metrics, "toolgate_authz_decisions_total");
    expect(decision?.labels).toMatchObject({ decision: "audit", reason: "denied-by-rule" });
    const [request] = await samples(metrics, "toolgate_requests_total");
    expect(request?.labels).toMatchObject({ result: "ok", error_type: "" });
  });

  test.each(["GET", "DELETE", "answer"] as const)("of %s is no operation with a duration", async (method) => {
    const metrics = create();
    metrics.record(record({ method, target: undefined }));
    expect(await samples(metrics, "mcp_server_operation_duration_seconds_count")).toStrictEqual([]);
    expect(total(await samples(metrics, "toolgate_requests_total"))).toBe(1);
  });

  test("falls into the buckets that the conventions advise", async () => {
    const metrics = create();
    metrics.record(record({ durationMs: 250 }));
    const buckets = await samples(metrics, "mcp_server_operation_duration_seconds_bucket");
    expect(buckets.map(({ labels, value }) => `${labels["le"]}=${value}`).join(" ")).toBe(
      "0.01=0 0.02=0 0.05=0 0.1=0 0.2=0 0.5=1 1=1 2=1 5=1 10=1 30=1 60=1 120=1 300=1 +Inf=1",
    );
  });

  test("goes to every reader", () => {
    const seen: string[] = [];
    const reader = (name: string) => ({ record: (one: ExchangeRecord) => void seen.push(`${name} ${one.method}`) });
    fanOut([reader("a"), reader("b")]).record(record());
    expect(seen).toStrictEqual(["a tools/call", "b tools/call"]);
  });
});

describe("the name of a tool or a prompt", () => {
  test("is no label when neither a policy nor the server has it", async () => {
    const metrics = create();
    metrics.record(denied({ target: { kind: "tool", name: "invented" } }));
    expect(await toolLabels(metrics)).toStrictEqual(["_unknown"]);
  });

  test("is a label once the server has listed it, on that server and of that kind only", async () => {
    const metrics = create();
    const get = { kind: "tool", name: "get-sum" } as const;
    metrics.record(record({ method: "tools/list", target: undefined, listed: [{ kind: "tool", names: ["get-sum"] }] }));
    metrics.record(record({ target: get }));
    metrics.record(record({ server: "tools/other", target: get }));
    metrics.record(record({ method: "prompts/get", target: { kind: "prompt", name: "get-sum" } }));

    const seen = await samples(metrics, "toolgate_requests_total");
    expect(
      seen.map(({ labels }) => [labels["mcp_server"], labels["gen_ai_tool_name"], labels["gen_ai_prompt_name"]]),
    ).toStrictEqual([
      ["tools/everything", "", ""],
      ["tools/everything", "get-sum", ""],
      ["tools/other", "_unknown", ""],
      ["tools/everything", "", "_unknown"],
    ]);
  });

  test("of a request to no server is no label", async () => {
    const metrics = create({ isNamed: () => true });
    metrics.record(denied({ server: undefined, reason: "unknown-server" }));
    const [sample] = await samples(metrics, "toolgate_requests_total");
    expect(sample?.labels).toMatchObject({ mcp_server: "_unknown", gen_ai_tool_name: "_unknown" });
  });

  test.each(["a\nb", "a\u202eb", "a\u2028b", "\u001b[31m", "a".repeat(513), "\ud800"])(
    "is no label when it is not fit to be read: %j",
    async (name) => {
      const metrics = create({ isNamed: () => true });
      metrics.record(record({ target: { kind: "tool", name } }));
      expect(await toolLabels(metrics)).toStrictEqual(["_unknown"]);
    },
  );

  test("is escaped where the format asks for it", async () => {
    const metrics = create({ isNamed: () => true });
    metrics.record(record({ target: { kind: "tool", name: 'a"} 1\\' } }));
    expect(String(await metrics.expose())).toContain('gen_ai_tool_name="a\\"} 1\\\\"');
  });

  test("of a resource is never a label", async () => {
    const metrics = create({ isNamed: () => true });
    metrics.record(record({ method: "resources/read", target: { kind: "resource", name: "demo://secret/42" } }));
    expect(String(await metrics.expose())).not.toContain("secret");
  });

  test("gives way to _overflow when the server has 200 already, and is counted", async () => {
    const metrics = create();
    const names = Array.from({ length: 300 }, (_, i) => `tool-${i}`);
    metrics.record(record({ method: "tools/list", target: undefined, listed: [{ kind: "tool", names }] }));
    for (const name of names) metrics.record(record({ target: { kind: "tool", name } }));

    const seen = await samples(metrics, "toolgate_requests_total");
    expect(values(seen, "gen_ai_tool_name")).toHaveLength(202); // 200 names, none, _overflow
    expect(total(seen)).toBe(301);
    expect(await samples(metrics, "toolgate_label_overflow_total")).toStrictEqual([
      { labels: { label: "gen_ai_tool_name" }, value: 100 },
    ]);
  });

  test("is forgotten by a server that lists names without end, and not by the others", async () => {
    const metrics = create();
    const list = (server: string, names: readonly string[]) =>
      metrics.record(record({ server, method: "tools/list", target: undefined, listed: [{ kind: "tool", names }] }));
    list("tools/honest", ["search"]);
    const always = "listed-every-time";
    for (let page = 0; page < 100; page++)
      list("tools/endless", [always, ...Array.from({ length: 100 }, (_, i) => `t-${page}-${i}`)]);
    metrics.record(record({ server: "tools/honest", target: { kind: "tool", name: "search" } }));
    metrics.record(record({ server: "tools/endless", target: { kind: "tool", name: "t-0-0" } }));
    metrics.record(record({ server: "tools/endless", target: { kind: "tool", name: "t-99-99" } }));
    metrics.record(record({ server: "tools/endless", target: { kind: "tool", name: always } }));
    expect(await toolLabels(metrics)).toStrictEqual(["", "_unknown", always, "search", "t-99-99"]);
  });
});

describe("the caller", () => {
  test("without an identity is anonymous", async () => {
    const metrics = create();
    metrics.record(denied({ identity: ANONYMOUS }));
    expect(values(await samples(metrics, "toolgate_requests_total"), "caller")).toStrictEqual(["anonymous"]);
  });

  test("is not in the histogram", async () => {
    const metrics = create();
    metrics.record(record());
    const lines = String(await metrics.expose())
      .split("\n")
      .filter((line) => line.startsWith("mcp_server_operation"));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => line.includes("agents/reader"))).toStrictEqual([]);
  });

  test("is told apart from another one when the values contain the client library's separator", async () => {
    const metrics = create({ isNamed: () => true });
    const prompt = (identity: ExchangeRecord["identity"], name: string) =>
      metrics.record(
        record({ identity, method: "prompts/get", target: { kind: "prompt", name }, outcome: { kind: "ok" } }),
      );
    prompt(user("a|"), "x");
    prompt(user("a"), "|x");
    const seen = await samples(metrics, "toolgate_requests_total");
    expect(seen.map(({ labels, value }) => [labels["caller"], labels["gen_ai_prompt_name"], value])).toStrictEqual([
      ["a|", "x", 1],
      ["a", "|x", 1],
    ]);
  });
});

describe("the number of series", () => {
  test("does not depend on 100,000 invented tool names, anonymous or not", async () => {
    const metrics = create();
    for (let i = 0; i < 100_000; i++) {
      metrics.record(
        denied({ identity: i % 2 ? ANONYMOUS : workload("reader"), target: { kind: "tool", name: `t${i}` } }),
      );
    }
    for (const name of CALL_METRICS) {
      const all = await samples(metrics, name);
      expect(all.length, name).toBeLessThanOrEqual(2);
      expect(total(all), name).toBe(100_000);
    }
  });

  test("stays under its caps with 100,000 verified callers, and no call is lost", async () => {
    const metrics = create();
    for (let i = 0; i < 100_000; i++) metrics.record(record({ identity: user(`user-${i}`) }));
    for (const name of CALL_METRICS) {
      const all = await samples(metrics, name);
      expect(all.length, name).toBeLessThanOrEqual(501);
      expect(total(all), name).toBe(100_000);
    }
    expect(await samples(metrics, "toolgate_label_overflow_total")).toStrictEqual([
      { labels: { label: "caller" }, value: 99_500 },
    ]);
  });

  test("stays under 2,000 when callers times tools are more: callers are given up first, tools last", async () => {
    const metrics = create({ isNamed: () => true });
    for (let i = 0; i < 100_000; i++) {
      const target = { kind: "tool", name: `tool-${i % 200}` } as const;
      metrics.record(record({ identity: user(`user-${Math.floor(i / 200)}`), target }));
    }
    for (const name of CALL_METRICS) {
      const all = await samples(metrics, name);
      expect(all.length, name).toBeLessThanOrEqual(2_000);
      expect(total(all), name).toBe(100_000);
      expect(values(all, "gen_ai_tool_name"), name).toHaveLength(200);
    }
  });

  test("stays bounded when nothing fits any more: what is left is the result and the decision", async () => {
    const metrics = create({ isNamed: () => true, maxLabelSets: 10 });
    for (let i = 0; i < 100; i++) metrics.record(record({ target: { kind: "tool", name: `tool-${i}` } }));
    for (let i = 0; i < 5; i++) metrics.record(denied({ target: { kind: "tool", name: `late-${i}` } }));
    const requests = await samples(metrics, "toolgate_requests_total");
    expect(requests).toHaveLength(12);
    expect(total(requests)).toBe(105);
    const { caller, mcp_server: server, result } = requests.at(-1)?.labels ?? {};
    expect({ caller, server, result }).toStrictEqual({ caller: "_overflow", server: "_overflow", result: "denied" });
    expect(requests.at(-1)?.value).toBe(5);
    const overflow = await samples(metrics, "toolgate_label_overflow_total");
    expect(values(overflow, "label")).toStrictEqual(["all", "caller"]);
  });

  test("stays bounded when a server makes up error codes; those with a meaning are always shown", async () => {
    const metrics = create();
    for (let code = 1; code <= 1_000; code++) metrics.record(record({ outcome: { kind: "rpc_error", code } }));
    metrics.record(record({ outcome: { kind: "rpc_error", code: -32603 } }));
    const types = values(await samples(metrics, "toolgate_requests_total"), "error_type");
    expect(types).toHaveLength(52);
    expect(types).toContain("_other");
    expect(types).toContain("-32603");
    expect(await samples(metrics, "toolgate_label_overflow_total")).toStrictEqual([
      { labels: { label: "error_type" }, value: 950 },
    ]);
  });
});

describe("an idle series", () => {
  test("goes after 10 minutes, from all three metrics, and makes room", async () => {
    let now = 0;
    const metrics = create({ nowMs: () => now, isNamed: () => true, maxNamesPerServer: 1 });
    metrics.record(record({ target: { kind: "tool", name: "early" } }));
    now = 5 * MINUTE_MS;
    metrics.record(record({ method: "tools/list", target: undefined }));
    now = 10 * MINUTE_MS - 1;
    for (const name of CALL_METRICS) expect(await samples(metrics, name), name).toHaveLength(2);

    now = 10 * MINUTE_MS;
    for (const name of CALL_METRICS) {
      const left = await samples(metrics, name);
      expect(
        left.map(({ labels }) => labels["mcp_method_name"]),
        name,
      ).toStrictEqual(["tools/list"]);
    }
    metrics.record(record({ target: { kind: "tool", name: "late" } }));
    expect(values(await samples(metrics, "toolgate_requests_total"), "gen_ai_tool_name")).toStrictEqual(["", "late"]);
  });

  test("stays while it is used, and begins at one when it comes back", async () => {
    let now = 0;
    const metrics = create({ nowMs: () => now });
    for (now = 0; now <= 60 * MINUTE_MS; now += 6 * MINUTE_MS) {
      metrics.record(record());
      await metrics.expose();
    }
    for (const name of CALL_METRICS) expect(total(await samples(metrics, name)), name).toBe(11);

    now += 11 * MINUTE_MS;
    for (const name of CALL_METRICS) expect(await samples(metrics, name), name).toStrictEqual([]);
    metrics.record(record());
    for (const name of CALL_METRICS) expect(total(await samples(metrics, name)), name).toBe(1);
  });

  test("does not take with it what the server listed", async () => {
    let now = 0;
    const metrics = create({ nowMs: () => now });
    metrics.record(record({ method: "tools/list", target: undefined, listed: [{ kind: "tool", names: ["get-sum"] }] }));
    now = 60 * MINUTE_MS;
    await metrics.expose();
    metrics.record(record({ target: { kind: "tool", name: "get-sum" } }));
    expect(values(await samples(metrics, "toolgate_requests_total"), "gen_ai_tool_name")).toStrictEqual(["get-sum"]);
  });
});

describe("what is not about calls", () => {
  test("is read when asked for: build, policy, lost log lines, process", async () => {
    let dropped = 0;
    const metrics = create({ decisionLogDropped: () => dropped });
    dropped = 9;
    expect((await samples(metrics, "toolgate_build_info"))[0]?.labels).toStrictEqual({
      version: "1.2.3",
      node_version: process.version,
    });
    expect(await samples(metrics, "toolgate_policy_objects")).toStrictEqual([
      { labels: { kind: "MCPServer" }, value: 2 },
      { labels: { kind: "MCPAccessPolicy" }, value: 3 },
    ]);
    const single = async (name: string) => (await samples(metrics, name)).map(({ value }) => value);
    expect(await single("toolgate_policy_generation")).toStrictEqual([7]);
    expect(await single("toolgate_policy_last_sync_timestamp_seconds")).toStrictEqual([1.5]);
    expect(await single("toolgate_policy_problems")).toStrictEqual([1]);
    expect(await single("toolgate_decision_log_dropped_total")).toStrictEqual([9]);
    expect(await single("process_start_time_seconds")).toHaveLength(1);
  });

  test("belongs to one instance: a second one in the same process shares nothing", async () => {
    const [one, other] = [create(), create()];
    one.record(record());
    expect(await samples(other, "toolgate_requests_total")).toStrictEqual([]);
  });
});

test.skipIf(PROMTOOL === undefined)("promtool finds nothing wrong with the exposition", async () => {
  const metrics = create({ isNamed: () => true });
  metrics.record(record({ target: { kind: "tool", name: 'quoted " and \\' } }));
  metrics.record(denied());
  const blocks = String(await metrics.expose()).split(/^(?=# HELP )/m);
  const own = blocks.filter((block) => /^# HELP (?:toolgate|mcp)_/.test(block));
  expect(execFileSync(PROMTOOL ?? "", ["check", "metrics"], { input: own.join("") }).toString()).toBe("");
});

describe("toolgate_answers_withheld_total", () => {
  const withheld = async (...records: readonly ExchangeRecord[]): Promise<readonly (readonly [string, number])[]> => {
    const metrics = create();
    for (const one of records) metrics.record(one);
    return (await samples(metrics, "toolgate_answers_withheld_total")).map(({ labels, value }) => [
      `${labels["mcp_server"]} ${labels["reason"]}`,
      value,
    ]);
  };
  const lost = (reason: NonNullable<ExchangeRecord["answerFault"]>["reason"], changes: Partial<ExchangeRecord> = {}) =>
    record({ answerFault: { reason, message: "is not acceptable JSON: byte 7 is unexpected" }, ...changes });

  test("counts answers that were not delivered, by server and reason", async () => {
    expect(
      await withheld(
        lost("unreadable"),
        lost("unreadable", { outcome: { kind: "ok" } }),
        lost("too-large"),
        lost("not-granted"),
        lost("unexpected"),
        lost("unreadable", { server: "tools/other" }),
      ),
    ).toStrictEqual([
      ["tools/everything unreadable", 2],
      ["tools/everything too-large", 1],
      ["tools/everything not-granted", 1],
      ["tools/everything unexpected", 1],
      ["tools/other unreadable", 1],
    ]);
  });

  test("counts nothing of what was delivered, or refused before there was an answer", async () => {
    expect(await withheld(record(), denied(), record({ outcome: { kind: "transport_error" } }))).toStrictEqual([]);
  });
});

describe("toolgate_changed_tools_total", () => {
  test("counts each tool that was not shown because it has changed, by server", async () => {
    const metrics = create();
    const list = { method: "tools/list", target: undefined } as const;
    metrics.record(record({ ...list, changedTools: ["echo", "get-env"] }));
    metrics.record(record({ ...list, changedTools: ["echo"] }));
    metrics.record(record(list));
    expect(await samples(metrics, "toolgate_changed_tools_total")).toStrictEqual([
      { labels: { mcp_server: "tools/everything", gen_ai_tool_name: "echo" }, value: 2 },
      { labels: { mcp_server: "tools/everything", gen_ai_tool_name: "get-env" }, value: 1 },
    ]);
  });
});

test("says what is open and held, and whether the decision log is kept", async () => {
  const metrics = create({ load: () => ({ streams: 3, heldBytes: 7 }), isLogKept: () => false });
  const one = async (name: string): Promise<number> => total(await samples(metrics, name));
  expect(await one("toolgate_open_exchanges")).toBe(3);
  expect(await one("toolgate_held_bytes")).toBe(7);
  expect(await one("toolgate_decision_log_kept")).toBe(0);
});

test("says when the certificate of the gRPC port ends, and which clients were not let in", async () => {
  const metrics = create({ certificateExpiresAtMs: () => 1_500 });
  metrics.clientRefused();
  expect(total(await samples(metrics, "toolgate_certificate_expiry_timestamp_seconds"))).toBe(1.5);
  expect(total(await samples(metrics, "toolgate_clients_refused_total"))).toBe(1);
  expect(total(await samples(create(), "toolgate_certificate_expiry_timestamp_seconds"))).toBe(0);
});

describe("toolgate_anonymous_requests_total", () => {
  test("says why there was nobody, and does not count somebody", async () => {
    const metrics = create();
    metrics.record(record());
    metrics.record(record({ identity: user("ada") }));
    metrics.record(record({ identity: ANONYMOUS }));
    const nobody = { workload: { absent: "not-a-spiffe-id" }, user: { absent: "jwt-without-issuer" } } as const;
    metrics.record(record({ identity: nobody }));
    expect(await samples(metrics, "toolgate_anonymous_requests_total")).toStrictEqual([
      { labels: { workload: "no-certificate", user: "jwt-missing" }, value: 1 },
      { labels: { workload: "not-a-spiffe-id", user: "jwt-without-issuer" }, value: 1 },
    ]);
  });
});

describe("toolgate_streams_refused_total", () => {
  test("is there from the start, and counts each exchange that was one too many", async () => {
    const metrics = create();
    const value = async (): Promise<number> => total(await samples(metrics, "toolgate_streams_refused_total"));
    expect(values(await samples(metrics, "toolgate_streams_refused_total"), "reason")).toStrictEqual([
      "audit",
      "memory",
      "streams",
    ]);
    expect(await value()).toBe(0);
    metrics.streamRefused("streams");
    metrics.streamRefused("audit");
    expect(await value()).toBe(2);
    expect(total(await samples(metrics, "toolgate_requests_total"))).toBe(0);
  });
});
