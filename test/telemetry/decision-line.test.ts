import { describe, expect, test } from "vitest";
import { decisionOf, formatDecision } from "../../src/telemetry/decision-line.ts";
import { ANONYMOUS, denied, record, user } from "./records.ts";

const parse = (line: string): Record<string, unknown> => JSON.parse(line) as Record<string, unknown>;

describe("a line", () => {
  test("of an allowed call says who, what, why and how it ended, in this order", () => {
    expect(formatDecision(record())).toBe(
      `${JSON.stringify({
        v: 1,
        time: "2026-08-31T12:30:15.250Z",
        request_id: "8c7a3a52-0a4d-4b7c-9d6e-2f1f5a0b1c2d",
        server: "tools/everything",
        method: "tools/call",
        tool: "echo",
        caller: "agents/reader",
        workload: "spiffe://cluster.local/ns/agents/sa/reader",
        decision: "allow",
        mode: "Enforce",
        policy: "tools/readers",
        rule: "readers-may-read",
        outcome: "ok",
        revision: "2025-06-18",
        duration_ms: 12.346,
      })}\n`,
    );
  });

  test("has its time as ISO 8601 in UTC, to the millisecond, whatever line came before it", () => {
    const newYear = Date.UTC(2027, 0, 1);
    for (const startedAtMs of [newYear - 1, newYear, newYear + 7, newYear + 999, newYear + 1_000, newYear - 1, 0, -1])
      expect(parse(formatDecision(record({ startedAtMs })))["time"]).toBe(new Date(startedAtMs).toISOString());
  });

  test("of a denied anonymous call says why there is nobody, and why not", () => {
    const line = formatDecision(
      denied({ identity: ANONYMOUS, method: "prompts/get", target: { kind: "prompt", name: "p" } }),
    );
    expect(parse(line)).toMatchObject({
      prompt: "p",
      caller: "anonymous",
      absent: "no-certificate, jwt-missing",
      decision: "deny",
      policy: "toolgate",
      rule: "default-deny",
      reason: "no-rule-allows",
      outcome: "denied",
    });
  });

  test("of a user names issuer and subject; of a resource its URI; of an error its code", () => {
    const line = formatDecision(
      record({
        identity: user("ann"),
        method: "resources/read",
        target: { kind: "resource", name: "demo://resource/1" },
        outcome: { kind: "rpc_error", code: -32002 },
      }),
    );
    expect(parse(line)).toMatchObject({
      caller: "ann",
      issuer: "https://idp.example",
      subject: "ann",
      resource: "demo://resource/1",
      outcome: "rpc_error",
      error_code: -32002,
    });
    expect(parse(line)).not.toHaveProperty("workload");
  });

  test("of a list says how many entries were hidden, also when none were", () => {
    const list = { method: "tools/list", target: undefined, listed: [{ kind: "tool", names: ["echo"] }] } as const;
    expect(parse(formatDecision(record({ ...list, hiddenItems: 2 })))).toMatchObject({ hidden_items: 2 });
    expect(parse(formatDecision(record({ ...list, hiddenItems: 0 })))).toMatchObject({ hidden_items: 0 });
    expect(
      parse(formatDecision(record({ answerFault: { reason: "unreadable", message: "is not JSON" } }))),
    ).toMatchObject({
      answer_fault: "is not JSON",
      answer_fault_reason: "unreadable",
    });
    expect(parse(formatDecision(record()))).not.toHaveProperty("hidden_items");
  });

  test("of a refusal has the sentence that the caller got, cut only where it is very long", () => {
    const sentence = `Blocked by policy: no rule lets ann use resource ${"x".repeat(500)} (rule default-deny).`;
    expect(parse(formatDecision(denied({ sentence })))).toMatchObject({ sentence });
    expect(decisionOf(denied({ sentence })).sentence).toBe(sentence);
    const long = parse(formatDecision(denied({ sentence: "s".repeat(5_000) })))["sentence"];
    expect(long).toBe(`${"s".repeat(1_023)}…`);
  });

  test("has the trace that keeps the call, or else the one that its caller has named", () => {
    const parent = { traceId: "b".repeat(32), spanId: "c".repeat(16), isSampled: true, state: undefined };
    const trace = { traceId: "a".repeat(32), parent, linked: undefined, spans: undefined };
    expect(parse(formatDecision(record({ trace })))).toMatchObject({ trace_id: "a".repeat(32) });
    expect(parse(formatDecision(record({ trace: { ...trace, traceId: undefined } })))).toMatchObject({
      trace_id: "b".repeat(32),
    });
    expect(parse(formatDecision(record()))).not.toHaveProperty("trace_id");
  });

  test("has arguments where the record has some, and how many are withheld", () => {
    const line = parse(formatDecision(record({ arguments: { values: { path: "/a\u202e" }, withheld: 0 } })));
    expect(line).toMatchObject({ arguments: { path: "/a\u202e" }, arguments_withheld: 0 });
    expect(Object.keys(parse(formatDecision(record())))).not.toContain("arguments");
  });

  test("names the first 64 tools that have changed, each cut", () => {
    const changedTools = ["n".repeat(300), ...Array.from({ length: 99 }, (_, i) => `tool-${i}`)];
    const { changed_tools: names } = parse(formatDecision(record({ changedTools })));
    expect(names).toStrictEqual([`${"n".repeat(255)}…`, ...changedTools.slice(1, 64)]);
  });

  test("of a request that matched nothing leaves out what there is not", () => {
    const line = formatDecision(
      denied({ server: undefined, method: "unknown", target: undefined, revision: undefined, requestId: undefined }),
    );
    expect(Object.keys(parse(line))).toStrictEqual([
      "v",
      "time",
      "method",
      "caller",
      "workload",
      "decision",
      "mode",
      "policy",
      "rule",
      "reason",
      "outcome",
      "duration_ms",
    ]);
  });
});

describe("a name that wants to be a line of its own", () => {
  const forged = [
    'x"}\n{"decision":"allow","caller":"admin',
    "x\r\n{}",
    "\u001b[2K\u001b[1Gdecision=allow",
    "\u0085next line",
    "\u009b31mred",
    "\u2028{}\u2029{}",
    "\u202edeny\u202c",
    "\u2066allow\u2069",
    "zero\u200bwidth\ufeff\u00ad",
    "tag \u{e0041}\u{e007f}",
    "\u007f\u0000",
    "half \ud800",
    "\\u000a",
  ];

  test.each(forged.map((name) => [name]))("stays text in one line and reads back the same: %j", (name) => {
    const line = formatDecision(
      record({ target: { kind: "tool", name }, requestId: name, identity: user(name), revision: name }),
    );
    expect(line.endsWith("}\n")).toBe(true);
    expect(line.slice(0, -1)).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u);
    expect(parse(line)).toMatchObject({
      tool: name,
      request_id: name,
      caller: name,
      subject: name,
      revision: name,
      decision: "allow",
    });
  });

  test("is readable when it is only foreign", () => {
    expect(formatDecision(record({ target: { kind: "tool", name: "größe-検索-🔎" } }))).toContain(
      '"tool":"größe-検索-🔎"',
    );
  });

  test("is cut to 256 characters, visibly", () => {
    const long = "n".repeat(10_000);
    const line = formatDecision(
      record({ target: { kind: "tool", name: long }, requestId: long, identity: user(long), revision: long }),
    );
    const { tool, request_id: requestId, caller, subject, revision } = parse(line);
    for (const value of [tool, requestId, caller, subject, revision]) expect(value).toBe(`${"n".repeat(255)}…`);
    const identity = { ...user("x"), workload: { uri: long, name: long } };
    expect(parse(formatDecision(record({ identity })))["workload"]).toBe(`${"n".repeat(255)}…`);
    const exact = "n".repeat(256);
    expect(parse(formatDecision(record({ target: { kind: "tool", name: exact } })))["tool"]).toBe(exact);
  });
});
