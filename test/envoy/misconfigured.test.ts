/** An Envoy that is configured so that Toolgate could not decide: it refuses, and its log says which setting to change. */
import { expect, test } from "vitest";
import { canaryOfTests } from "./canary-of-tests.ts";
import { extProcFilter } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { ask, callTool, rpc } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const canary = canaryOfTests();

const setMode = (modes: Readonly<Record<string, string>>) => (config: Node) => {
  const filter = extProcFilter(config);
  filter["processing_mode"] = { ...(filter["processing_mode"] as object), ...modes };
};

const expectError = async ({ toolgate }: Stack, words: string): Promise<void> =>
  expect(await toolgate.says(words)).toMatchObject({ level: "error" });

const start = (change: (config: Node) => void): Promise<Stack> =>
  startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port, change });

describeWithEnvoy("an Envoy that is configured wrongly", () => {
  test.each([
    ["request_body_mode NONE", { request_body_mode: "NONE" }, "request_body_mode to BUFFERED, it is NONE"],
    ["request_body_mode STREAMED", { request_body_mode: "STREAMED" }, "request_body_mode to BUFFERED, it is STREAMED"],
    [
      "request_body_mode BUFFERED_PARTIAL",
      { request_body_mode: "BUFFERED_PARTIAL" },
      "request_body_mode to BUFFERED, it is BUFFERED_PARTIAL",
    ],
    [
      "request_body_mode FULL_DUPLEX_STREAMED and answers that are not shown",
      { request_body_mode: "FULL_DUPLEX_STREAMED", request_trailer_mode: "SEND", response_body_mode: "NONE" },
      "response_body_mode to FULL_DUPLEX_STREAMED, it is NONE",
    ],
    ["response_body_mode BUFFERED", { response_body_mode: "BUFFERED" }, "processing_mode.response_body_mode to"],
  ])("with %s nothing passes, and the log says what to set", async (_, modes, advice) => {
    await using stack = await start(setMode(modes));
    const token = await stack.token("reader");
    const { status } = await ask(stack.gateway.url, { token, body: callTool("allowed-one") });
    expect(status).toBe(503);
    expect(canary.touched).toBe(0);
    await expectError(stack, advice);
  });

  test("with request_header_mode SKIP nothing passes, and the log names the setting", async () => {
    await using stack = await start(setMode({ request_header_mode: "SKIP" }));
    const token = await stack.token("reader");
    const { status } = await ask(stack.gateway.url, { token, body: callTool("allowed-one") });
    expect(status).toBe(503);
    expect(canary.executed).toEqual([]);
    await expectError(stack, "request_header_mode");
  });

  test("with observability_mode the log says that answers are ignored", async () => {
    await using stack = await start((config) => {
      Object.assign(extProcFilter(config), { observability_mode: true });
    });
    const token = await stack.token("reader");
    // Envoy does not wait for us in this mode, so that what the client gets depends on who is faster.
    await ask(stack.gateway.url, { token, body: callTool("allowed-one") });
    await expectError(stack, "set observability_mode to false");
  });

  test("with answers that are not shown the log says that lists are not filtered", async () => {
    await using stack = await start((config) => {
      setMode({ response_body_mode: "NONE" })(config);
      extProcFilter(config)["allow_mode_override"] = false;
    });
    const token = await stack.token("reader");
    await ask(stack.gateway.url, { token, body: rpc("tools/list") });
    await expectError(stack, "allow_mode_override");
  });
});
