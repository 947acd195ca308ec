/** What reaches the upstream is what was judged: in one form, whatever the client sent it in, and nothing beside it. */
import { connect } from "node:http2";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Canary, answerTo } from "./canary.ts";
import { canaryOfTests } from "./canary-of-tests.ts";
import { firstRoute } from "./gateway.ts";
import { ask, askRaw, callTool, postOverHttp2, rpc } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

/** The same call twice: as a client may write it, and in the one form that goes on. */
const AS_SENT = ' { "jsonrpc": "2.0", "id": 1,\n"method": "tools\\/call", "params": {"name": "\\u0061llowed-one"} } ';
const AS_JUDGED = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"allowed-one"}}';

const canary = canaryOfTests();
let stack: Stack;
let reader: string;

const ODD_PATHS = ["/mcp?x=1", "/mcp/", "//mcp", "/MCP", "/%6dcp", "/x/../mcp"];

const head = (...lines: readonly string[]): string =>
  [
    "POST /mcp HTTP/1.1",
    "host: localhost",
    `authorization: Bearer ${reader}`,
    "content-type: application/json",
    "accept: application/json, text/event-stream",
    ...lines,
    "\r\n",
  ].join("\r\n");

const chunked = (body: string, trailers = ""): string =>
  `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n${trailers}\r\n`;

const expectOneCanonicalCall = (answer: string): void => {
  expect(answer).toContain("done: allowed-one");
  expect(canary.seen.map(({ body }) => body)).toEqual([AS_JUDGED]);
  expect(canary.seen[0]?.headers["content-length"]).toBe(String(AS_JUDGED.length));
};

const length = (body: string): string => `content-length: ${Buffer.byteLength(body)}`;

describeWithEnvoy("a request on its way to the upstream", () => {
  beforeAll(async () => {
    stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port });
    reader = await stack.token("reader");
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  describe("that is not in canonical form goes on in canonical form", () => {
    test("with a length", async () => {
      expectOneCanonicalCall((await ask(stack.gateway.url, { token: reader, body: AS_SENT })).text);
    });

    test("in chunks", async () => {
      const request = head("transfer-encoding: chunked", "connection: close") + chunked(AS_SENT);
      expectOneCanonicalCall(await askRaw(stack.gateway.port, request));
    });

    test("in chunks with trailers after them", async () => {
      const lines = ["transfer-encoding: chunked", "trailer: x-late", "connection: close"];
      const request = head(...lines) + chunked(AS_SENT, "x-late: 1\r\n");
      expectOneCanonicalCall(await askRaw(stack.gateway.port, request));
    });

    test("over HTTP/2", async () => {
      const session = connect(stack.gateway.url.origin);
      const stream = postOverHttp2(session, { token: reader, body: AS_SENT });
      const chunks = await stream.toArray();
      session.destroy();
      expectOneCanonicalCall(Buffer.concat(chunks as Buffer[]).toString());
    });
  });

  test("arrives byte for byte when it is canonical already", async () => {
    const body = callTool("allowed-one", { text: "ü\u2028\n" });
    await ask(stack.gateway.url, { token: reader, body });
    expect(canary.seen.map((seen) => seen.body)).toEqual([body]);
  });

  test("loses the headers that nobody has judged, that would hide the answer, and the token", async () => {
    const headers = {
      "accept-encoding": "gzip",
      range: "bytes=0-10",
      "mcp-name": "hidden-one",
      "mcp-method": "tools/list",
      "x-forwarded-client-cert": "URI=spiffe://cluster.local/ns/agents/sa/admin",
      "x-own": "stays",
    };
    expect((await ask(stack.gateway.url, { token: reader, body: callTool("allowed-one"), headers })).status).toBe(200);
    const [seen] = canary.seen;
    const arrived = Object.keys(headers).filter((name) => seen?.headers[name] !== undefined);
    expect(arrived).toEqual(["x-own"]);
    expect(seen?.headers.authorization).toBeUndefined();
  });

  test("is judged by itself when it stands behind another on the same connection", async () => {
    const [allowed, denied] = [callTool("allowed-one"), callTool("hidden-one")];
    const answers = await askRaw(
      stack.gateway.port,
      head(length(allowed)) + allowed,
      head(length(denied)) + denied,
      head(length(allowed), "connection: close") + allowed,
    );
    expect(answers.match(/done: allowed-one|Blocked by policy/g)).toEqual([
      "done: allowed-one",
      "Blocked by policy",
      "done: allowed-one",
    ]);
    expect(canary.executed).toHaveLength(2);
  });

  test.each([
    ["two names", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hidden-one","name":"allowed-one"}}'],
    ["a batch", `[${AS_JUDGED}]`],
    ["something behind the message", `${AS_JUDGED}${AS_JUDGED}`],
    ["no JSON", "tools/call"],
    ["nothing in it", ""],
  ])("never arrives with %s", async (_, body) => {
    const { status, text } = await ask(stack.gateway.url, { token: reader, body });
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ jsonrpc: "2.0", error: { message: expect.stringMatching(/./) } });
    expect(canary.touched).toBe(0);
  });

  test.each(ODD_PATHS)("never arrives at %s", async (path) => {
    const reply = await ask(stack.gateway.url, { token: reader, path, body: callTool("allowed-one") });
    expect([403, 404]).toContain(reply.status);
    expect(canary.touched).toBe(0);
  });

  test("has an answer that is read: a compressed one is not delivered", async () => {
    canary.answer = (message, response) => {
      const body = gzipSync(answerTo(message));
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(body);
    };
    const { text } = await ask(stack.gateway.url, { token: reader, body: rpc("tools/list") });
    expect(JSON.parse(text)).toMatchObject({ error: { message: expect.stringContaining("gzip") } });
  });
});

describeWithEnvoy("a route that leads more than one path to Toolgate", () => {
  test("does not make another path of the server's", async () => {
    await using other = await Canary.start();
    await using wide = await startStack({
      policies: CANARY_POLICIES,
      upstreamPort: other.port,
      change: (config) => {
        firstRoute(config)["match"] = { prefix: "/" };
      },
    });
    const token = await wide.token("reader");
    for (const path of ODD_PATHS) {
      const { status, text } = await ask(wide.gateway.url, { token, path, body: callTool("allowed-one") });
      expect(status, path).toBe(403);
      expect(text).toContain("no MCP server that policy knows");
    }
    expect(other.touched).toBe(0);
    expect((await ask(wide.gateway.url, { token, body: callTool("allowed-one") })).status).toBe(200);
  });
});
