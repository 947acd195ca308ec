/**
 * What a server says by HTTP, through a real Envoy, and what a real Prometheus makes of it with our rules: that callers have
 * to log in, or to begin a new session, wakes nobody; that the server is down does.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Canary, sendJson } from "../../envoy/canary.ts";
import type { Answer } from "../../envoy/canary.ts";
import { ask, callTool } from "../../envoy/http.ts";
import { CANARY_POLICIES } from "../../envoy/policies.ts";
import { startStack } from "../../envoy/stack.ts";
import type { Stack } from "../../envoy/stack.ts";
import { Prometheus, describeWithPrometheus } from "./prometheus.ts";

let canary: Canary;
let stack: Stack;
let prometheus: Prometheus;

const CHALLENGE = 'Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource"';
const error = (id: unknown, code: number): string =>
  JSON.stringify({ jsonrpc: "2.0", id, error: { code, message: "Session not found" } });

const LOG_IN: Answer = (_, response) =>
  void response
    .writeHead(401, { "www-authenticate": CHALLENGE, "content-type": "application/json" })
    .end('{"error":"invalid_token"}');
/** As the SDK for TypeScript says it, as that for Python does, and as that for Go. */
const SESSIONS_GONE: readonly Answer[] = [
  (_, response) => sendJson(response, error(null, -32_001), 404),
  (_, response) => sendJson(response, error("server-error", -32_600), 404),
  (_, response) => void response.writeHead(404, { "content-type": "text/plain" }).end("session not found"),
];
const DOWN: Answer = (_, response) =>
  void response.writeHead(500, { "content-type": "text/html" }).end("<h1>Oops</h1>");

async function call(answer: Answer) {
  canary.answer = answer;
  return ask(stack.gateway.url, { token: await stack.token("reader"), body: callTool("allowed-one") });
}

/** So often that it counts, and when Prometheus has seen the first of them: from nothing to many is no increase. */
async function callOften(answer: Answer, series: string): Promise<void> {
  await call(answer);
  await has(`toolgate_requests_total{${series}}`);
  for (let i = 0; i < 20; i++) await call(answer);
  await has(`increase(toolgate_requests_total{${series}}[1h]) > 10`);
}

async function has(expr: string): Promise<void> {
  while ((await prometheus.query(expr)).length === 0) await sleep(100);
}

const alerts = async (): Promise<readonly (string | undefined)[]> =>
  (await prometheus.query('count by (alertname) (ALERTS{alertname=~"Mcp.*"})')).map(
    ({ metric }) => metric["alertname"],
  );
const RATIO = "mcp_server:mcp_failures:ratio_rate1h";

describeWithPrometheus("the answers of HTTP", () => {
  beforeAll(async () => {
    canary = await Canary.start();
    stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port });
    prometheus = await Prometheus.start(stack.toolgate.adminUrl.host);
  });
  afterAll(async () => {
    await prometheus[Symbol.asyncDispose]();
    await stack[Symbol.asyncDispose]();
    await canary[Symbol.asyncDispose]();
  });

  test("reach the client as they came, with what it needs to log in", async () => {
    const challenged = await call(LOG_IN);
    expect([challenged.status, challenged.headers["www-authenticate"], challenged.text]).toEqual([
      401,
      CHALLENGE,
      '{"error":"invalid_token"}',
    ]);
    expect(await stack.toolgate.decision({ http_status: 401 })).toMatchObject({ outcome: "rejected" });
    for (const gone of SESSIONS_GONE) {
      const { status, text } = await call(gone);
      expect([status, text]).toEqual([404, expect.stringMatching(/session not found/i)]);
    }
  });

  test("are no failure of the server when callers have to log in, or their sessions have ended", async () => {
    await callOften(LOG_IN, 'result="rejected",error_type="401"');
    for (const gone of SESSIONS_GONE.slice(0, 1)) await callOften(gone, 'result="rejected",error_type="404"');
    await has(`${RATIO} == 0`);
    expect(await prometheus.query(`${RATIO} > 0`)).toEqual([]);
    const { rows } = JSON.parse(await stack.toolgate.admin("/api/stat/servers?window=300")) as {
      readonly rows: readonly { readonly availability: number; readonly client_errors: number }[];
    };
    expect(rows).toMatchObject([{ availability: 1, client_errors: expect.any(Number) }]);
    await has('ALERTS{alertname="McpCallsRejected"}');
    expect(await alerts()).toEqual(["McpCallsRejected"]);
  });

  test("are one when it is down", async () => {
    await callOften(DOWN, 'result="transport_error",error_type="500"');
    await has('ALERTS{alertname="McpServerFailing",severity="page"}');
    expect(await stack.toolgate.decision({ http_status: 500 })).toMatchObject({ outcome: "transport_error" });
  });
});
