/**
 * Every profile comes to the same verdicts: the same calls through each of them, held against those of the default. What
 * differs is written down, with its reason, and nothing else may.
 */
import { once } from "node:events";
import { connect } from "node:http2";
import type { IncomingHttpHeaders } from "node:http2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canaryOfTests } from "./canary-of-tests.ts";
import { extAuthz } from "./ext-authz.ts";
import { extProcFilter } from "./gateway.ts";
import type { Node } from "./gateway.ts";
import { ask, callTool } from "./http.ts";
import { CALLS, policies, server } from "./profile-calls.ts";
import type { Call } from "./profile-calls.ts";
import { DIFFERENCES } from "./profile-differences.ts";
import type { Profile, Verdict } from "./profile-differences.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { extProcSample } from "./sample-config.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const CALLERS = ["reader", "admin", "narrow", "stranger", "nobody"] as const;

const withModes = (modes: Readonly<Record<string, string>>) => (config: Node) => {
  const filter = extProcFilter(config);
  filter["processing_mode"] = { ...(filter["processing_mode"] as Node), ...modes };
  filter["allow_mode_override"] = true;
};

/** What docs/profiles.md says that a call costs: one that is denied, and one whose answer is read, of a server with HTTP/1.1. */
const MESSAGES: { readonly [name in Exclude<Profile, "ext_authz"> | "default"]: readonly [number, number] } = {
  default: [2, 4],
  override: [2, 4],
  "full duplex": [3, 6],
  lean: [1, 3],
  "two messages": [1, 3],
  "native MCP": [1, 3],
};

type Setup = { readonly change: (config: Node) => void; readonly flags?: readonly string[] };

const DUPLEX = "FULL_DUPLEX_STREAMED";
const SETUPS: { readonly [name in Profile | "default"]: () => Setup | Promise<Setup> } = {
  default: () => ({ change: () => {} }),
  override: () => ({ change: withModes({ response_body_mode: "NONE", response_trailer_mode: "SKIP" }) }),
  "full duplex": () => ({
    change: withModes({ request_body_mode: DUPLEX, request_trailer_mode: "SEND", response_body_mode: DUPLEX }),
  }),
  lean: async () => ({ change: await extProcSample("lean.yaml"), flags: ["--profiles", "lean"] }),
  "two messages": async () => ({ change: await extProcSample("two-message.yaml"), flags: ["--profiles", "lean"] }),
  "native MCP": async () => ({ change: await extProcSample("native-mcp.yaml"), flags: ["--profiles", "native-mcp"] }),
  ext_authz: async () => ({ change: await extAuthz() }),
};

const canary = canaryOfTests();
/** Of the default profile, by caller and call. */
const expected = new Map<string, Verdict>();

async function verdictOf({ gateway, token }: Stack, caller: string, call: Call): Promise<Verdict> {
  canary.answer = call.answer ?? server;
  const { status, text } = await ask(gateway.url, {
    ...call,
    ...(caller === "nobody" ? {} : { token: await token(caller) }),
  });
  return { status, text, executed: canary.executed.map(({ method = "an answer" }) => method) };
}

describeWithEnvoy.each(Object.entries(SETUPS))("%s", (profile, setup) => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ policies: await policies(), upstreamPort: canary.port, ...(await setup()) });
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  test.runIf(profile in MESSAGES)("costs as many messages as the documentation says", async () => {
    const costOf = async (name: string): Promise<number> => {
      const before = await sent();
      await ask(stack.gateway.url, { token: await stack.token("reader"), body: callTool(name) });
      return (await sent()) - before;
    };
    const sent = (): Promise<number> => stack.gateway.stat("http.mcp.ext_proc.stream_msgs_sent");
    canary.answer = server;
    expect([await costOf("get-env"), await costOf("echo")]).toEqual(MESSAGES[profile as keyof typeof MESSAGES]);
  });

  test.each(["POST", "DELETE"])("a %s with trailers in place of a body does not go on undecided", async (method) => {
    const session = connect(stack.gateway.url.origin);
    const headers = { ":method": method, ":path": "/mcp", "content-type": "application/json", "mcp-session-id": "s" };
    const authorization = `Bearer ${await stack.token("stranger")}`;
    const stream = session.request({ ...headers, authorization }, { endStream: false, waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-late": "1" })).end();
    const [{ ":status": status }] = (await once(stream, "response")) as [IncomingHttpHeaders];
    session.destroy();
    expect(status).toBeGreaterThanOrEqual(400);
    expect(canary.touched).toBe(0);
  });

  test.each(CALLERS.flatMap((caller) => CALLS.map((call) => [caller, call.title, call] as const)))(
    "%s: %s",
    async (caller, title, call) => {
      const verdict = await verdictOf(stack, caller, call);
      if (profile === "default") return void expected.set(`${caller}: ${title}`, verdict);
      const before = (of: string): Verdict => expected.get(`${caller}: ${of}`) ?? neverAsked(of);
      const difference = DIFFERENCES.find(
        ({ profiles, calls, applies }) =>
          profiles.includes(profile as Profile) && calls.test(title) && applies?.(before(title)) !== false,
      );
      if (difference === undefined) return expect(verdict).toEqual(before(title));
      expect(verdict).toMatchObject(difference.verdict(before));
      expect(verdict).not.toEqual(before(title));
    },
  );
});

function neverAsked(title: string): never {
  throw new Error(`the default profile has no verdict about ${title}`);
}
