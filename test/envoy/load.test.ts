/**
 * Calls as fast as they go. Envoy ends nearly every stream to Toolgate with RST_STREAM; without the two limits that
 * `src/grpc/server.ts` lifts, Node takes that for an attack and cuts the connection, with every call that is on it.
 */
import autocannon from "autocannon";
import { expect, test } from "vitest";
import { Canary } from "./canary.ts";
import { callTool } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";

const CALLS = 5_000;
const CONNECTIONS = 16;

describeWithEnvoy("under load", () => {
  test("5,000 calls as fast as they go all get their answer", async () => {
    await using canary = await Canary.start();
    await using stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port });
    const { statusCodeStats, errors, timeouts } = await autocannon({
      url: stack.gateway.url.href,
      connections: CONNECTIONS,
      amount: CALLS,
      method: "POST",
      headers: {
        authorization: `Bearer ${await stack.token("reader")}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: callTool("allowed-one"),
    });
    expect({ statusCodeStats, errors, timeouts }).toEqual({
      statusCodeStats: { "200": { count: CALLS } },
      errors: 0,
      timeouts: 0,
    });
    expect(canary.executed).toHaveLength(CALLS);
    expect(stack.toolgate.log.filter(({ level }) => level === "error")).toEqual([]);
    await stack.toolgate.program.until("a decision for each call", () =>
      stack.toolgate.decisions.filter(({ outcome }) => outcome === "ok").length === CALLS ? true : undefined,
    );
  });
});
