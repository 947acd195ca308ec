import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { createDecisionLog, formatDecision } from "../../src/telemetry/decision-log.ts";
import { ANONYMOUS, denied, record, user } from "./records.ts";

/** A reader that notes each write, and takes the next one only when it is let. */
class Reader extends Writable {
  readonly writes: string[] = [];
  #blocked = false;
  #release: (() => void) | undefined;

  block(): void {
    this.#blocked = true;
  }

  release(): void {
    this.#blocked = false;
    this.#release?.();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(chunk.toString());
    if (this.#blocked) this.#release = done;
    else done();
  }

  get lines(): readonly string[] {
    return this.writes.join("").split("\n").slice(0, -1);
  }
}

const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));
const parse = (line: string): Record<string, unknown> => JSON.parse(line) as Record<string, unknown>;

describe("a line", () => {
  test("of an allowed call says who, what, why and how it ended, in this order", () => {
    expect(formatDecision(record())).toBe(
      `${JSON.stringify({
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

  test("of a request that matched nothing leaves out what there is not", () => {
    const line = formatDecision(
      denied({ server: undefined, method: "unknown", target: undefined, revision: undefined, requestId: undefined }),
    );
    expect(Object.keys(parse(line))).toStrictEqual([
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
    const exact = "n".repeat(256);
    expect(parse(formatDecision(record({ target: { kind: "tool", name: exact } })))["tool"]).toBe(exact);
  });
});

describe("the log", () => {
  test("writes the lines of one turn together, in order", async () => {
    const out = new Reader();
    const log = createDecisionLog({ out });
    for (const requestId of ["1", "2", "3"]) log.record(record({ requestId }));
    expect(out.writes).toStrictEqual([]);
    await turn();
    expect(out.writes).toHaveLength(1);
    expect(out.lines.map((line) => parse(line)["request_id"])).toStrictEqual(["1", "2", "3"]);

    log.record(record({ requestId: "4" }));
    await turn();
    expect(out.writes).toHaveLength(2);
  });

  test("keeps a bounded number of lines for a reader that does not read, counts the rest, and goes on later", async () => {
    const out = new Reader({ highWaterMark: 1_024 });
    const length = formatDecision(record()).length;
    const log = createDecisionLog({ out, maxQueuedCharacters: 100 * length });
    out.block();
    for (let i = 0; i < 100; i++) log.record(record());
    await turn();
    expect(out.writableNeedDrain).toBe(true);
    expect(log.dropped()).toBe(0);

    for (let i = 0; i < 1_000; i++) {
      log.record(record());
      if (i % 100 === 0) await turn();
    }
    expect(log.dropped()).toBe(900);
    expect(out.writableLength).toBeLessThanOrEqual(100 * length);

    out.release();
    await turn();
    expect(out.lines).toHaveLength(200);
    log.record(record({ requestId: "after" }));
    await log.close();
    expect(parse(out.lines.at(-1) ?? "")["request_id"]).toBe("after");
    expect(log.dropped()).toBe(900);
  });

  test("writes what is left when it is closed", async () => {
    const out = new Reader();
    const log = createDecisionLog({ out });
    log.record(record());
    await log.close();
    expect(out.lines).toHaveLength(1);
    expect(out.destroyed).toBe(false);
  });

  test("waits for a slow reader when it is closed", async () => {
    const out = new Reader({ highWaterMark: 1 });
    const log = createDecisionLog({ out });
    out.block();
    log.record(record());
    await turn();
    log.record(record());
    const closed = log.close();
    await turn();
    expect(out.lines).toHaveLength(1);
    out.release();
    await closed;
    expect(out.lines).toHaveLength(2);
    expect(log.dropped()).toBe(0);
  });

  test("does not wait for ever for a reader that never reads, and counts what it lost", async () => {
    const out = new Reader({ highWaterMark: 1 });
    const log = createDecisionLog({ out });
    out.block();
    log.record(record());
    await turn();
    log.record(record());
    await log.close();
    expect(log.dropped()).toBe(1);
  });

  test("ends when its reader goes while it waits for it", async () => {
    const out = new Reader({ highWaterMark: 1 });
    const log = createDecisionLog({ out });
    out.block();
    log.record(record());
    await turn();
    log.record(record());
    const closed = log.close();
    out.destroy(new Error("write EPIPE"));
    await closed;
    expect(log.dropped()).toBe(1);
  });

  test("outlives its reader: it says so once, and counts", async () => {
    const out = new Reader();
    const errors: string[] = [];
    const log = createDecisionLog({ out, onError: (error) => errors.push(error.message) });
    log.record(record());
    out.destroy(new Error("write EPIPE"));
    await turn();
    log.record(record());
    await turn();
    await log.close();
    expect(errors).toStrictEqual(["write EPIPE"]);
    expect(log.dropped()).toBe(2);
  });
});
