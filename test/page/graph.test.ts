import { describe, expect, test } from "vitest";
import { MOST, createGraph } from "../../src/admin/page/graph.js";
import { heightOf, middles, strands } from "../../src/admin/page/strands.js";
import { apiOf } from "./fixtures.ts";
import { createView, flows } from "../../src/admin/page/view.js";
import { parseFilter } from "../../src/admin/page/filter.js";
import type { Answers, EdgeRow } from "../../src/admin/page/answers.js";
import { NOW_MS, demo, many } from "./worlds.ts";
import type { World } from "./fixtures.ts";

const edge = (changes: Partial<EdgeRow>): EdgeRow => ({
  caller: "alice",
  identity: "jwt",
  server: "s",
  tools: 1,
  requests: 60,
  rps: 1,
  answered: 60,
  success: 1,
  denied: 0,
  errors: 0,
  ...changes,
});

const COLUMNS = { caller: { left: 0, right: 100 }, server: { left: 200, right: 300 }, tool: { left: 400, right: 500 } };

function answersOf(world: World): Answers {
  const ask = (path: string, query = ""): never => apiOf(world)[path]?.(new URLSearchParams(query)) as never;
  const rows = (path: string, query = "") => ({
    ok: true as const,
    value: (ask(path, query) as { rows: never[] }).rows,
  });
  return { edges: rows("/api/edges"), toolEdges: rows("/api/edges", "by=tool") } as unknown as Answers;
}

const flowsOf = (world: World, filter = ""): readonly EdgeRow[] =>
  flows(createView(answersOf(world), parseFilter(filter), 60, NOW_MS));

describe("the flows", () => {
  test("count each call once: as one of its tool, or as one of the other methods of its server", () => {
    const all = edge({ requests: 90, rps: 1.5, answered: 80, denied: 5, errors: 4 });
    const echo = edge({ tool: "echo", requests: 60, answered: 55, denied: 5, errors: 1 });
    const answers = { edges: { ok: true, value: [all] }, toolEdges: { ok: true, value: [echo] } } as unknown as Answers;
    const [tool, rest, ...more] = flows(createView(answers, [], 60, NOW_MS));
    expect(more).toStrictEqual([]);
    expect(tool).toStrictEqual(echo);
    expect(rest).toMatchObject({ requests: 30, rps: 0.5, answered: 25, denied: 0, errors: 3 });
    expect(rest).not.toHaveProperty("tool");
  });

  test("are those that pass the filter", () =>
    expect(flowsOf(demo, "caller=anonymous").map(({ tool }) => tool)).toStrictEqual(["search"]));
});

describe("the graph", () => {
  test("of no calls is empty, and has no height", () => {
    const graph = createGraph([]);
    expect(graph).toStrictEqual({ nodes: { caller: [], server: [], tool: [] }, links: [], paths: [] });
    expect({ height: heightOf(graph), strands: strands(graph, COLUMNS) }).toStrictEqual({ height: 0, strands: [] });
  });

  test("keeps tools of the same name apart when their servers are two", () => {
    const graph = createGraph([edge({ tool: "echo", server: "one" }), edge({ tool: "echo", server: "two" })]);
    expect(graph.nodes.tool.map(({ name, detail }) => [name, detail])).toStrictEqual([
      ["echo", "one"],
      ["echo", "two"],
    ]);
  });

  test("loses no call when it groups: each column and each gap has all of them", () => {
    const rows = flowsOf(many);
    const whole = rows.reduce((all, { rps }) => all + rps, 0);
    const { nodes, links } = createGraph(rows);
    for (const column of ["caller", "server", "tool"] as const) {
      expect(nodes[column].length).toBeLessThanOrEqual(MOST[column] + 1);
      expect(nodes[column].reduce((all, { rps }) => all + rps, 0)).toBeCloseTo(whole);
    }
    for (const from of ["caller", "server"])
      expect(links.filter((link) => link.from.startsWith(from)).reduce((all, { rps }) => all + rps, 0)).toBeCloseTo(
        whole,
      );
  });

  test("does not put one thing alone into a group", () => {
    const rows = Array.from({ length: MOST.tool + 1 }, (_, i) => edge({ tool: `tool-${i}` }));
    expect(createGraph(rows).nodes.tool.some(({ isGroup }) => isGroup)).toBe(false);
    const more = createGraph([...rows, edge({ tool: "last", rps: 0.1 })]).nodes.tool;
    expect(more.at(-1)).toMatchObject({ name: "2 more tools", isGroup: true });
  });
});

describe("the strands of a link", () => {
  const graph = createGraph([edge({ tool: "echo", requests: 60, errors: 6, denied: 12 })]);

  test("are one for each way that calls ended, as wide as their share, and do not lie on each other", () => {
    const drawn = strands(graph, COLUMNS).filter(({ from }) => from.startsWith("caller"));
    expect(drawn.map(({ look }) => look)).toStrictEqual(["ok", "errors", "denied"]);
    const [ok, errors, denied] = drawn.map(({ width }) => width);
    expect(ok).toBeGreaterThan(denied ?? 0);
    expect(denied).toBeGreaterThan(errors ?? 0);
    const middle = drawn.map(({ path }) => Number(/^M[0-9.]+ ([0-9.]+)/.exec(path)?.[1]));
    for (const [i, strand] of drawn.slice(1).entries())
      expect((middle[i + 1] ?? 0) - (middle[i] ?? 0)).toBeGreaterThanOrEqual(
        (strand.width + (drawn[i]?.width ?? 0)) / 2,
      );
  });

  test("lead from one column to the next, and stay on their nodes", () => {
    const big = createGraph(flowsOf(many));
    const middle = middles(big);
    for (const { path, from, to } of strands(big, COLUMNS)) {
      const [x1, y1, , , , , x2, y2] = path.split(/[MC ]/).filter(Boolean).map(Number);
      expect([x1, x2]).toStrictEqual(from.startsWith("caller") ? [100, 200] : [300, 400]);
      expect(Math.abs((y1 ?? 0) - (middle.get(from) ?? 0))).toBeLessThanOrEqual(20);
      expect(Math.abs((y2 ?? 0) - (middle.get(to) ?? 0))).toBeLessThanOrEqual(20);
    }
  });
});
