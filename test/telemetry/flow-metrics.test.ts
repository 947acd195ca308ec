import { describe, expect, test } from "vitest";
import type { OpenExchange } from "../../src/telemetry/meter.ts";
import { compiled, serverDocument } from "../fixtures/policies.ts";
import { create, samples, total, values } from "./samples.ts";

const { policies } = compiled([serverDocument("everything", [{ path: "/mcp" }])]);
const EVERYTHING = { mcp_server: "tools/everything" };

const silentFor = (seconds: number): OpenExchange["stream"] => ({
  events: 0,
  heardAtMs: performance.now() - seconds * 1_000,
});

describe("what is open", () => {
  test("is read when asked for, by server, with the longest silence", async () => {
    const { meter, ...metrics } = create({ inForce: () => policies });
    const all = { ...metrics, meter };
    const open: readonly OpenExchange[] = [
      { server: "tools/everything", calls: 1, stream: silentFor(100) },
      { server: "tools/everything", calls: 2, stream: silentFor(3) },
      { server: "tools/other", calls: 1, stream: undefined },
      { server: undefined, calls: 0, stream: undefined },
    ];
    for (const one of open) meter.open.add(one);
    expect(await samples(all, "toolgate_inflight_requests")).toStrictEqual([
      { labels: EVERYTHING, value: 3 },
      { labels: { mcp_server: "tools/other" }, value: 1 },
    ]);
    expect((await samples(all, "toolgate_active_streams")).map(({ value }) => value)).toStrictEqual([2, 0]);
    const [idle] = await samples(all, "toolgate_stream_idle_seconds");
    expect(Math.floor((idle?.value ?? 0) / 100)).toBe(1);
  });

  test("is zero on each server in force where nothing is", async () => {
    const metrics = create({ inForce: () => policies });
    for (const name of [
      "toolgate_inflight_requests",
      "toolgate_active_streams",
      "toolgate_stream_idle_seconds",
      "toolgate_stream_events_total",
      "toolgate_stream_resumptions_total",
    ])
      expect(await samples(metrics, name), name).toStrictEqual([{ labels: EVERYTHING, value: 0 }]);
  });

  test("has no more servers than the cap", async () => {
    const names = Array.from({ length: 5_000 }, (_, i) => serverDocument(`s${i}`, [{ path: `/${i}` }]));
    const many = compiled(names).policies;
    const metrics = create({ inForce: () => many });
    expect(await samples(metrics, "toolgate_inflight_requests")).toHaveLength(2_000);
    expect(await samples(metrics, "toolgate_stream_events_total")).toHaveLength(1_000);
  });
});

describe("streams", () => {
  test("are counted by their events, how they ended, and how often one was resumed", async () => {
    const metrics = create();
    metrics.meter.streamEvents("tools/everything", 3);
    metrics.meter.streamEvents("tools/everything", 4);
    metrics.meter.streamEnded("tools/everything", "complete");
    metrics.meter.streamEnded("tools/everything", "revoked");
    metrics.meter.streamResumed("tools/everything");
    expect(total(await samples(metrics, "toolgate_stream_events_total"))).toBe(7);
    expect(values(await samples(metrics, "toolgate_streams_ended_total"), "how")).toStrictEqual([
      "complete",
      "revoked",
    ]);
    expect(total(await samples(metrics, "toolgate_stream_resumptions_total"))).toBe(1);
  });

  test("of any number of servers stay under the cap", async () => {
    const metrics = create();
    for (let i = 0; i < 10_000; i++) {
      metrics.meter.streamEvents(`tools/s${i}`, 1);
      metrics.meter.streamEnded(`tools/s${i}`, "complete");
      metrics.meter.streamResumed(`tools/s${i}`);
    }
    for (const name of [
      "toolgate_stream_events_total",
      "toolgate_streams_ended_total",
      "toolgate_stream_resumptions_total",
    ]) {
      const all = await samples(metrics, name);
      expect(all.length, name).toBeLessThanOrEqual(2_001);
      expect(total(all), name).toBe(10_000);
    }
  });
});

describe("toolgate_processing_seconds", () => {
  test("has each phase from the start, and our own time between 50 us and 100 ms", async () => {
    const metrics = create();
    metrics.meter.processed("requestBody", 0.06);
    metrics.meter.processed("check", 1_000);
    const counts = await samples(metrics, "toolgate_processing_seconds_count");
    expect(counts.map(({ labels, value }) => `${labels["phase"]} ${value}`)).toStrictEqual([
      "request_headers 0",
      "request_body 1",
      "request_trailers 0",
      "response_headers 0",
      "response_body 0",
      "response_trailers 0",
      "check 1",
    ]);
    const buckets = await samples(metrics, "toolgate_processing_seconds_bucket");
    const ofBody = buckets.filter(({ labels }) => labels["phase"] === "request_body");
    expect(ofBody.map(({ labels, value }) => `${labels["le"]}=${value}`).join(" ")).toBe(
      "0.00005=0 0.0001=1 0.00025=1 0.0005=1 0.001=1 0.0025=1 0.005=1 0.01=1 0.025=1 0.05=1 0.1=1 +Inf=1",
    );
  });
});
