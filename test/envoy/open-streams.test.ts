/** 10,000 event streams that have begun and then idle, on one Toolgate behind a real Envoy. */
import { connect } from "node:http2";
import { expect, test } from "vitest";
import { ask, callTool } from "./http.ts";
import { openStream, startIdleServer, STREAMS_PER_CONNECTION, toManyOverHttp2 } from "./idle-streams.ts";
import { MEASURED, memoryOf, metric, untilMetric } from "./measured.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";

const CONNECTIONS = 100;
const STREAMS = CONNECTIONS * STREAMS_PER_CONNECTION;

/** What one open stream may cost: about twice what was measured (15 to 20 kB, 6 kB). */
const RESIDENT_BYTES_PER_STREAM = 40_000;
const LIVE_BYTES_PER_STREAM = 12_000;
/** What may stay of it, after its end: compiled code and tables that have grown (0.7 kB after the first 10,000). */
const LEFT_BYTES_PER_STREAM = 1_500;

describeWithEnvoy("10,000 open streams on one process", () => {
  test("cost a bounded memory each, which comes back, and do not keep new calls from being decided", async () => {
    await using server = await startIdleServer();
    await using stack = await startStack({
      policies: CANARY_POLICIES,
      upstreamPort: server.port,
      change: toManyOverHttp2,
      flags: ["--max-streams", String(STREAMS + 1)],
      env: MEASURED,
    });
    const { toolgate, gateway } = stack;
    const token = await stack.token("reader");
    const call = async (name: string) => (await ask(gateway.url, { token, body: callTool(name) })).text;
    await call("allowed-one");
    const before = await memoryOf(toolgate);

    // The second time shows that nothing adds up.
    for (const round of [1, 2]) {
      const sessions = Array.from({ length: CONNECTIONS }, () => connect(gateway.url.origin));
      for (const session of sessions)
        await Promise.all(Array.from({ length: STREAMS_PER_CONNECTION }, () => openStream(session, token)));
      expect(await metric(toolgate, "toolgate_open_exchanges")).toBe(STREAMS);
      const during = await memoryOf(toolgate);
      expect(during.residentBytes - before.residentBytes).toBeLessThan(STREAMS * RESIDENT_BYTES_PER_STREAM);
      expect(during.liveBytes - before.liveBytes).toBeLessThan(STREAMS * LIVE_BYTES_PER_STREAM);

      server.executed.length = 0;
      expect(await call("allowed-two")).toContain("done: allowed-two");
      // There is room for one more: that one has to have ended.
      await untilMetric(toolgate, "toolgate_open_exchanges", STREAMS);
      expect(await call("hidden-one")).toContain("Blocked by policy");
      expect(server.executed).toEqual(["allowed-two"]);

      for (const session of sessions) session.destroy();
      await untilMetric(toolgate, "toolgate_open_exchanges", 0);
      const after = await memoryOf(toolgate);
      expect(after.liveBytes - before.liveBytes).toBeLessThan(STREAMS * LEFT_BYTES_PER_STREAM);
      expect(await metric(toolgate, "toolgate_held_bytes")).toBe(0);
      expect(await metric(toolgate, "toolgate_requests_total", { result: "cancelled" })).toBe(round * STREAMS);
    }
    expect(toolgate.log.filter(({ level }) => level === "error")).toEqual([]);
  });
});
