import { describe, expect, test } from "vitest";
import type { ExchangeEvent } from "../../../src/core/exchange/event.ts";
import {
  beginExchange,
  closeStatus,
  isFinal,
  isUnshown,
  recordsOf,
  stepExchange,
} from "../../../src/core/exchange/exchange.ts";
import type { Exchange } from "../../../src/core/exchange/exchange.ts";
import { ProtocolViolation } from "../../../src/core/exchange/violation.ts";
import { everyCut, utf8 } from "../../fixtures/bytes.ts";
import {
  deliveredBody,
  optionsWith,
  play,
  POST,
  requestBody,
  requestHeaders,
  responseBody,
  responseHeaders,
} from "../../fixtures/exchanges.ts";
import { READER } from "../../fixtures/identities.ts";
import { notification, request, result, rpcError, toolsCall } from "../../fixtures/messages.ts";
import { allow, FROM_READER, policyDocument, policySetWith } from "../../fixtures/policies.ts";

const POLICIES = policySetWith(
  policyDocument("readers", [allow("may-read", FROM_READER, { tools: ["echo", "get-*"] })]),
);
const OPTIONS = optionsWith(POLICIES);
const GET: ExchangeEvent = requestHeaders(
  [
    [":method", "GET"],
    [":path", "/mcp"],
  ],
  { endOfStream: true },
);

const call = (body: string): ExchangeEvent[] => [requestHeaders(), requestBody(body)];
const LIST_CALL = call(request("tools/list"));
const LIST = result({ tools: [{ name: "echo" }, { name: "admin" }, { name: "get-env" }] });
const FILTERED = result({ tools: [{ name: "echo" }, { name: "get-env" }] });
const jsonAnswer = (text: string): ExchangeEvent[] => [responseHeaders(), ...responseBody([utf8(text)])];

/** An answer that Envoy made itself. */
const localReply = (codeDetails: string, status = "413"): ExchangeEvent => ({
  kind: "responseHeaders",
  headers: [[":status", status]],
  endOfStream: false,
  codeDetails,
});

describe("an exchange", () => {
  test("filters a list with the policy that it began with, at every cut", () => {
    for (const [cut, chunks] of everyCut(utf8(LIST))) {
      const events = [...LIST_CALL, responseHeaders(), ...responseBody(chunks)];
      const { exchange, replies } = play(OPTIONS, events);
      expect(deliveredBody(events, replies), `cut at byte ${cut}`).toBe(FILTERED);
      expect(recordsOf(exchange)[0]).toMatchObject({ hiddenItems: 1, outcome: { kind: "ok" } });
    }
  });

  test("holds an answer against the id that was asked with", () => {
    const events = [...call(request("tools/list", {}, "q")), ...jsonAnswer(LIST)];
    const { replies } = play(OPTIONS, events);
    expect(deliveredBody(events, replies)).toContain("it answers another request");
  });

  test("answers each message once, with a reply of its kind", () => {
    const events = [...LIST_CALL, { kind: "requestTrailers" } as const, ...jsonAnswer(LIST)];
    const { replies } = play(OPTIONS, events);
    expect(replies.map((reply) => reply.kind)).toEqual(events.map((event) => event.kind));
  });

  test("takes a request's trailers while the answer is read", () => {
    const { exchange } = play(OPTIONS, [...LIST_CALL, responseHeaders(), { kind: "requestTrailers" }]);
    expect([exchange.request.at, exchange.response.at]).toEqual(["permitted", "readingJson"]);
  });

  test.each<readonly [string, readonly ExchangeEvent[]]>([
    ["before the body", [requestHeaders(), localReply("request_payload_too_large")]],
    ["before the headers", [localReply("jwt_authn_access_denied{Jwt_is_missing}", "401")]],
  ])("is over when Envoy itself answers %s", (_, events) => {
    const { exchange, replies } = play(OPTIONS, events);
    expect(replies.at(-1)).toEqual({ kind: "responseHeaders", readBody: false, remove: [] });
    expect([isFinal(exchange), closeStatus(exchange), recordsOf(exchange)[0]]).toEqual([true, "OK", undefined]);
  });

  test("breaks off when a server's answer comes to a request that was not decided", () => {
    expect(() => play(OPTIONS, [responseHeaders()])).toThrow(ProtocolViolation);
    expect(() => play(OPTIONS, [localReply("via_upstream", "200")])).toThrow(ProtocolViolation);
    expect(() => play(OPTIONS, [requestHeaders(), responseHeaders()])).toThrow(ProtocolViolation);
  });

  test("breaks off when an answer comes to what was refused", () => {
    expect(() => play(OPTIONS, [...call(toolsCall("other")), responseHeaders()])).toThrow(ProtocolViolation);
  });

  test("breaks off on a second request and on a body before its headers", () => {
    expect(() => play(OPTIONS, [requestHeaders(), requestHeaders()])).toThrow(ProtocolViolation);
    expect(() => play(OPTIONS, [requestBody("{}")])).toThrow(ProtocolViolation);
    expect(() => play(OPTIONS, [...LIST_CALL, responseBody([utf8("{}")])[0]!])).toThrow(ProtocolViolation);
  });
});

const DELETE = requestHeaders(
  [
    [":method", "DELETE"],
    [":path", "/mcp"],
  ],
  { endOfStream: true },
);
const ACCEPTED = responseHeaders(null, { status: 202, endOfStream: true });

describe("the end of an exchange", () => {
  const at = (...events: readonly ExchangeEvent[]): Exchange => play(OPTIONS, events).exchange;
  const chunk = responseBody([utf8(LIST.slice(0, 20)), utf8(LIST.slice(20))]);
  const sse = responseBody([utf8(`data: ${LIST}\n\n`)], "trailers");

  test.each<readonly [string, Exchange, boolean]>([
    ["has not begun", beginExchange(OPTIONS), false],
    ["waits for the body", at(requestHeaders()), false],
    ["waits for an answer", at(...LIST_CALL), false],
    ["has trailers while it waits for an answer", at(...LIST_CALL, { kind: "requestTrailers" }), false],
    ["has an answer's headers", at(...LIST_CALL, responseHeaders()), false],
    ["holds half an answer", at(...LIST_CALL, responseHeaders(), chunk[0]!), false],
    [
      "has delivered an answer whose stream is open",
      at(...LIST_CALL, responseHeaders(), ...responseBody([utf8(LIST)], "trailers").slice(0, 1)),
      false,
    ],
    ["follows events", at(...LIST_CALL, responseHeaders("text/event-stream"), sse[0]!), false],
    ["has read a whole answer", at(...LIST_CALL, responseHeaders(), ...chunk), true],
    ["has read all events", at(...LIST_CALL, responseHeaders("text/event-stream"), ...sse), true],
    ["has an answer without a body", at(...LIST_CALL, responseHeaders(null, { status: 202, endOfStream: true })), true],
    ["has refused an answer", at(...LIST_CALL, responseHeaders("text/html")), true],
    ["has refused the request", at(...call(toolsCall("other"))), true],
    ["has let a notification through", at(...call(notification("notifications/initialized"))), false],
    ["has seen it accepted", at(...call(notification("notifications/initialized")), ACCEPTED), true],
    ["has let a session's end through", at(DELETE), false],
    ["has seen it ended", at(DELETE, ACCEPTED), true],
    ["has let a stream through, whose events it reads", at(GET), false],
  ])("of one that %s: OK only when nothing is owed", (_, exchange, isOver) => {
    expect(isFinal(exchange)).toBe(isOver);
    expect(closeStatus(exchange)).toBe(isOver ? "OK" : "ABORTED");
  });

  test("is never OK before the last chunk of an answer that has to be filtered, at any cut", () => {
    for (const [cut, chunks] of everyCut(utf8(LIST))) {
      let exchange = play(OPTIONS, [...LIST_CALL, responseHeaders()]).exchange;
      for (const event of responseBody(chunks)) {
        expect(closeStatus(exchange), `cut at byte ${cut}`).toBe("ABORTED");
        [exchange] = stepExchange(exchange, event);
      }
      expect(closeStatus(exchange)).toBe("OK");
    }
  });
});

describe("isUnshown()", () => {
  test("is true while an answer that was asked for has shown no byte", () => {
    const shown = (...events: readonly ExchangeEvent[]): boolean =>
      !isUnshown(play(OPTIONS, [...LIST_CALL, ...events]).exchange);
    const open = (text: string): ExchangeEvent => responseBody([utf8(text)], "trailers")[0]!;
    expect([shown(responseHeaders()), shown(responseHeaders(), open("{"))]).toEqual([false, true]);
    const events = responseHeaders("text/event-stream");
    expect([shown(events), shown(events, open(":")), shown(events, open(": x\n\n"))]).toEqual([false, true, true]);
    expect(shown(responseHeaders(null, { status: 202, endOfStream: true }))).toBe(true);
  });
});

describe("recordsOf()", () => {
  const recorded = (...events: readonly ExchangeEvent[]) => recordsOf(play(OPTIONS, events).exchange)[0];

  test("says who asked for what, what was decided and how it ended", () => {
    expect(recorded(...call(toolsCall("echo")), ...jsonAnswer(result({ content: [], isError: true })))).toEqual({
      server: "tools/everything",
      method: "tools/call",
      target: { kind: "tool", name: "echo" },
      identity: READER,
      decision: "allow",
      mode: "Enforce",
      rule: { policy: "tools/readers", rule: "may-read" },
      reason: undefined,
      outcome: { kind: "tool_error" },
      listed: undefined,
      hiddenItems: 0,
      changedTools: [],
      answerFault: undefined,
      revision: undefined,
    });
  });

  test("of a refusal has the call as far as it was read", () => {
    expect(recorded(...call(toolsCall("other")))).toMatchObject({
      method: "tools/call",
      target: { kind: "tool", name: "other" },
      decision: "deny",
      reason: "no-rule-allows",
      outcome: { kind: "denied" },
    });
    expect(recorded(...call("{"))).toMatchObject({
      server: "tools/everything",
      method: "unknown",
      target: undefined,
      reason: "malformed-json",
      outcome: { kind: "denied" },
    });
    expect(recorded(requestHeaders([[":path", "/x"]]))).toMatchObject({ server: undefined, reason: "unknown-server" });
  });

  test("of what is let through by Audit says so", () => {
    const audit = policySetWith(policyDocument("p", [allow("a", FROM_READER, { tools: ["x"] })], { mode: "Audit" }));
    const events = [...call(toolsCall("echo")), ...jsonAnswer(result({}))];
    expect(recordsOf(play(optionsWith(audit), events).exchange)[0]).toMatchObject({
      decision: "audit",
      mode: "Audit",
      reason: "no-rule-allows",
      outcome: { kind: "ok" },
    });
  });

  test("has the names that a list showed and how many were taken out", () => {
    expect(recorded(...LIST_CALL, ...jsonAnswer(LIST))).toMatchObject({
      hiddenItems: 1,
      listed: { kind: "tool", names: ["echo", "admin", "get-env"] },
    });
  });

  test("has the revision of the headers", () => {
    const headers = [...POST, ["mcp-protocol-version", "2025-11-25"] as const];
    const events = [requestHeaders(headers), requestBody(request("ping")), ...jsonAnswer(result({}))];
    expect(recorded(...events)).toMatchObject({ revision: "2025-11-25" });
  });

  test("is there as soon as the answer is, and not before", () => {
    expect(recorded(...LIST_CALL)).toBeUndefined();
    expect(recorded(...LIST_CALL, responseHeaders())).toBeUndefined();
    const answered = responseBody([utf8(`data: ${rpcError(-5)}\n\n`)], "trailers")[0]!;
    expect(recorded(...LIST_CALL, responseHeaders("text/event-stream"), answered)).toMatchObject({
      outcome: { kind: "rpc_error", code: -5 },
    });
  });

  test("of what gets no answer says that none was read", () => {
    const notified = call(notification("notifications/initialized"));
    expect(recorded(...notified)).toBeUndefined();
    expect(recorded(...notified, ACCEPTED)).toMatchObject({ outcome: { kind: "unread" } });
    expect(recorded(...notified, responseHeaders("text/plain", { status: 500 }))).toMatchObject({
      outcome: { kind: "transport_error" },
    });
  });

  test("is none for what was no call of MCP", () => {
    const pass = optionsWith(POLICIES, "pass");
    expect(recordsOf(play(pass, [requestHeaders([[":path", "/x"]])]).exchange)).toEqual([]);
    expect(recordsOf(beginExchange(OPTIONS))).toEqual([]);
  });
});

describe("recordsOf() when the stream is over without an end", () => {
  const abandoned = (...events: readonly ExchangeEvent[]) => recordsOf(play(OPTIONS, events).exchange, true)[0];

  test("is cancelled when no answer has come, else what it was", () => {
    expect(abandoned(...LIST_CALL)).toMatchObject({ outcome: { kind: "cancelled" }, method: "tools/list" });
    expect(abandoned(...LIST_CALL, responseHeaders())).toMatchObject({ outcome: { kind: "cancelled" } });
    const answered = responseBody([utf8(`data: ${result({})}\n\n`)], "trailers")[0]!;
    expect(abandoned(...LIST_CALL, responseHeaders("text/event-stream"), answered)).toMatchObject({
      outcome: { kind: "ok" },
    });
  });

  test("is none before there was a decision, and the same for a refusal", () => {
    expect(abandoned()).toBeUndefined();
    expect(abandoned(requestHeaders())).toBeUndefined();
    expect(abandoned(...call(toolsCall("other")))).toMatchObject({ outcome: { kind: "denied" } });
  });
});
