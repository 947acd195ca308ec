import { Counter, Registry } from "@prometheus-io/client";
import { describe, expect, test } from "vitest";
import { createCounter, createHistogram } from "../../src/telemetry/capped.ts";
import { chooseFormat, expose, render, SLICE_CHARACTERS } from "../../src/telemetry/exposition.ts";
import type { Format } from "../../src/telemetry/exposition.ts";

const SHARED = { cap: 2_000, onOverflow: () => {}, closed: [], help: "Help\\text\nof two lines." };
const TRACE = "0af7651916cd43dd8448eb211c80319c";

const counter = () => createCounter({ ...SHARED, name: "calls_total", names: ["tool"] });
const histogram = () => createHistogram({ ...SHARED, name: "took_seconds", names: ["tool"], bounds: [0.1, 1] });

describe("chooseFormat()", () => {
  test.each<[string, string | undefined, Format]>([
    ["nothing", undefined, "plain"],
    ["curl", "*/*", "plain"],
    [
      "Prometheus 2",
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      "openmetrics",
    ],
    [
      "Prometheus 3",
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
      "openmetrics",
    ],
    ["who likes the plain text better", "text/plain, Application/OpenMetrics-Text ; q=0.5", "plain"],
    ["who does not take it", "application/openmetrics-text;q=0", "plain"],
    ["who writes no number", "application/openmetrics-text;q=much", "plain"],
  ])("of %s", (_who, accept, format) => {
    expect(chooseFormat(accept)).toBe(format);
  });
});

describe("the plain text", () => {
  test("has counters under their full names, and no exemplar", async () => {
    const [calls, took] = [counter(), histogram()];
    calls.add({ tool: 'a"\\\n' }, 0, 2);
    took.observe({ tool: "b" }, 0, 0.5, { traceId: TRACE, atMs: 0 });
    expect(String(await expose([calls, took], new Registry(), "plain"))).toBe(
      [
        "# HELP calls_total Help\\\\text\\nof two lines.",
        "# TYPE calls_total counter",
        'calls_total{tool="a\\"\\\\\\n"} 2',
        "# HELP took_seconds Help\\\\text\\nof two lines.",
        "# TYPE took_seconds histogram",
        'took_seconds_bucket{tool="b",le="0.1"} 0',
        'took_seconds_bucket{tool="b",le="1"} 1',
        'took_seconds_bucket{tool="b",le="+Inf"} 1',
        'took_seconds_sum{tool="b"} 0.5',
        'took_seconds_count{tool="b"} 1',
        "",
      ].join("\n"),
    );
  });

  test("has what the client library keeps, after the rest", async () => {
    const registry = new Registry();
    const own = new Counter({ name: "own_total", help: "Own.", labelNames: ["a", "b"], registers: [registry] });
    own.inc({ a: "1", b: "2" }, 3);
    const text = String(await expose([counter()], registry, "plain"));
    expect(text.split("\n").slice(2)).toStrictEqual([
      "# HELP own_total Own.",
      "# TYPE own_total counter",
      'own_total{a="1",b="2"} 3',
      "",
    ]);
  });
});

describe("OpenMetrics", () => {
  test("names a counter without _total, has the trace of the last call in each bucket, and says where it ends", async () => {
    const [calls, took] = [counter(), histogram()];
    calls.add({ tool: "a" }, 0);
    took.observe({ tool: "b" }, 0, 0.5, { traceId: "0".repeat(31) + "1", atMs: 1_000 });
    took.observe({ tool: "b" }, 0, 0.6, { traceId: TRACE, atMs: 1_790_000_000_123 });
    took.observe({ tool: "b" }, 0, 0.7);
    took.observe({ tool: "b" }, 0, 5, { traceId: TRACE, atMs: 1_790_000_000_300 });
    const lines = String(await expose([calls, took], new Registry(), "openmetrics")).split("\n");
    expect(lines.filter((line) => !line.startsWith("# HELP"))).toStrictEqual([
      "# TYPE calls counter",
      'calls_total{tool="a"} 1',
      "# TYPE took_seconds histogram",
      'took_seconds_bucket{tool="b",le="0.1"} 0',
      `took_seconds_bucket{tool="b",le="1"} 3 # {trace_id="${TRACE}"} 0.6 1790000000.123`,
      `took_seconds_bucket{tool="b",le="+Inf"} 4 # {trace_id="${TRACE}"} 5 1790000000.3`,
      'took_seconds_sum{tool="b"} 6.8',
      'took_seconds_count{tool="b"} 4',
      "# EOF",
      "",
    ]);
  });
});

describe("a scrape of series at their caps", () => {
  const full = () => {
    const took = histogram();
    for (let i = 0; i < 2_000; i++) took.observe({ tool: `tool-${i}` }, 0, 0.5);
    return took;
  };

  test("is made in slices, each of them bounded by one series more than its size", () => {
    const slices = [...render([full()], "openmetrics")];
    const longest = Math.max(...slices.map((slice) => slice.length));
    expect(slices.length).toBeGreaterThan(5);
    expect(longest).toBeLessThan(SLICE_CHARACTERS + 1_000);
  });

  test("lets others have their turn after each slice", async () => {
    const took = full();
    const slices = [...render([took], "plain")].length;
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    await expose([took], new Registry(), "plain");
    isOver = true;
    expect(turns).toBeGreaterThanOrEqual(slices);
  });

  test("goes on when series come and go between two slices", () => {
    const took = full();
    const slices = render([took], "plain");
    slices.next();
    took.expire(0);
    took.observe({ tool: "late" }, 1, 0.5);
    expect([...slices].join("")).toContain('took_seconds_count{tool="late"} 1');
  });
});
