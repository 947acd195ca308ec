import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { formatDecision } from "../../src/telemetry/decision-line.ts";
import { createDecisionLog } from "../../src/telemetry/decision-log.ts";
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
