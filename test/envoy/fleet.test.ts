/** The same tables from a real Prometheus that scrapes a real Toolgate, and from that Toolgate itself. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Canary, sendJson } from "./canary.ts";
import { ask, callTool, rpc } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { freePort } from "./free-port.ts";
import { Program } from "./program.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { runToolgate } from "./toolgate-process.ts";

const PROMETHEUS = process.env["PROMETHEUS"] ?? "prometheus";
const hasPrometheus = spawnSync(PROMETHEUS, ["--version"]).status === 0;
if (!hasPrometheus && process.env["CI"])
  throw new Error(`${PROMETHEUS} does not run: install it, or name it in $PROMETHEUS`);
if (!hasPrometheus) process.stderr.write("SKIPPED, every test with Prometheus: it does not run\n");

type Row = Readonly<Record<string, unknown>>;

let canary: Canary;
let stack: Stack;
let folder: string;
let prometheus: Program;
let url: string;

async function rows(from: readonly string[], ...args: readonly string[]): Promise<readonly Row[]> {
  await using program = runToolgate(...args, ...from, "-o", "json", "--window", "300");
  expect([await program.exitCode(), program.stderr]).toEqual([0, ""]);
  return (JSON.parse(program.stdout) as { readonly rows: readonly Row[] }).rows;
}

const ofInstance = (...args: readonly string[]) => rows(["--admin", stack.toolgate.adminUrl.origin], ...args);
const ofFleet = (...args: readonly string[]) => rows(["--prometheus", url], ...args);

async function value(promql: string): Promise<number | undefined> {
  const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(promql)}`).catch(() => undefined);
  if (answer === undefined) return undefined;
  const { data } = (await answer.json()) as {
    readonly data: { readonly result: readonly { value: [number, string] }[] };
  };
  const [found] = data.result;
  return found === undefined ? undefined : Number(found.value[1]);
}

/** One round: seven calls with every kind of end. */
async function round(): Promise<void> {
  const [reader, admin] = await Promise.all([stack.token("reader"), stack.token("admin")]);
  const post = (token: string, body: string) => ask(stack.gateway.url, { token, body });
  canary.forget();
  await post(reader, rpc("tools/list"));
  await post(reader, callTool("allowed-one"));
  await post(reader, callTool("allowed-one"));
  await post(reader, callTool("hidden-one"));
  await post(admin, rpc("resources/read", { uri: "demo://one" }));
  canary.answer = ({ id }, response) =>
    sendJson(response, JSON.stringify({ jsonrpc: "2.0", id, result: { content: [], isError: true } }));
  await post(reader, callTool("allowed-one"));
  canary.answer = ({ id }, response) =>
    sendJson(response, JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32_000, message: "broken" } }));
  await post(admin, callTool("hidden-one"));
}

describe.skipIf(!hasPrometheus)("Prometheus", () => {
  describeWithEnvoy("that scrapes a Toolgate", () => {
    beforeAll(async () => {
      canary = await Canary.start();
      stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port });
      folder = await mkdtemp(join(tmpdir(), "toolgate-prometheus-"));
      const config = join(folder, "prometheus.yml");
      const target = stack.toolgate.adminUrl.host;
      await writeFile(
        config,
        JSON.stringify({
          global: { scrape_interval: "1s", scrape_timeout: "1s" },
          scrape_configs: [{ job_name: "toolgate", static_configs: [{ targets: [target] }] }],
        }),
      );
      const port = await freePort();
      url = `http://127.0.0.1:${port}`;
      const args = [
        `--config.file=${config}`,
        `--storage.tsdb.path=${folder}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ];
      prometheus = new Program({ name: "Prometheus", command: PROMETHEUS, args });
      // Each series has to be there before it can be seen to grow.
      await round();
      const total = 'sum(toolgate_requests_total{result!=""})';
      await prometheus.until("a first scrape", async () => ((await value(total)) === 7 ? true : undefined));
      await sleep(2_500);
      for (let i = 0; i < 5; i++) await round();
      await prometheus.until("the last scrape", async () => ((await value(total)) === 42 ? true : undefined));
      // It guesses on beyond its first and last samples: the further they are apart, the less that is.
      const grown = 'sum(increase(toolgate_requests_total{result!=""}[300s]))';
      await prometheus.until("a close guess", async () => (Number(await value(grown)) < 35 * 1.15 ? true : undefined));
    });
    afterAll(async () => {
      await prometheus[Symbol.asyncDispose]();
      await stack[Symbol.asyncDispose]();
      await canary[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    const isCounted = (row: Row): boolean =>
      ["requests", "allowed", "denied", "audited"].some((count) => Number(row[count] ?? 0) > 0);
    const NAMES = ["server", "method", "name", "caller", "policy", "rule"];
    const keyOf = (row: Row): string => JSON.stringify(NAMES.map((name) => row[name] ?? ""));

    test.each([["stat", "servers"], ["stat", "tools"], ["stat", "resources"], ["edges"], ["authz"]])(
      "has the rows that the instance has: %s %s",
      async (...args) => {
        const words = args.filter((word) => word !== undefined);
        const [one, all] = [await ofInstance(...words), await ofFleet(...words)];
        // A rule that never decided anything has no series.
        const decided = one.filter(isCounted);
        expect(all.map(keyOf).toSorted()).toEqual(decided.map(keyOf).toSorted());
        for (const row of all) {
          const same = decided.find((other) => keyOf(other) === keyOf(row)) ?? {};
          for (const ratio of ["success", "availability"].filter((name) => name in row)) {
            if (same[ratio] === null || row[ratio] === null) expect(row[ratio]).toBe(same[ratio]);
            else expect(row[ratio]).toBeCloseTo(Number(same[ratio]), 3);
          }
          // Six rounds, the first of which Prometheus has not seen grow.
          for (const count of ["requests", "denied", "tool_errors", "allowed"].filter((name) => name in row)) {
            const [seen, expected] = [Number(row[count]), (Number(same[count]) * 5) / 6];
            expect(Math.abs(seen - expected)).toBeLessThanOrEqual(expected * 0.35);
          }
          // The bounds of the metrics are further apart, and the first round is the slowest.
          const [p50, finer] = [row["p50"] ?? null, same["p50"] ?? null];
          expect(p50 === null).toBe(finer === null);
          const [low, high] = [Number(p50), Number(finer)].toSorted((a, b) => a - b) as [number, number];
          expect(high).toBeLessThanOrEqual(Math.max(0.05, low * 2.5 * 1.5));
        }
      },
    );
  });
});
