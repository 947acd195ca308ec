/** What does not fit, and what is not there: the status and the words that a client gets. */
import { connect } from "node:http2";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ServerResponse } from "node:http";
import { inEvents, sendJson, SIZE_ARGUMENT } from "./canary.ts";
import { canaryOfTests } from "./canary-of-tests.ts";
import { freePort } from "./free-port.ts";
import { manager } from "./gateway.ts";
import { ask, askRaw, callTool, postOverHttp2, rpc } from "./http.ts";
import { untilMetric } from "./measured.ts";
import { CANARY_POLICIES, CANARY_SERVER, policyFor } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

/** `per_connection_buffer_limit_bytes` and the stream window of `envoy-config/`. */
const ENVOY_LIMIT_BYTES = 4 * 2 ** 20;
const OUR_LIMIT_BYTES = 100_000;

const canary = canaryOfTests();

/** A call of exactly this size. */
function callOf(bytes: number): string {
  const rest = bytes - callTool("allowed-one", { text: "" }).length - 10;
  const call = callTool("allowed-one", { text: "x".repeat(rest) });
  return call.replace('"text":"', `"text":"${"x".repeat(bytes - call.length)}`);
}

async function statusOverHttp2({ gateway }: Stack, token: string, body: string): Promise<number> {
  const session = connect(gateway.url.origin);
  try {
    const stream = postOverHttp2(session, { token, body });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    stream.once("response", (headers) => resolve(Number(headers[":status"])));
    stream.on("error", reject);
    return await promise;
  } finally {
    session.destroy();
  }
}

describeWithEnvoy("limits", () => {
  describe("of Envoy", () => {
    let stack: Stack;
    let token: string;
    beforeAll(async () => {
      stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port });
      token = await stack.token("reader");
    });
    afterAll(() => stack[Symbol.asyncDispose]());

    test("a body of exactly the limit passes", async () => {
      const body = callOf(ENVOY_LIMIT_BYTES);
      expect(body).toHaveLength(ENVOY_LIMIT_BYTES);
      expect((await ask(stack.gateway.url, { token, body })).status).toBe(200);
      expect(canary.seen[0]?.body).toHaveLength(ENVOY_LIMIT_BYTES);
    });

    test("a larger one gets 413 from Envoy", async () => {
      expect((await ask(stack.gateway.url, { token, body: callOf(ENVOY_LIMIT_BYTES + 1) })).status).toBe(413);
      expect(canary.touched).toBe(0);
    });

    test("over HTTP/2 the same holds", async () => {
      expect(await statusOverHttp2(stack, token, callOf(ENVOY_LIMIT_BYTES))).toBe(200);
      canary.forget();
      expect(await statusOverHttp2(stack, token, callOf(ENVOY_LIMIT_BYTES + 1))).toBe(413);
      expect(canary.touched).toBe(0);
    });
  });

  test("of Envoy, shortened: a body that does not come to its end takes no place for ever", async () => {
    await using stack = await startStack({
      policies: CANARY_POLICIES,
      upstreamPort: canary.port,
      flags: ["--max-streams", "1"],
      change: (config) => void (manager(config)["request_timeout"] = "0.5s"),
    });
    const head = "POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    expect(await askRaw(stack.gateway.port, head)).toMatch(/^HTTP\/1\.1 408 /);
    const token = await stack.token("reader");
    const call = async (): Promise<number> =>
      (await ask(stack.gateway.url, { token, body: callTool("allowed-one") })).status;
    await expect.poll(call, { timeout: 20_000 }).toBe(200);
  });

  test("of Toolgate: a larger body gets 413 with a sentence, and the call before it is not known", async () => {
    await using stack = await startStack({
      policies: CANARY_POLICIES,
      upstreamPort: canary.port,
      flags: ["--max-body-bytes", String(OUR_LIMIT_BYTES)],
    });
    const token = await stack.token("reader");
    expect((await ask(stack.gateway.url, { token, body: callOf(OUR_LIMIT_BYTES) })).status).toBe(200);
    canary.forget();
    const { status, text } = await ask(stack.gateway.url, { token, body: callOf(OUR_LIMIT_BYTES + 1) });
    expect(status).toBe(413);
    expect(JSON.parse(text)).toEqual({
      jsonrpc: "2.0",
      id: null,
      error: { code: -32_600, message: "the body is larger than 100000 bytes" },
    });
    expect(canary.touched).toBe(0);
    expect(await stack.toolgate.decision({ reason: "too-large" })).toMatchObject({
      decision: "deny",
      caller: "reader",
      method: "unknown",
      rule: "too-large",
    });
  });
});

describeWithEnvoy("each limit of Toolgate that is an option", () => {
  let stack: Stack;
  let token: string;
  beforeAll(async () => {
    const options = {
      depth: 8,
      keys: 64,
      "name-bytes": 16,
      "uri-bytes": 64,
      "answer-bytes": 2_048,
      "event-bytes": 1_024,
    };
    stack = await startStack({
      policies: [
        CANARY_SERVER,
        policyFor("reader", '[{ tools: ["allowed*"], resources: ["x:*"] }]'),
        policyFor("waiter", '[{ tools: ["*"] }]'),
      ].join("---"),
      upstreamPort: canary.port,
      flags: [
        ...Object.entries(options).flatMap(([name, value]) => [`--max-${name}`, String(value)]),
        "--max-streams",
        "2",
      ],
    });
    token = await stack.token("reader");
  });
  afterAll(() => stack[Symbol.asyncDispose]());
  /** A client may have its answer before Toolgate knows that the exchange has ended, and two may be open. */
  const untilNoneIsOpen = (): Promise<void> => untilMetric(stack.toolgate, "toolgate_open_exchanges", 0);
  afterEach(untilNoneIsOpen);

  const send = (body: string) => ask(stack.gateway.url, { token, body });
  const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
  const keys = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 0]));

  // What may be: a level for the message, its params and its arguments; keys for them, and for the argument.
  test.each<readonly [string, string, string, string]>([
    [
      "depth",
      "too-deep",
      callTool("allowed-one").replace('"arguments":{}', `"arguments":{"a":${deep(5)}}`),
      callTool("allowed-one").replace('"arguments":{}', `"arguments":{"a":${deep(6)}}`),
    ],
    ["keys", "too-many-keys", callTool("allowed-one", keys(58)), callTool("allowed-one", keys(59))],
    ["name", "name-too-long", callTool("allowed".padEnd(16, "x")), callTool("allowed".padEnd(17, "x"))],
    [
      "URI",
      "uri-too-long",
      rpc("resources/read", { uri: "x:".padEnd(64, "y") }),
      rpc("resources/read", { uri: "x:".padEnd(65, "y") }),
    ],
  ])("%s: what fits passes, what does not is refused as %s", async (_, reason, fits, exceeds) => {
    expect((await send(fits)).text).not.toContain("error");
    expect(canary.executed).toHaveLength(1);
    expect((await send(exceeds)).text).toContain('"error"');
    expect(canary.executed).toHaveLength(1);
    expect(await stack.toolgate.decision({ reason })).toMatchObject({ decision: "deny", rule: reason });
    expect(await stack.toolgate.admin("/metrics")).toMatch(
      new RegExp(`^toolgate_authz_decisions_total\\{.*reason="${reason}".*\\} 1$`, "m"),
    );
  });

  test("an answer: in JSON and as an event, one that is too large is replaced by an error, and counted", async () => {
    const withheld = async (): Promise<string | undefined> =>
      /^toolgate_answers_withheld_total\{.*reason="too-large".*\} (\d+)$/m.exec(
        await stack.toolgate.admin("/metrics"),
      )?.[1];
    const sizes = [100, 3_000];
    const answers = await Promise.all(
      sizes.map(async (size) => (await send(callTool("allowed-one", { [SIZE_ARGUMENT]: size }))).text),
    );
    expect(answers[0]).toContain("xxx");
    expect(answers[1]).toContain("is larger than 2048 bytes");
    expect(await withheld()).toBe("1");
    canary.answer = inEvents;
    await untilNoneIsOpen();
    const events = await send(callTool("allowed-one", { [SIZE_ARGUMENT]: 1_500 }));
    expect(events.text).toContain("working");
    expect(events.text).toContain("holds an event larger than 1024 bytes");
    expect(await withheld()).toBe("2");
  });

  test("streams: one more than may be open is refused by Envoy, and the open ones go on", async () => {
    const held: ServerResponse[] = [];
    const both = Promise.withResolvers<void>();
    canary.answer = (_message, response) => {
      if (held.push(response) === 2) both.resolve();
    };
    const waiting = [send(callTool("allowed-one")), send(callTool("allowed-two"))];
    await both.promise;
    const refused = await send(callTool("allowed-one"));
    expect([refused.status, JSON.parse(refused.text)]).toMatchObject([503, { error: { code: -32_603 } }]);
    for (const response of held) sendJson(response, '{"jsonrpc":"2.0","id":0,"error":{"code":1,"message":"done"}}');
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
    expect(await stack.toolgate.admin("/metrics")).toMatch(/^toolgate_streams_refused_total\{reason="streams"\} 1$/m);
    canary.forget();
    await untilNoneIsOpen();
    expect((await send(callTool("allowed-one"))).status).toBe(200);
  });
});

describeWithEnvoy("an MCP server that is down", () => {
  test("gives 503 from Envoy, and the record says that the answer never came", async () => {
    await using stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: await freePort() });
    const body = callTool("allowed-one");
    const { status, text } = await ask(stack.gateway.url, { token: await stack.token("reader"), body });
    expect(status).toBe(503);
    expect(text).toContain("upstream connect error");
    expect(await stack.toolgate.decision({ tool: "allowed-one" })).toMatchObject({
      decision: "allow",
      outcome: "transport_error",
    });
  });
});
