/** A Toolgate with little memory: it refuses before it runs out, and when it dies all the same, nothing passes. */
import { once } from "node:events";
import { connect } from "node:http2";
import { expect, test } from "vitest";
import { answerTo, Canary } from "./canary.ts";
import { ask, callTool, rpc } from "./http.ts";
import { openStream, startIdleServer, STREAMS_PER_CONNECTION, toManyOverHttp2 } from "./idle-streams.ts";
import { metric, untilMetric } from "./measured.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";

const MEBIBYTE = 2 ** 20;
const SMALL_HEAP = { NODE_OPTIONS: "--max-old-space-size=48" };
/** Little more than what a process takes that has nothing to do (it starts with 32). */
const SMALLEST_HEAP = { NODE_OPTIONS: "--max-old-space-size=36" };
const MAX_HELD_BYTES = 16 * MEBIBYTE;
const BODY_BYTES = 3 * MEBIBYTE;

/** A list that is far longer than what is in it. */
const longList = (message: object): string => {
  const [head, tail] = answerTo(message).split('"ttlMs"') as [string, string];
  return `${head}"padding":"${"x".repeat(BODY_BYTES)}","ttlMs"${tail}`;
};

describeWithEnvoy("Toolgate with little memory", () => {
  test("refuses new exchanges while it holds as much as it may, and serves those that are open", async () => {
    await using canary = await Canary.start();
    await using stack = await startStack({
      policies: CANARY_POLICIES,
      upstreamPort: canary.port,
      env: SMALL_HEAP,
      flags: ["--max-held-bytes", String(MAX_HELD_BYTES)],
    });
    const { toolgate, gateway } = stack;
    const token = await stack.token("reader");
    const released = Promise.withResolvers<void>();
    canary.answer = async (message, response) => {
      const list = longList(message);
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(list) });
      response.write(list.slice(0, BODY_BYTES));
      await released.promise;
      response.end(list.slice(BODY_BYTES));
    };
    const list = () => ask(gateway.url, { token, body: rpc("tools/list") });
    const held = () => metric(toolgate, "toolgate_held_bytes");

    const open: ReturnType<typeof list>[] = [];
    while ((await held()) < MAX_HELD_BYTES) {
      open.push(list());
      await toolgate.program.until("one more answer that is held", async () =>
        (await held()) > (open.length - 0.5) * BODY_BYTES ? true : undefined,
      );
    }
    expect(open).toHaveLength(Math.ceil(MAX_HELD_BYTES / BODY_BYTES));
    const refused = await Promise.all(Array.from({ length: 20 }, list));
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
    expect(canary.touched).toBe(open.length);
    expect(await metric(toolgate, "toolgate_streams_refused_total", { reason: "memory" })).toBe(20);

    released.resolve();
    for (const { status, text, complete } of await Promise.all(open)) {
      expect({ status, complete }).toEqual({ status: 200, complete: true });
      expect(text).toContain("allowed-one");
      expect(text).not.toContain("hidden");
    }
    await untilMetric(toolgate, "toolgate_held_bytes", 0);
    expect((await list()).status).toBe(200);
  });

  test("stays alive under large bodies, as many as come: each is served or refused", async () => {
    await using canary = await Canary.start();
    await using stack = await startStack({
      policies: CANARY_POLICIES,
      upstreamPort: canary.port,
      env: SMALL_HEAP,
      flags: ["--max-held-bytes", String(MAX_HELD_BYTES)],
    });
    const { toolgate, gateway } = stack;
    const token = await stack.token("reader");
    const large = { text: "x".repeat(BODY_BYTES) };
    const call = (name: string) => ask(gateway.url, { token, body: callTool(name, large) });
    for (let round = 0; round < 2; round++) {
      const replies = await Promise.all(
        Array.from({ length: 16 }, (_, i) => call(i % 2 === 0 ? "allowed-one" : "hidden-one")),
      );
      for (const { status } of replies) expect([200, 503]).toContain(status);
    }
    expect(canary.executed.filter(({ params }) => params?.["name"] !== "allowed-one")).toEqual([]);
    expect(toolgate.program.hasEnded).toBe(false);
    await untilMetric(toolgate, "toolgate_held_bytes", 0);
    expect((await call("allowed-one")).text).toContain("done: allowed-one");
  });

  test("that runs out of it dies, and nothing passes: what is asked is refused, what is open is cut off", async () => {
    await using server = await startIdleServer();
    await using stack = await startStack({
      policies: CANARY_POLICIES,
      upstreamPort: server.port,
      change: toManyOverHttp2,
      env: SMALLEST_HEAP,
    });
    const { toolgate, gateway } = stack;
    const token = await stack.token("reader");
    const sessions: ReturnType<typeof connect>[] = [];
    // Far more than it can take: each open exchange costs some kilobytes.
    while (!toolgate.program.hasEnded) {
      const more = Array.from({ length: 5 }, () => connect(gateway.url.origin));
      sessions.push(...more);
      const opened = more.flatMap((session) =>
        Array.from({ length: STREAMS_PER_CONNECTION }, () => openStream(session, token)),
      );
      await Promise.allSettled(opened);
    }
    await toolgate.program.exitCode();
    expect(toolgate.program.stderr).toContain("heap out of memory");
    server.executed.length = 0;
    const call = (name: string) => ask(gateway.url, { token, body: callTool(name) });
    expect((await call("allowed-one")).status).toBe(503);
    expect((await call("hidden-one")).status).toBe(503);
    expect(server.executed).toEqual([]);

    for (const session of sessions) {
      const closed = once(session, "close");
      session.destroy();
      await closed;
    }
    await toolgate.kill();
    await toolgate.restart();
    await toolgate.program.until("an answer", async () =>
      (await call("allowed-one")).status === 200 ? true : undefined,
    );
  });
});
