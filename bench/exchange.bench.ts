/** core/exchange: a whole tool call as the core sees it, from the request's headers to the answer's last byte. */
import type { ExchangeEvent, RequestHeadersEvent } from "../src/core/exchange/event.ts";
import { beginExchange, isFinal, recordsOf, stepExchange } from "../src/core/exchange/exchange.ts";
import type { Exchange } from "../src/core/exchange/exchange.ts";
import type { ExchangeRecord } from "../src/core/exchange/record.ts";
import { NO_CHANGES } from "../src/core/mcp/headers.ts";
import type { HeaderList } from "../src/core/mcp/headers.ts";
import { DEFAULT_LIMITS } from "../src/core/limits.ts";
import { compiled } from "../test/fixtures/policies.ts";
import { TOOL_RESULT } from "./documents.ts";
import { CALL, requestHeaders } from "./end-to-end/messages.ts";
import type { Micro } from "./micro.ts";
import { ISSUER, PASSING_HOST, platformPolicies } from "./policies.ts";

const { policies } = compiled(platformPolicies());
const options = { policies, unmatched: "refuse", limits: DEFAULT_LIMITS, sha256: () => "" } as const;

/** As Envoy sends them on, without the token that it has verified. */
export const REQUEST_HEADERS: HeaderList = [
  [":authority", "127.0.0.1:10000"],
  [":path", "/mcp"],
  [":method", "POST"],
  [":scheme", "http"],
  ...Object.entries(requestHeaders("")).filter(([name]) => name !== "authorization"),
  ["content-length", String(CALL.body.length)],
  ["x-forwarded-proto", "http"],
  ["x-request-id", "6d2f7b5e-9d3c-4b53-9d22-2f1b7ad0c8f1"],
];
const asked: RequestHeadersEvent = {
  kind: "requestHeaders",
  headers: REQUEST_HEADERS,
  endOfStream: false,
  isFixed: false,
  identity: {
    workload: { absent: "no-certificate" },
    user: { issuer: ISSUER, subject: "reader", claims: { iss: ISSUER, sub: "reader", role: "reader" } },
  },
  forwarded: NO_CHANGES,
  route: "mcp",
};
const call: ExchangeEvent = { kind: "requestBody", body: Buffer.from(CALL.body), endOfStream: true };
const askedOfPassing: RequestHeadersEvent = {
  ...asked,
  headers: asked.headers.map((header) => (header[0] === ":authority" ? [header[0], PASSING_HOST] : header)),
};
const result: ExchangeEvent = { kind: "responseBody", body: Buffer.from(TOOL_RESULT), endOfStream: true };
const answered = (contentType: string): ExchangeEvent => ({
  kind: "responseHeaders",
  headers: [
    [":status", "200"],
    ["content-type", contentType],
  ],
  endOfStream: false,
  codeDetails: "via_upstream",
});
const answeredJson = answered("application/json");

function run(...events: readonly ExchangeEvent[]): Exchange {
  let exchange = beginExchange(options);
  for (const event of events) [exchange] = stepExchange(exchange, event);
  return exchange;
}

/** Up to the headers of an answer of that type. */
export const permittedExchange = (contentType: string): Exchange => run(asked, call, answered(contentType));

const answerRead = (): Exchange => run(asked, call, answeredJson, result);
const decidedOnly = (): Exchange => run(askedOfPassing, call);
for (const one of [answerRead, decidedOnly]) if (!isFinal(one())) throw new Error("the exchange must come to its end");

/** What telemetry gets of the call. */
export function callRecord(): ExchangeRecord {
  const [summary] = recordsOf(answerRead());
  if (summary?.outcome.kind !== "ok") throw new Error("the call must end well");
  return {
    ...summary,
    requestId: "6d2f7b5e-9d3c-4b53-9d22-2f1b7ad0c8f1",
    startedAtMs: 1_790_000_000_000,
    durationMs: 1.5,
    sizes: { requestBytes: CALL.body.length, responseBytes: TOOL_RESULT.length },
  };
}

export const exchangeBenches: readonly Micro[] = [
  { name: "a whole exchange, answer read", run: answerRead },
  { name: "a whole exchange, decided only", run: decidedOnly },
];
