/** What is in `monitoring/`: generated, complete, about metrics that there are, and alerts that fire when they should. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { files } from "../../monitoring/files.ts";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import { create } from "../telemetry/samples.ts";
import { BOARDS, EXPRESSIONS, RULES, metricsIn } from "./expressions.ts";

const FOLDER = join(PACKAGE_ROOT, "monitoring");

/** All series that the registry can have, by the types that it declares. */
async function seriesNames(): Promise<ReadonlySet<string>> {
  const declared = [...(await create().expose()).toString().matchAll(/^# TYPE (\w+) (\w+)$/gm)];
  const names = declared.flatMap(([, name = "", type]) =>
    type === "histogram" ? ["_bucket", "_count", "_sum"].map((suffix) => `${name}${suffix}`) : [name],
  );
  return new Set([...names, "up"]);
}

test("the files are those that the generator makes: run npm run monitoring", async () => {
  for (const [path, text] of files) expect(await readFile(join(FOLDER, path), "utf8"), path).toBe(text);
  const there = (await readdir(join(FOLDER, "grafana"))).map((name) => `grafana/${name}`);
  expect(there.filter((path) => !files.has(path))).toEqual([]);
});

test("every expression is PromQL about metrics that Toolgate has, or that a rule records", async () => {
  const recorded = RULES.flatMap(({ record = [] }) => record);
  const known = new Set([...(await seriesNames()), ...recorded]);
  const unknown = EXPRESSIONS.flatMap(({ of, expr }) =>
    metricsIn(expr)
      .filter((name) => !known.has(name))
      .map((name) => `${of}: ${name}`),
  );
  expect(unknown).toEqual([]);
  expect(EXPRESSIONS.flatMap(({ expr }) => metricsIn(expr)).length).toBeGreaterThan(EXPRESSIONS.length);
});

test("a misspelt metric, and what is no PromQL, would be found", () => {
  expect(metricsIn('sum by (a) (rate(tolgate_requests_total{b=~"$tool"}[$__rate_interval]))')).toEqual([
    "tolgate_requests_total",
  ]);
  expect(() => metricsIn("sum(rate(up[5m])")).toThrow("not PromQL");
});

describe("a dashboard", () => {
  test.each(BOARDS.map((board) => [board.title, board] as const))("%s belongs in anybody's Grafana", (_, board) => {
    const text = JSON.stringify(board);
    expect(board).toMatchObject({ uid: expect.stringMatching(/^toolgate-/), tags: ["toolgate", "mcp"] });
    expect(board).not.toHaveProperty("id", expect.any(Number));
    expect(board.templating.list[0]).toMatchObject({ name: "datasource", type: "datasource", query: "prometheus" });
    for (const { uid } of [...text.matchAll(/"datasource":\{[^}]*"uid":"(?<uid>[^"]*)"/g)].map(
      ({ groups }) => groups ?? {},
    ))
      expect(uid).toBe("${datasource}");
    expect(board).toMatchObject({ time: { from: "now-1h", to: "now" } });
    expect(text.match(/\[\d+[smhd]\]/g)).toBeNull();
  });

  test("shows traces beside durations", () => {
    expect(JSON.stringify(BOARDS)).toMatch(/"exemplar":true/);
  });
});

describe("an alert", () => {
  test("says where to read what to do, and that is there", async () => {
    const runbook = await readFile(join(PACKAGE_ROOT, "docs", "monitoring.md"), "utf8");
    const anchors = new Set([...runbook.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => anchorOf(title)));
    const told = [...(files.get("prometheus/alerts.yml") ?? "").matchAll(/runbook: docs\/monitoring\.md#(.*)$/gm)];
    expect(told.length).toBe(RULES.filter(({ alert }) => alert !== undefined).length);
    expect(told.flatMap(([, anchor = ""]) => (anchors.has(anchor) ? [] : [anchor]))).toEqual([]);
    for (const { alert } of RULES) if (alert !== undefined) expect(runbook).toContain(`\`${alert}\``);
  });

  const promtool = process.env["PROMTOOL"] ?? "promtool";
  const hasPromtool = spawnSync(promtool, ["--version"]).status === 0;
  if (!hasPromtool && process.env["CI"]) throw new Error("promtool is not there: install Prometheus");

  test.skipIf(!hasPromtool)("is made of rules that Prometheus takes", () => {
    const rules = [...files.keys()].filter((path) => path.endsWith(".yml"));
    expect(execFileSync(promtool, ["check", "rules", ...rules], { cwd: FOLDER, encoding: "utf8" })).toContain(
      "SUCCESS",
    );
  });

  test.skipIf(!hasPromtool)("fires for what it is about, and for nothing else", { timeout: 300_000 }, async () => {
    const tests = (await readdir(join(FOLDER, "prometheus"))).filter((name) => name.endsWith(".test.yml"));
    execFileSync(promtool, ["test", "rules", ...tests], { cwd: join(FOLDER, "prometheus"), stdio: "pipe" });
    const tested = await Promise.all(tests.map(async (name) => readFile(join(FOLDER, "prometheus", name), "utf8")));
    for (const { alert } of RULES) if (alert !== undefined) expect(tested.join("")).toContain(`alertname="${alert}"`);
  });
});

/** As GitHub makes them. */
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
