/** The other profiles with a Toolgate that fails: nothing is done on anybody's behalf, and nothing hidden is delivered. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { canaryOfTests } from "./canary-of-tests.ts";
import { freePort } from "./free-port.ts";
import { FaultyToolgate } from "./faulty-toolgate.ts";
import { Gateway } from "./gateway.ts";
import { ask, callTool, rpc } from "./http.ts";
import type { Reply } from "./http.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { sampleConfig } from "./sample-config.ts";
import { createIssuer } from "./tokens.ts";

const PROFILES = ["lean", "two-message"] as const;

const canary = canaryOfTests();

describeWithEnvoy.each(PROFILES)("%s", (profile) => {
  let toolgate: FaultyToolgate;
  let gateway: Gateway;
  /** With the time-out that is shipped, for what hangs; the other gives it time. */
  let impatient: Gateway;

  const startGateway = async (extProcPort: number, timeout?: string): Promise<Gateway> => {
    const { keySet } = await createIssuer();
    const change = await sampleConfig(`${profile}.yaml`, "toolgate.ext_proc", (filter) => {
      if (timeout !== undefined) filter["message_timeout"] = timeout;
    });
    return Gateway.start({ extProcPort, upstreamPort: canary.port, keySet, change });
  };

  beforeAll(async () => {
    toolgate = await FaultyToolgate.start();
    gateway = await startGateway(toolgate.port, "20s");
    impatient = await startGateway(toolgate.port);
  });
  afterAll(async () => {
    await impatient[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
    await toolgate[Symbol.asyncDispose]();
  });
  afterEach(() => {
    toolgate.fault = undefined;
  });
  const send = (body: string, to = gateway): Promise<Reply> => ask(to.url, { body });

  test("a call that is denied does not reach the server", async () => {
    expect((await send(callTool("hidden-one"))).text).toContain('"isError":true');
    expect(canary.touched).toBe(0);
  });

  describe.each(["throws", "hangs"] as const)("Toolgate that %s", (deed) => {
    const asking = (): Gateway => (deed === "hangs" ? impatient : gateway);

    test("at a message: the server is never asked", async () => {
      toolgate.fault = { phase: "requestBody", deed };
      expect((await send(callTool("allowed-one"), asking())).status).toBe(503);
      expect(canary.touched).toBe(0);
    });

    test("at a request without a body: the server is never asked", async () => {
      toolgate.fault = { phase: "requestHeaders", deed };
      expect((await ask(asking().url, { method: "GET" })).status).toBe(503);
      expect(canary.touched).toBe(0);
    });

    test("at an answer: nothing of it is delivered", async () => {
      for (const phase of ["responseHeaders", "responseBody"] as const) {
        toolgate.fault = { phase, deed };
        // With two messages the headers of an answer are not shown: nothing fails at them.
        const fails = phase === "responseBody" || profile === "lean";
        const { status, text, complete } = await send(rpc("tools/list"), fails ? asking() : gateway);
        expect(status === 503 || !complete).toBe(fails);
        expect(text).not.toMatch(/hidden/);
      }
    });
  });

  test("Toolgate that is not there: the server is never asked", async () => {
    await using alone = await startGateway(await freePort());
    expect((await ask(alone.url, { body: callTool("allowed-one") })).status).toBe(503);
    expect((await ask(alone.url, { method: "DELETE" })).status).toBe(503);
    expect(canary.touched).toBe(0);
  });
});
