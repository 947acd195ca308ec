/**
 * Toolgate as a process that is stopped and killed, in front of an upstream that records what it was asked. Whatever
 * happens, nothing that was not permitted is executed, and nothing that was not filtered is delivered. What single
 * exchanges can suffer is in `fail-closed.test.ts`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answerTo, inEvents, inJson } from "./canary.ts";
import type { Answer } from "./canary.ts";
import { canaryOfTests } from "./canary-of-tests.ts";
import { extProcFilter, Gateway } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { ask, callTool, rpc } from "./http.ts";
import type { Ask, Reply } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const UNAVAILABLE = { jsonrpc: "2.0", id: null, error: { code: -32_603, message: "policy service unavailable" } };

const canary = canaryOfTests();

const LONGER_THAN_TIMEOUT_MS = 1_200;

/** The one that is shipped, so that what stands still is noticed as soon as in production; others are given time. */
function withShortTimeout(config: Node): void {
  extProcFilter(config)["message_timeout"] = "1s";
}

/** Waits for the upstream to have been asked, and then for the test's word. */
function heldBack(answer: Answer): {
  readonly answer: Answer;
  readonly asked: Promise<void>;
  readonly release: () => void;
} {
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  return {
    answer: async (message, response) => {
      asked.resolve();
      await released.promise;
      await answer(message, response);
    },
    asked: asked.promise,
    release: () => released.resolve(),
  };
}

/** An event that anybody may see, at once; the list when the test says so. */
function eventThenList(): { readonly answer: Answer; readonly release: () => void } {
  const released = Promise.withResolvers<void>();
  return {
    answer: async (message, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(
        'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1,"message":"working"}}\n\n',
      );
      await released.promise;
      response.end(`data: ${answerTo(message)}\n\n`);
    },
    release: () => released.resolve(),
  };
}

function expectRefusal({ status, text, headers }: Reply): void {
  expect(status).toBe(503);
  expect(headers["content-type"]).toBe("application/json");
  expect(JSON.parse(text)).toEqual(UNAVAILABLE);
}

/** Cut off, or an error: but never something of the list, and never as if it were whole. */
function expectNothingOfTheList({ status, text, complete }: Reply): void {
  expect(text).not.toMatch(/hidden|allowed-/);
  expect(status >= 500 || !complete).toBe(true);
}

describeWithEnvoy("Toolgate as a process", () => {
  let stack: Stack;
  /** Before the same Toolgate. */
  let impatient: Gateway;
  let reader: string;

  beforeAll(async () => {
    stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port });
    const { toolgate, keySet } = stack;
    const asked = { extProcPort: toolgate.port, upstreamPort: canary.port, keySet };
    impatient = await Gateway.start({ ...asked, change: withShortTimeout });
    reader = await stack.token("reader");
  });
  afterAll(async () => {
    await impatient[Symbol.asyncDispose]();
    await stack[Symbol.asyncDispose]();
  });

  const send = (body: string, more: Ask = {}, to = stack.gateway): Promise<Reply> =>
    ask(to.url, { token: reader, body, ...more });
  /** With the same Envoy, which was told nothing. */
  const recovered = async (): Promise<void> => {
    await stack.toolgate.program.until("an answer", async () => {
      const { status } = await send(callTool("allowed-one"));
      return status === 200 || undefined;
    });
  };

  test("that is not there: the upstream is never asked, and it goes on when it is back", async () => {
    await stack.toolgate.kill();
    expectRefusal(await send(callTool("allowed-one")));
    expectRefusal(await ask(stack.gateway.url, { token: reader, method: "DELETE" }));
    expect(canary.touched).toBe(0);
    await stack.toolgate.restart();
    await recovered();
    expect(canary.executed).toHaveLength(1);
  });

  test("that stands still: the upstream is never asked, and it goes on when it is awake", async () => {
    stack.toolgate.program.signal("SIGSTOP");
    expectRefusal(await send(callTool("allowed-one"), {}, impatient));
    expect(canary.touched).toBe(0);
    stack.toolgate.program.signal("SIGCONT");
    await recovered();
  });

  test("that has nothing to answer for longer than the time-out is not taken for dead", async () => {
    canary.answer = async (message, response) => {
      await sleep(LONGER_THAN_TIMEOUT_MS);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(
        'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1,"message":"working"}}\n\n',
      );
      await sleep(LONGER_THAN_TIMEOUT_MS);
      response.end(`data: ${answerTo(message)}\n\n`);
    };
    const { status, text, complete } = await send(rpc("tools/list"), {}, impatient);
    expect({ status, complete }).toEqual({ status: 200, complete: true });
    expect(text).toContain("allowed-one");
  });

  test("that is killed while Envoy waits for its decision: the upstream is never asked", async () => {
    stack.toolgate.program.signal("SIGSTOP");
    const streams = (): Promise<number> => stack.gateway.stat("cluster.toolgate.upstream_rq_total");
    const before = await streams();
    const pending = send(callTool("allowed-one"));
    await stack.gateway.program.until("a question to Toolgate", async () => (await streams()) > before || undefined);
    await stack.toolgate.kill();
    expectRefusal(await pending);
    expect(canary.touched).toBe(0);
    await stack.toolgate.restart();
    await recovered();
  });

  test("that is killed while the upstream works: the list is withheld", async () => {
    const { answer, asked, release } = heldBack(inJson);
    canary.answer = answer;
    const pending = send(rpc("tools/list"));
    await asked;
    await stack.toolgate.kill();
    release();
    expectNothingOfTheList(await pending);
    canary.forget();
    await stack.toolgate.restart();
    await recovered();
  });

  test("that is killed in the middle of an event stream: nothing more is delivered", async () => {
    const { answer, release } = eventThenList();
    canary.answer = answer;
    const reply = await send(rpc("tools/list"), { onText: () => void stack.toolgate.kill().then(release) });
    expect(reply.text).toContain("working");
    expectNothingOfTheList(reply);
    canary.forget();
    await stack.toolgate.restart();
    await recovered();
  });

  test("that stands still in the middle of an event stream: nothing more is delivered", async () => {
    const { answer, release } = eventThenList();
    canary.answer = answer;
    const onText = (): void => {
      stack.toolgate.program.signal("SIGSTOP");
      release();
    };
    const reply = await send(rpc("tools/list"), { onText }, impatient);
    expectNothingOfTheList(reply);
    stack.toolgate.program.signal("SIGCONT");
    canary.answer = inEvents;
    await recovered();
  });
});
