import { describe, expect, test } from "vitest";
import type { History } from "../../src/admin/page/answers.js";
import { groupRefusals } from "../../src/admin/page/refusals.js";
import { latencies, rates, requestsOf } from "../../src/admin/page/series.js";
import { linePath } from "../../src/admin/page/sparkline.js";
import { refusals } from "./worlds.ts";

const HISTORY: History = {
  slotSeconds: 10,
  slots: [100, 110],
  series: [
    {
      server: "s",
      method: "tools/call",
      name: "echo",
      requests: [10, 20],
      errors: [0, 5],
      denied: [0, 5],
      p95: [0.1, 0.2],
    },
    {
      server: "s",
      method: "tools/call",
      name: "sum",
      requests: [40, 30],
      errors: [0, 0],
      denied: [0, 0],
      p95: [null, 1],
    },
    {
      server: "s",
      method: "tools/list",
      name: "",
      requests: [1, 0],
      errors: [0, 0],
      denied: [1, 0],
      p95: [null, null],
    },
  ],
};

describe("the history", () => {
  test("has calls a second by how they ended", () =>
    expect(rates(HISTORY)).toStrictEqual({
      slots: [100, 110],
      ok: [5, 4],
      errors: [0, 0.5],
      denied: [0.1, 0.5],
      total: [5.1, 5],
    }));

  test("has the latency of the busiest, and none of what was never timed", () => {
    expect(latencies(HISTORY, 5)).toStrictEqual([
      { label: "sum", values: [null, 1] },
      { label: "echo", values: [0.1, 0.2] },
    ]);
    expect(latencies(HISTORY, 1)).toHaveLength(1);
  });

  test("has the calls of a tool, of a method and of a server", () => {
    const callsOf = requestsOf(HISTORY);
    expect(callsOf({ server: "s", method: "tools/call", name: "echo" })).toStrictEqual([10, 20]);
    expect(callsOf({ server: "s", method: "tools/list" })).toStrictEqual([1, 0]);
    expect(callsOf({ server: "s" })).toStrictEqual([51, 50]);
    expect(callsOf({ server: "other" })).toStrictEqual([]);
  });
});

describe("a sparkline", () => {
  test("goes from the left to the right, its highest value at the top", () =>
    expect(linePath([0, 1, 2], 80, 20)).toBe("M0.0 19.0L40.0 10.0L80.0 1.0"));
  test("of nothing but zeros lies on the ground", () => expect(linePath([0, 0], 80, 20)).toBe("M0.0 19.0L80.0 19.0"));
  test("of one value is none", () => expect(linePath([1], 80, 20)).toBe(""));
});

describe("refusals", () => {
  test("that are the same are one, with how often, and the newest first", () => {
    const groups = groupRefusals(refusals.denials);
    expect(groups).toHaveLength(61);
    expect(groups[0]).toMatchObject({ times: 40, line: { tool: "get-env" } });
    expect(groups.reduce((all, { times }) => all + times, 0)).toBe(100);
    expect(groups.map(({ last }) => last)).toStrictEqual(
      groups.map(({ last }) => last).toSorted((one, other) => other - one),
    );
  });
});
