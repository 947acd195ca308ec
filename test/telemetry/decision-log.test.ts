import { createHmac, createSecretKey } from "node:crypto";
import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { formatDecision } from "../../src/telemetry/decision-line.ts";
import { Segment } from "../../src/telemetry/chain.ts";
import { createDecisionLog } from "../../src/telemetry/decision-log.ts";
import { lineFaults } from "./line-faults.ts";
import { record } from "./records.ts";

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

/** A log whose reader has a line that it does not take, so that a second one waits. */
async function withLineWaiting() {
  const out = new Reader({ highWaterMark: 1 });
  const log = createDecisionLog({ out });
  out.block();
  log.record(record());
  await turn();
  log.record(record());
  return { out, log };
}

const parse = (line: string): Record<string, unknown> => JSON.parse(line) as Record<string, unknown>;

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
    expect(parse(out.lines.at(-2) ?? "")).toMatchObject({ v: 1, event: "gap", lost: 900 });
    expect(out.lines.flatMap(lineFaults)).toStrictEqual([]);
  });

  test("tells of lines that were lost also when none comes after them", async () => {
    const out = new Reader({ highWaterMark: 1 });
    const log = createDecisionLog({ out, maxQueuedCharacters: 1 });
    for (let i = 0; i < 3; i++) log.record(record());
    await log.close();
    expect(out.lines.map(parse)).toMatchObject([{ event: "gap", lost: 3 }]);
    expect(log.dropped()).toBe(3);
  });

  test("counts as lost only decisions, and not what it says of itself", async () => {
    const out = new Reader({ highWaterMark: 1 });
    const chain = { segment: new Segment("s", undefined), before: () => ({}) };
    const log = createDecisionLog({ out, chain });
    log.record(record());
    out.destroy(new Error("write EPIPE"));
    await turn();
    await log.close();
    expect(log.dropped()).toBe(1);
  });

  test("with a chain begins, links each line and ends, and says where it is", async () => {
    const out = new Reader();
    const key = Buffer.alloc(32, 1);
    const before = { follows: "0".repeat(64), unchained: { bytes: 3, sha256: "1".repeat(64) } };
    const log = createDecisionLog({
      out,
      chain: { segment: new Segment("s", createSecretKey(key)), before: () => before },
    });
    expect(log.head()).toBeUndefined();
    log.record(record({ target: { kind: "tool", name: "größe" } }));
    await log.close();
    const lines = out.lines.map(parse);
    expect(lines).toMatchObject([
      { event: "begin", segment: "s", keyed: true, ...before, seq: 0 },
      { tool: "größe", decision: "allow", seq: 1 },
      { event: "end", seq: 2 },
    ]);
    expect(log.head()).toStrictEqual({ segment: "s", seq: 2, chain: lines[2]?.["chain"] });
    // As the page says it, without our own code.
    let previous = "";
    for (const line of out.lines) {
      const [, body = "", chain] = /^(.*),"chain":"([0-9a-f]{64})"\}$/.exec(line) ?? [];
      expect(
        createHmac("sha256", key)
          .update(previous + body)
          .digest("hex"),
      ).toBe(chain);
      previous = chain ?? "";
    }
    expect(createDecisionLog({ out: new Reader() }).head()).toBeUndefined();
  });

  test("with a chain writes nothing, and looks at nothing, where there is nothing to write", async () => {
    const out = new Reader();
    const before = () => {
      throw new Error("nobody has asked");
    };
    const log = createDecisionLog({ out, chain: { segment: new Segment("s", undefined), before } });
    await log.close();
    expect(out.writes.join("")).toBe("");
    expect(log.head()).toBeUndefined();
  });

  test("says how much waits: its own lines, and those that its reader has been given", async () => {
    const out = new Reader({ highWaterMark: 1 });
    const length = formatDecision(record()).length;
    const log = createDecisionLog({ out });
    out.block();
    log.record(record());
    await turn();
    log.record(record());
    expect(log.queuedBytes()).toBe(2 * length);
    out.release();
    await turn();
    expect(log.queuedBytes()).toBe(0);
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
    const { out, log } = await withLineWaiting();
    const closed = log.close();
    await turn();
    expect(out.lines).toHaveLength(1);
    out.release();
    await closed;
    expect(out.lines).toHaveLength(2);
    expect(log.dropped()).toBe(0);
  });

  test("does not wait for ever for a reader that never reads, and counts what it lost", async () => {
    const { log } = await withLineWaiting();
    await log.close();
    expect(log.dropped()).toBe(1);
  });

  test("ends when its reader goes while it waits for it", async () => {
    const { out, log } = await withLineWaiting();
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
