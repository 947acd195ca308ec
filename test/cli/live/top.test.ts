import { expect, test } from "vitest";
import { add } from "../../../src/cli/live/top.ts";
import type { Busy } from "../../../src/cli/live/top.ts";
import { decisionOf } from "../../../src/telemetry/decision-line.ts";
import { denied, record, user } from "../../telemetry/records.ts";

function added(...records: readonly Parameters<typeof record>[0][]): readonly Busy[] {
  const busy = new Map<string, Busy>();
  for (const changes of records) add(busy, decisionOf(record(changes)));
  return [...busy.values()];
}

test("best, worst and last are those of calls that a server has answered", () => {
  expect(
    added(
      { durationMs: 20 },
      { durationMs: 10 },
      { durationMs: 40, outcome: { kind: "timeout" } },
      { ...denied(), durationMs: 1 },
      { durationMs: 900, outcome: { kind: "cancelled" } },
      { durationMs: 30 },
    ),
  ).toMatchObject([{ count: 6, denied: 1, best: 0.01, worst: 0.04, last: 0.03, ended: 4, good: 3 }]);
});

test("a stream has no latency", () => {
  expect(added({ method: "GET", target: undefined, durationMs: 60_000 })).toMatchObject([{ count: 1, worst: null }]);
});

test("callers, servers, methods and names are told apart", () => {
  const rows = added(
    {},
    { identity: user("alice") },
    { server: "tools/other" },
    { method: "tools/list", target: undefined },
  );
  expect(rows.map(({ count }) => count)).toEqual([1, 1, 1, 1]);
});

test("of more kinds of calls than are kept, those seen longest ago go", () => {
  const kinds = Array.from({ length: 1_200 }, (_, i) => ({ identity: user(`user-${i}`) }));
  const rows = added(
    { identity: user("busy") },
    ...kinds.slice(0, 900),
    { identity: user("busy") },
    ...kinds.slice(900),
  );
  expect(rows).toHaveLength(1_000);
  expect(rows.find(({ caller }) => caller === "busy")).toMatchObject({ count: 2 });
  expect(rows.find(({ caller }) => caller === "user-0")).toBeUndefined();
});
