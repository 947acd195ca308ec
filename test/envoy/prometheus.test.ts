/** A real Prometheus reads `/metrics`: what it asks for, and what it has understood. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAdminServer } from "../../src/admin/server.ts";
import { EMPTY_POLICY_SET } from "../../src/core/policy/policy-set.ts";
import { createRecent } from "../../src/telemetry/recent.ts";
import { createTap } from "../../src/telemetry/tap.ts";
import { createTraffic } from "../../src/telemetry/traffic.ts";
import { PROMETHEUS } from "../fixtures/prometheus.ts";
import { denied, record } from "../telemetry/records.ts";
import { create } from "../telemetry/samples.ts";
import { freePort } from "./free-port.ts";
import { Program } from "./program.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const RULE = { policy: "tools/p", rule: "never", action: "Allow", mode: "Enforce", servers: [] } as const;

describe.skipIf(PROMETHEUS === undefined)("Prometheus", () => {
  const cleanups: (() => unknown)[] = [];
  afterAll(async () => {
    for (const cleanup of cleanups.toReversed()) await cleanup();
  });
  let url = "";
  let prometheus: Program;
  const formats: string[] = [];

  /** What Prometheus answers at a path of its API, once there is something. */
  const answered = (path: string): Promise<readonly unknown[]> =>
    prometheus.until(`an answer to ${path}`, async () => {
      const response = await fetch(`${url}/api/v1/${path}`).catch(() => undefined);
      if (response?.ok !== true) return undefined; // It has not begun yet.
      const { data } = (await response.json()) as { data: { result: unknown[] } | unknown[] };
      const found = Array.isArray(data) ? data : data.result;
      return found.length > 0 ? found : undefined;
    });

  beforeAll(async () => {
    const metrics = create({ inForce: () => ({ servers: [], rules: [RULE] }) });
    const admin = createAdminServer({
      metrics: {
        expose(format) {
          formats.push(format);
          return metrics.expose(format);
        },
      },
      missing: () => [],
      assets: new Map(),
      traffic: createTraffic({ isNamed: () => true }),
      recent: createRecent(),
      tap: createTap(),
      activity: () => [],
      decisionLog: { dropped: () => 0, queuedBytes: () => 0, head: () => undefined },
      info: { version: "1.2.3", startedAtMs: 0, id: "this-start", listen: () => undefined },
      policies: () => EMPTY_POLICY_SET,
      report: () => ({ generation: 0, problems: [], warnings: [], lastSyncedAtMs: undefined }),
    });
    cleanups.push(() => admin.close());
    const address = await admin.listen({ host: "127.0.0.1", port: 0 });
    if ("path" in address) throw new Error("a socket where a port was asked for");
    const trace = { traceId: TRACE, parent: undefined, linked: undefined, spans: undefined };
    metrics.record(record({ trace, startedAtMs: Date.now() }));
    metrics.record(denied({ target: { kind: "tool", name: "invented" } }));

    const folder = await mkdtemp(join(tmpdir(), "prometheus-"));
    cleanups.push(() => rm(folder, { recursive: true }));
    const config = {
      global: { scrape_interval: "1s" },
      scrape_configs: [{ job_name: "toolgate", static_configs: [{ targets: [`127.0.0.1:${address.port}`] }] }],
    };
    await writeFile(join(folder, "prometheus.yml"), JSON.stringify(config));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    prometheus = new Program({
      name: "prometheus",
      command: PROMETHEUS ?? "",
      args: [
        `--config.file=${join(folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--enable-feature=exemplar-storage",
      ],
    });
    cleanups.push(() => prometheus[Symbol.asyncDispose]());
  });

  test("asks for OpenMetrics, and takes all of it", async () => {
    expect(await answered("query?query=up==1")).toHaveLength(1);
    expect(formats).toContain("openmetrics");
    expect(formats).not.toContain("plain");
  });

  test("has counters under the names of the plain text", async () => {
    const [request] = await answered('query?query=toolgate_requests_total{result="denied"}');
    expect(request).toMatchObject({
      metric: { gen_ai_tool_name: "_unknown", error_type: "no-rule-allows" },
      value: [expect.any(Number), "1"],
    });
  });

  test("finds the rules that have never decided", async () => {
    const [hits] = await answered("query?query=toolgate_rule_hits_total==0");
    expect(hits).toMatchObject({ metric: { policy: "tools/p", rule: "never", decision: "allow" } });
  });

  test("leads from a duration to its trace", async () => {
    const range = `start=${Date.now() / 1_000 - 600}&end=${Date.now() / 1_000 + 600}`;
    const [exemplars] = await answered(`query_exemplars?query=mcp_server_operation_duration_seconds_bucket&${range}`);
    expect(exemplars).toMatchObject({
      seriesLabels: { gen_ai_tool_name: "echo", le: "0.02" },
      exemplars: [{ labels: { trace_id: TRACE }, value: "0.0123456" }],
    });
  });

  test("has the delay of the event loop and the open exchanges", async () => {
    expect(await answered("query?query=nodejs_eventloop_lag_p99_seconds")).toHaveLength(1);
    expect(await answered("query?query=toolgate_open_exchanges")).toHaveLength(1);
  });
});
