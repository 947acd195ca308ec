/** SIGTERM while calls are under way: what can end in time does, and what cannot is never let through unread. */
import { expect, test } from "vitest";
import { inJson } from "./canary.ts";
import { canaryOfTests } from "./canary-of-tests.ts";
import { ask, callTool, rpc } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const canary = canaryOfTests();

/** The upstream has a list to answer, and Toolgate has been told to end. */
async function stopDuringList({ gateway, toolgate, token }: Stack) {
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  canary.answer = async (message, response) => {
    asked.resolve();
    await released.promise;
    inJson(message, response);
  };
  const reader = await token("reader");
  const reply = ask(gateway.url, { token: reader, body: rpc("tools/list") });
  await asked.promise;
  toolgate.program.signal("SIGTERM");
  await toolgate.program.until("draining", () => toolgate.log.find(({ msg }) => msg === "draining"));
  return { reader, reply, release: () => released.resolve() };
}

describeWithEnvoy("toolgate serve after SIGTERM", () => {
  test("lets a call under way end, takes no new one, and exits with 0", async () => {
    await using stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port });
    const { reader, reply, release } = await stopDuringList(stack);
    const late = await ask(stack.gateway.url, { token: reader, body: callTool("allowed-one") });
    expect(late.status).toBe(503);
    expect(canary.executed.map(({ method }) => method)).toEqual(["tools/list"]);

    release();
    const { status, text } = await reply;
    expect(status).toBe(200);
    expect(text).toContain("allowed-one");
    expect(text).not.toContain("hidden");
    expect(await stack.toolgate.program.exitCode()).toBe(0);
    expect(stack.toolgate.decisions).toMatchObject([{ method: "tools/list", outcome: "ok" }]);
  });

  test("ends with 0 too when a call does not end in time, and the answer to it is withheld", async () => {
    const flags = ["--drain-seconds", "0"];
    await using stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port, flags });
    const { reply, release } = await stopDuringList(stack);
    expect(await stack.toolgate.program.exitCode()).toBe(0);
    release();
    const { status, text } = await reply;
    expect(status).toBe(503);
    expect(text).not.toMatch(/allowed|hidden/);
    expect(stack.toolgate.decisions).toMatchObject([{ method: "tools/list", decision: "allow" }]);
  });
});
