import { describe, expect, test } from "vitest";
import { parsePattern } from "../../src/core/policy/pattern.ts";
import { formatDecision } from "../../src/telemetry/decision-line.ts";
import { createRecent } from "../../src/telemetry/recent.ts";
import { createTap } from "../../src/telemetry/tap.ts";
import type { Tap, TapFilter } from "../../src/telemetry/tap.ts";
import { denied, record, user } from "./records.ts";

/** A watcher that notes what it gets, and is full when a test says so. */
function watch(tap: Tap, filter: Partial<TapFilter> = {}) {
  const heard: string[] = [];
  const watcher = { heard, isFull: false, hasEnded: false };
  const watched = tap.watch(
    { denied: false, arguments: false, ...filter },
    {
      isFull: () => watcher.isFull,
      write: (line) => void heard.push(line),
      lost: (calls) => void heard.push(`lost ${calls}`),
      end: () => void (watcher.hasEnded = true),
    },
  );
  return { watcher, heard, watched };
}

describe("a tap", () => {
  test("shows each call as the decision log has it, to all who watch", () => {
    const tap = createTap();
    tap.record(record());
    const [one, other] = [watch(tap), watch(tap)];
    tap.record(denied());
    one.watched?.stop();
    tap.record(record());
    expect(one.heard).toEqual([formatDecision(denied())]);
    expect(other.heard).toEqual([formatDecision(denied()), formatDecision(record())]);
  });

  test.each<[string, Partial<TapFilter>, readonly number[]]>([
    ["everything", {}, [0, 1, 2, 3, 4]],
    ["a server", { server: parsePattern("tools/*") }, [0, 1, 2, 4]],
    ["a server without its namespace", { server: parsePattern("everything") }, [0, 1, 2, 4]],
    ["a server of the other namespace", { server: parsePattern("server") }, [3]],
    ["a tool, and no resource of that name", { tool: parsePattern("echo") }, [0, 1]],
    ["tools by a pattern", { tool: parsePattern("*") }, [0, 1, 3]],
    ["a caller", { caller: parsePattern("alice") }, [4]],
    ["refusals, also those of Audit mode", { denied: true }, [1, 3]],
    ["all of it at once", { denied: true, server: parsePattern("tools/everything") }, [1]],
  ])("shows only %s when asked to", (_, filter, expected) => {
    const tap = createTap();
    const { heard } = watch(tap, filter);
    const records = [
      record(),
      denied(),
      record({ method: "resources/read", target: { kind: "resource", name: "echo" } }),
      record({ server: "other/server", target: { kind: "tool", name: "add" }, decision: "audit" }),
      record({ method: "tools/list", target: undefined, identity: user("alice") }),
    ];
    for (const one of records) tap.record(one);
    expect(heard).toEqual(expected.map((i) => formatDecision(records[i] ?? record())));
  });

  test("shows arguments only to who asks for them", () => {
    const tap = createTap();
    const [one, other] = [watch(tap), watch(tap, { arguments: true })];
    const logged = { ...record(), arguments: { values: { city: "Oslo" }, withheld: 0 } };
    tap.record(logged);
    expect(one.heard).toEqual([formatDecision(record())]);
    expect(other.heard).toEqual([formatDecision(logged)]);
  });

  test("passes by who has not taken what came before, and tells how many that were", () => {
    const tap = createTap();
    const { watcher, heard } = watch(tap);
    tap.record(record());
    watcher.isFull = true;
    for (let i = 0; i < 3; i++) tap.record(record());
    watcher.isFull = false;
    tap.record(record());
    tap.record(record());
    const line = formatDecision(record());
    expect(heard).toEqual([line, "lost 3", line, line]);
  });

  test("does not count as lost what a watcher did not ask for", () => {
    const tap = createTap();
    const { watcher, heard } = watch(tap, { denied: true });
    watcher.isFull = true;
    tap.record(record());
    watcher.isFull = false;
    tap.record(denied());
    expect(heard).toEqual([formatDecision(denied())]);
  });

  test("takes no more watchers than it can have, until one goes", () => {
    const tap = createTap(2);
    const one = watch(tap);
    watch(tap);
    expect(watch(tap).watched).toBeUndefined();
    one.watched?.stop();
    expect(watch(tap).watched).toBeDefined();
  });

  test("ends for all when it is closed", () => {
    const tap = createTap();
    const { watcher, heard } = watch(tap);
    tap.close();
    tap.record(record());
    expect([watcher.hasEnded, heard]).toEqual([true, []]);
  });
});

describe("the last refusals", () => {
  test("are there newest first, with those of Audit mode and without what was allowed", () => {
    const recent = createRecent();
    const [first, second] = [denied({ requestId: "1" }), record({ requestId: "2", decision: "audit" })];
    for (const one of [first, record(), second]) recent.record(one);
    expect(recent.list()).toEqual([second, first]);
  });

  test("are as many as are kept", () => {
    const recent = createRecent(3);
    for (let i = 0; i < 8; i++) recent.record(denied({ requestId: String(i) }));
    expect(recent.list().map(({ requestId }) => requestId)).toEqual(["7", "6", "5"]);
  });
});
