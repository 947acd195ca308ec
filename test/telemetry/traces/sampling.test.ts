import { describe, expect, test } from "vitest";
import type { TraceContext } from "../../../src/core/mcp/trace-context.ts";
import { createBudget, createStartSpans, newIds } from "../../../src/telemetry/traces/sampling.ts";
import { TRACE_ID } from "../../fixtures/traces.ts";

const parent = (isSampled: boolean): TraceContext => ({
  traceId: TRACE_ID,
  spanId: "00f067aa0ba902b7",
  isSampled,
  state: undefined,
});

describe("createStartSpans()", () => {
  test("follows the caller's flag, whatever the ratio", () => {
    for (const ratio of [0, 0.5, 1]) {
      const start = createStartSpans({ ratio, random: () => 0.5 }, false);
      expect(start(parent(true))?.traceId, `${ratio}`).toBe(TRACE_ID);
      expect(start(parent(false)), `${ratio}`).toBeUndefined();
    }
  });

  test.each([
    [0, 0, false],
    [0.25, 0, true],
    [0.25, 0.249, true],
    [0.25, 0.25, false],
    [1, 0.999, true],
  ])("takes the ratio %d of calls without a parent: %d", (ratio, random, isSampled) => {
    expect(createStartSpans({ ratio, random: () => random }, false)(undefined) !== undefined).toBe(isSampled);
  });

  test("has an id for the server to see only where it is to see one", () => {
    expect(createStartSpans({ ratio: 1 }, false)(undefined)).toMatchObject({ client: undefined });
    expect(createStartSpans({ ratio: 1 }, true)(undefined)).toMatchObject({ client: expect.any(String) });
  });
});

test("newIds() are of the right length, and never the same", () => {
  const ids = Array.from({ length: 1_000 }, () => newIds(undefined, true));
  for (const { traceId, server, client } of ids) {
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(`${server} ${client}`).toMatch(/^[0-9a-f]{16} [0-9a-f]{16}$/);
  }
  expect(new Set(ids.flatMap(({ traceId, server, client }) => [traceId, server, client])).size).toBe(3_000);
});

describe("createBudget()", () => {
  test("gives so many a second, in parts of a second too, and no more after a quiet minute", () => {
    let nowMs = 0;
    const budget = createBudget(5, () => nowMs);
    const taken = (): number => Array.from({ length: 20 }, () => budget.take()).filter(Boolean).length;
    expect(taken()).toBe(5);
    nowMs = 199;
    expect(taken()).toBe(0);
    nowMs = 400;
    expect(taken()).toBe(2);
    nowMs = 60_000;
    expect(taken()).toBe(5);
  });
});
