/** Answers with an HTTP error: who is on record as having failed, the server or the request. */
import { describe, expect, test } from "vitest";
import type { ExchangeEvent } from "../../../src/core/exchange/event.ts";
import { recordsOf } from "../../../src/core/exchange/exchange.ts";
import { utf8 } from "../../fixtures/bytes.ts";
import {
  deliveredBody,
  optionsWith,
  play,
  requestBody,
  requestHeaders,
  responseBody,
  responseHeaders,
} from "../../fixtures/exchanges.ts";
import { notification, result, rpcError, toolsCall } from "../../fixtures/messages.ts";
import { allow, FROM_READER, policyDocument, policySetWith } from "../../fixtures/policies.ts";

const OPTIONS = optionsWith(
  policySetWith(policyDocument("readers", [allow("may-read", FROM_READER, { tools: ["echo"] })])),
);
const CALL: readonly ExchangeEvent[] = [requestHeaders(), requestBody(toolsCall("echo"))];
const NOTIFICATION: readonly ExchangeEvent[] = [
  requestHeaders(),
  requestBody(notification("notifications/initialized")),
];
const without = (method: "GET" | "DELETE"): readonly ExchangeEvent[] => [
  requestHeaders(
    [
      [":method", method],
      [":path", "/mcp"],
    ],
    { endOfStream: true },
  ),
];

/** `type` null: no header says one. */
type Answer = { readonly status: number; readonly type: string | null; readonly text: string };

const eventsOf = ({ status, type, text }: Answer): readonly ExchangeEvent[] =>
  text === ""
    ? [responseHeaders(type, { status, endOfStream: true })]
    : [responseHeaders(type, { status }), ...responseBody([utf8(text)])];

function ended(asked: readonly ExchangeEvent[], answer: readonly ExchangeEvent[]) {
  const events = [...asked, ...answer];
  // What is passed on as it came, Envoy does not show.
  const shown = answer.length > 1 && isPassed(events) ? events.slice(0, asked.length + 1) : events;
  const { exchange, replies } = play(OPTIONS, shown);
  const [record] = recordsOf(exchange);
  return { outcome: record?.outcome, httpStatus: record?.httpStatus, text: deliveredBody(shown, replies) };
}

const isPassed = (events: readonly ExchangeEvent[]): boolean =>
  play(OPTIONS, events.slice(0, -1)).exchange.response.at === "passing";

const JSON_TYPE = "application/json";
const SESSION_GONE = { code: -32_001, message: "Session not found" };
const errorOf = (id: unknown, error: object): string => JSON.stringify({ jsonrpc: "2.0", id, error });

describe("an answer that HTTP calls the client's fault", () => {
  test.each<readonly [string, Answer]>([
    ["401 of an OAuth resource", { status: 401, type: JSON_TYPE, text: '{"error":"invalid_token"}' }],
    ["401 without a body", { status: 401, type: null, text: "" }],
    ["403 with a page", { status: 403, type: "text/html", text: "<h1>Forbidden</h1>" }],
    ["404 for a session that has ended, of the TypeScript SDK", sessionGone(errorOf(null, SESSION_GONE))],
    ["404 that echoes the id", sessionGone(errorOf(1, SESSION_GONE))],
    ["404 of the Go SDK", { status: 404, type: "text/plain; charset=utf-8", text: "session not found\n" }],
    ["404 of the Rust SDK", { status: 404, type: null, text: "Not Found: Session not found" }],
    ["400 for a session that is missing", { status: 400, type: JSON_TYPE, text: rpcError(-32_000) }],
    ["400 that says internal error", { status: 400, type: JSON_TYPE, text: rpcError(-32_603) }],
    ["400 that is not what its type says", { status: 400, type: JSON_TYPE, text: "Bad Request" }],
    ["400 as a stream of events without an answer", { status: 400, type: "text/event-stream", text: ": no\n\n" }],
    ["405 to POST", { status: 405, type: null, text: "" }],
    ["429", { status: 429, type: "text/plain", text: "slow down" }],
    ["a redirection to the path with a slash", { status: 307, type: null, text: "" }],
    ["499", { status: 499, type: null, text: "" }],
  ])("is rejected, and no failure of the server: %s", (_, answer) => {
    expect(ended(CALL, eventsOf(answer))).toMatchObject({ outcome: { kind: "rejected" }, httpStatus: answer.status });
  });

  function sessionGone(text: string): Answer {
    return { status: 404, type: JSON_TYPE, text };
  }

  test("is what its JSON-RPC error says, where that says what was wrong", () => {
    for (const code of [-32_600, -32_601, -32_602, -32_020, 7])
      expect(ended(CALL, eventsOf({ status: 400, type: JSON_TYPE, text: rpcError(code) }))).toMatchObject({
        outcome: { kind: "rpc_error", code },
        httpStatus: 400,
      });
  });

  test("is what its result says, if it has one all the same", () => {
    expect(ended(CALL, eventsOf({ status: 400, type: JSON_TYPE, text: result({}) })).outcome).toEqual({ kind: "ok" });
  });

  test("is rejected too when a filter of Envoy's behind Toolgate gives it, unless it is about time", () => {
    const local = (status: number, codeDetails: string): ExchangeEvent => ({
      kind: "responseHeaders",
      headers: [[":status", String(status)]],
      endOfStream: false,
      codeDetails,
    });
    expect(ended(CALL, [local(429, "local_rate_limited")]).outcome).toEqual({ kind: "rejected" });
    expect(ended(CALL, [local(408, "request_overall_timeout")]).outcome).toEqual({ kind: "timeout" });
    expect(ended(CALL, [local(503, "no_healthy_upstream")])).toMatchObject({
      outcome: { kind: "transport_error" },
      httpStatus: 503,
    });
  });

  test("is unread where a server need not offer what was asked for, and rejected where it says more", () => {
    const empty = (status: number) => eventsOf({ status, type: null, text: "" });
    for (const method of ["GET", "DELETE"] as const) {
      expect(ended(without(method), empty(405)).outcome, method).toEqual({ kind: "unread" });
      for (const status of [400, 401, 404])
        expect(ended(without(method), empty(status)).outcome, method).toEqual({ kind: "rejected" });
      expect(ended(without(method), empty(500)).outcome, method).toEqual({ kind: "transport_error" });
    }
    expect(ended(NOTIFICATION, empty(404)).outcome).toEqual({ kind: "rejected" });
  });

  test("is the server's failure where it could not go on as it was: its client has seen another status", () => {
    const encoded = responseHeaders(JSON_TYPE, { status: 401, headers: [["content-encoding", "gzip"]] });
    expect(ended(CALL, [encoded])).toMatchObject({ outcome: { kind: "transport_error" }, httpStatus: undefined });
  });
});

describe("an answer that HTTP calls the server's fault", () => {
  test.each<readonly [string, Answer]>([
    ["500 without a body", { status: 500, type: null, text: "" }],
    ["502 with a page", { status: 502, type: "text/html", text: "<h1>Bad Gateway</h1>" }],
    ["503 with somebody else's JSON", { status: 503, type: JSON_TYPE, text: '{"message":"no capacity"}' }],
  ])("is a failure of the server, with its status on record: %s", (_, answer) => {
    const { outcome, httpStatus } = ended(CALL, eventsOf(answer));
    expect([outcome, httpStatus]).toEqual([{ kind: "transport_error" }, answer.status]);
  });

  test("is what its JSON-RPC error says", () => {
    const answer = eventsOf({ status: 500, type: JSON_TYPE, text: rpcError(-32_603) });
    expect(ended(CALL, answer).outcome).toEqual({ kind: "rpc_error", code: -32_603 });
  });
});

test("an error of JSON-RPC for which HTTP says 200 is on record without a status", () => {
  const answer = eventsOf({ status: 200, type: JSON_TYPE, text: rpcError(-32_000) });
  expect(ended(CALL, answer)).toMatchObject({ outcome: { kind: "rpc_error", code: -32_000 }, httpStatus: undefined });
});

describe("an error with an id that is nobody's", () => {
  const GONE = errorOf("server-error", { code: -32_600, message: "Session not found" });

  test("goes on with an HTTP error, as the Python SDK v1 says that a session has ended", () => {
    const answer = eventsOf({ status: 404, type: JSON_TYPE, text: GONE });
    for (const asked of [CALL, NOTIFICATION]) expect(ended(asked, answer).text).toBe(GONE);
    expect(ended(CALL, answer).outcome).toEqual({ kind: "rpc_error", code: -32_600 });
  });

  test("is withheld from where HTTP says that all is well, and so is a result whatever it says", () => {
    const told = (status: number, text: string) => ended(CALL, eventsOf({ status, type: JSON_TYPE, text }));
    for (const answer of [told(200, GONE), told(404, result({ tools: [] }, "server-error"))])
      expect(answer.text).toContain("answers another request");
    expect(told(200, GONE).outcome).toEqual({ kind: "transport_error" });
  });
});
