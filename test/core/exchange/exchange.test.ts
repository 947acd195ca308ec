import { describe, expect, test } from "vitest";
import type { ExchangeEvent } from "../../../src/core/exchange/event.ts";
import {
  beginExchange,
  cancelCall,
  cancelledBy,
  heldBytes,
  isFinal,
  isUnshown,
  openCalls,
  recordsOf,
  scopeOf,
  stepExchange,
  withPolicies,
} from "../../../src/core/exchange/exchange.ts";
import type { Exchange } from "../../../src/core/exchange/exchange.ts";
import type { Reply } from "../../../src/core/exchange/reply.ts";
import { ProtocolViolation } from "../../../src/core/exchange/violation.ts";
import type { Id } from "../../../src/core/jsonrpc/message.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { METHODS } from "../../../src/core/mcp/methods.ts";
import type { KnownMethod, Method } from "../../../src/core/mcp/methods.ts";
import { CANCELLED } from "../../../src/core/mcp/outcome.ts";
import type { PolicySet } from "../../../src/core/policy/policy-set.ts";
import { everyCut, utf8 } from "../../fixtures/bytes.ts";
import {
  deliveredBody,
  localReplyOf,
  optionsWith,
  play,
  POST,
  requestBody,
  requestHeaders,
  responseBody,
  responseHeaders,
} from "../../fixtures/exchanges.ts";
import { READER, user, WRITER } from "../../fixtures/identities.ts";
import {
  batch,
  modernHeaders,
  modernRequest,
  notification,
  request,
  result,
  rpcError,
  toolsCall,
} from "../../fixtures/messages.ts";
import {
  allow,
  compiled,
  deny,
  FROM_ANYONE,
  FROM_READER,
  policyDocument,
  policySetWith,
  serverDocument,
} from "../../fixtures/policies.ts";

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
const localReply = (codeDetails: string | undefined, status = "413"): ExchangeEvent => ({
  kind: "responseHeaders",
  headers: [[":status", status]],
  endOfStream: false,
  codeDetails,
});

describe("an exchange", () => {
  test("filters a list by the policy that lets it be called, at every cut", () => {
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
    expect([isFinal(exchange), recordsOf(exchange)]).toEqual([true, []]);
  });

  test("breaks off when a server's answer comes to a request that was not decided", () => {
    expect(() => play(OPTIONS, [responseHeaders()])).toThrow(ProtocolViolation);
    expect(() => play(OPTIONS, [localReply("via_upstream", "200")])).toThrow(ProtocolViolation);
    expect(() => play(OPTIONS, [requestHeaders(), responseHeaders()])).toThrow(ProtocolViolation);
    // Of one that does not say whose it is, it cannot be told.
    expect(() => play(OPTIONS, [requestHeaders(), localReply(undefined)])).toThrow(ProtocolViolation);
  });

  test("breaks off when an answer comes to what was refused", () => {
    for (const answer of [responseHeaders(), localReply("request_payload_too_large")])
      expect(() => play(OPTIONS, [...call(toolsCall("other")), answer])).toThrow(ProtocolViolation);
  });

  test("breaks off on an answer that nobody says to be Envoy's own, and on a body without its headers", () => {
    const unsaid = { kind: "responseHeaders", headers: [[":status", "401"]], endOfStream: true } as const;
    expect(() => play(OPTIONS, [{ ...unsaid, codeDetails: undefined }])).toThrow(ProtocolViolation);
    expect(() => play(OPTIONS, [requestHeaders(), ...responseBody([utf8("{}")])])).toThrow(ProtocolViolation);
  });

  test("lets all of an answer to what is none of ours pass, to its trailers", () => {
    const answer = [responseHeaders(), ...responseBody([utf8(LIST)], "trailers")];
    const { replies } = play(optionsWith(POLICIES, "pass"), [requestHeaders([[":path", "/x"]]), ...answer]);
    expect(replies.slice(1)).toEqual([
      { kind: "responseHeaders", readBody: false, remove: [] },
      { kind: "responseBody", body: undefined },
      { kind: "responseTrailers" },
    ]);
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
  });

  test("is never OK before the last chunk of an answer that has to be filtered, at any cut", () => {
    for (const [cut, chunks] of everyCut(utf8(LIST))) {
      let exchange = play(OPTIONS, [...LIST_CALL, responseHeaders()]).exchange;
      for (const event of responseBody(chunks)) {
        expect(isFinal(exchange), `cut at byte ${cut}`).toBe(false);
        [exchange] = stepExchange(exchange, event);
      }
      expect(isFinal(exchange)).toBe(true);
    }
  });
});

describe("isUnshown()", () => {
  test("is true while an answer that was asked for has shown no byte", () => {
    const shown = (...events: readonly ExchangeEvent[]): boolean =>
      !isUnshown(play(OPTIONS, [...LIST_CALL, ...events]).exchange);
    const open = (text: string): ExchangeEvent => responseBody([utf8(text)], "trailers")[0]!;
    expect([shown(), shown(responseHeaders()), shown(responseHeaders(), open("{"))]).toEqual([false, false, true]);
    const events = responseHeaders("text/event-stream");
    expect([shown(events), shown(events, open(":")), shown(events, open(": x\n\n"))]).toEqual([false, true, true]);
    expect(shown(responseHeaders(null, { status: 202, endOfStream: true }))).toBe(true);
    for (const unanswered of [[], [requestHeaders()], call(toolsCall("other"))])
      expect(isUnshown(play(OPTIONS, unanswered).exchange)).toBe(false);
  });
});

test("heldBytes() counts what of an answer waits for more", () => {
  const held = (...events: readonly ExchangeEvent[]): number =>
    heldBytes(play(OPTIONS, [...LIST_CALL, ...events]).exchange);
  const open = (text: string): ExchangeEvent => responseBody([utf8(text)], "trailers")[0]!;
  expect([held(), held(responseHeaders()), held(responseHeaders(), open('{"a"'))]).toEqual([0, 0, 4]);
  const stream = responseHeaders("text/event-stream");
  expect([held(stream), held(stream, open("data: {")), held(stream, open(`data: ${LIST}\n\n`))]).toEqual([0, 7, 0]);
  expect(held(...jsonAnswer(LIST))).toBe(0);
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
      listed: [],
      hiddenItems: 0,
      changedTools: [],
      answerFault: undefined,
      revision: undefined,
      id: "1",
      session: undefined,
      trace: undefined,
    });
  });

  test("of a refusal has the call as far as it was read", () => {
    expect(recorded(...call(toolsCall("other")))).toMatchObject({
      method: "tools/call",
      target: { kind: "tool", name: "other" },
      decision: "deny",
      mode: "Enforce",
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

  test("calls a template of resources a resource, in the metadata too", () => {
    const events = call(
      request("completion/complete", {
        ref: { type: "ref/resource", uri: "x:/{id}" },
        argument: { name: "id", value: "1" },
      }),
    );
    const { exchange, replies } = play(OPTIONS, events);
    expect(recordsOf(exchange)).toMatchObject([{ target: { kind: "resource", name: "x:/{id}" } }]);
    expect(replies[1]).toMatchObject({ metadata: { resource: "x:/{id}" } });
    expect(play(OPTIONS, call("{")).replies[1]).toMatchObject({ metadata: { method: "unknown" } });
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

  test("has the sentence that the caller got, or would have got without Audit", () => {
    const { exchange, replies } = play(OPTIONS, call(toolsCall("other")));
    const sentence = recordsOf(exchange)[0]?.sentence ?? "";
    expect(sentence).toMatch(/^Blocked by policy: no rule lets agents\/reader use tool other /);
    expect(localReplyOf(replies.at(-1)).text).toContain(JSON.stringify(sentence));
    expect(recorded(...call("{"))?.sentence).toMatch(/^byte |^the document ends/);

    const audit = policySetWith(policyDocument("p", [allow("a", FROM_READER, { tools: ["x"] })], { mode: "Audit" }));
    const audited = recordsOf(
      play(optionsWith(audit), [...call(toolsCall("other")), ...jsonAnswer(result({}))]).exchange,
    );
    expect(audited[0]?.sentence).toBe(sentence);
    expect(recorded(...call(toolsCall("echo")), ...jsonAnswer(result({})))?.sentence).toBeUndefined();
  });

  test("has the arguments that were asked for, of what is denied too, and none otherwise", () => {
    const args = { path: "/etc/hosts", password: "hunter2", other: 1 };
    const options = { ...OPTIONS, loggedArguments: ["path", "password"] };
    const logged = { values: { path: "/etc/hosts", password: "[redacted]" }, withheld: 1 };
    for (const tool of ["echo", "other"]) {
      const events = call(toolsCall(tool, args));
      if (tool === "echo") events.push(...jsonAnswer(result({})));
      expect(recordsOf(play(options, events).exchange)[0]?.arguments).toEqual(logged);
      expect(recordsOf(play(OPTIONS, events).exchange)[0]?.arguments).toBeUndefined();
    }
    const answered = [...call(request("ping")), ...jsonAnswer(result({}))];
    expect(recordsOf(play(options, answered).exchange)[0]?.arguments).toBeUndefined();
  });

  test("has the names that a list showed and how many were taken out", () => {
    expect(recorded(...LIST_CALL, ...jsonAnswer(LIST))).toMatchObject({
      hiddenItems: 1,
      listed: [{ kind: "tool", names: ["echo", "admin", "get-env"] }],
    });
  });

  test("has the revision of the headers", () => {
    const headers = [...POST, ["mcp-protocol-version", "2025-11-25"] as const];
    const events = [requestHeaders(headers), requestBody(request("ping")), ...jsonAnswer(result({}))];
    expect(recorded(...events)).toMatchObject({ revision: "2025-11-25" });
  });

  // `ExchangeRecord.revision`: "when its headers or body named one". Without it nobody can tell which version was refused.
  test("has the revision of the headers also when the call could not be read", () => {
    const headers = (revision: string) => [...POST, ["mcp-protocol-version", revision] as const];
    expect(recorded(requestHeaders(headers("2099-01-01")), requestBody(request("ping")))).toMatchObject({
      reason: "unsupported-version",
      revision: "2099-01-01",
    });
    expect(recorded(requestHeaders(headers("2025-11-25")), requestBody("{"))).toMatchObject({ revision: "2025-11-25" });
    const put = headers("2025-11-25").map(([name, value]) => [name, name === ":method" ? "PUT" : value] as const);
    expect(recorded(requestHeaders(put))).toMatchObject({ reason: "method-not-allowed", revision: "2025-11-25" });
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
  const abandoned = (...events: readonly ExchangeEvent[]) => recordsOf(play(OPTIONS, events).exchange, CANCELLED)[0];

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

describe("recordsOf() when a stream of events has ended without the answer", () => {
  const LEGACY = call(toolsCall("echo"));
  const MODERN = [
    requestHeaders([...POST, ...modernHeaders("tools/call", "echo")]),
    requestBody(modernRequest("tools/call", { name: "echo" })),
  ];
  const PROGRESS = notification("notifications/progress", { progress: 1 });

  function ended(asked: readonly ExchangeEvent[], text: string, cancelled: readonly string[] = [], isCut = false) {
    const events = [...asked, responseHeaders("text/event-stream"), ...responseBody([utf8(text)], "trailers")];
    let exchange = beginExchange(OPTIONS);
    for (const event of isCut ? events.slice(0, -1) : events) [exchange] = stepExchange(exchange, event);
    for (const id of cancelled) exchange = cancelCall(exchange, id as Id);
    return recordsOf(exchange, isCut ? CANCELLED : undefined)[0]?.outcome.kind;
  }

  test("is a failure of the server", () => {
    expect(ended(LEGACY, `data: ${PROGRESS}\n\n`)).toBe("transport_error");
    expect(ended(LEGACY, "")).toBe("transport_error");
    expect(ended(MODERN, "")).toBe("transport_error");
  });

  test.each([
    ["an event with data", `id: 1\ndata: ${PROGRESS}\n\n`],
    ["one that is not delivered", `id: 1\ndata: ${request("roots/list", {}, 9)}\n\n`],
    ["one without data", "id: 1\n\n"],
    ["an empty id", `id:\ndata: ${PROGRESS}\n\n`],
  ])("is unread when %s had an id: the client may ask for the answer on another stream", (_, text) => {
    expect(ended(LEGACY, text)).toBe("unread");
  });

  test("is a failure since 2026-07-28, where no stream is resumed", () => {
    expect(ended(MODERN, `id: 1\ndata: ${PROGRESS}\n\n`)).toBe("transport_error");
  });

  test("is cancelled when the caller had taken the call back, by the very id", () => {
    expect(ended(LEGACY, "", ["1"])).toBe("cancelled");
    expect(ended(LEGACY, "id: 1\n\n", ["7", "1"])).toBe("cancelled");
    for (const other of ['"1"', "2", "null"]) expect(ended(LEGACY, "", [other]), other).toBe("transport_error");
  });

  test("is what an answer said that came all the same", () => {
    expect(ended(LEGACY, `data: ${result({ isError: true })}\n\n`, ["1"])).toBe("tool_error");
    expect(ended(LEGACY, `id: 1\ndata: ${rpcError(-1)}\n\n`, ["1"])).toBe("rpc_error");
  });

  test("is cancelled when the stream was cut, whatever had come", () => {
    expect(ended(LEGACY, "id: 1\n\n", [], true)).toBe("cancelled");
    expect(ended(LEGACY, `data: ${result({})}\n\n`, [], true)).toBe("ok");
  });
});

describe("scopeOf()", () => {
  const TWO = compiled([
    serverDocument(),
    serverDocument("other", [{ path: "/other" }]),
    policyDocument("p", [allow("all", FROM_ANYONE, { tools: ["*"] })], { targets: ["everything", "other"] }),
  ]).policies;
  const of = (identity = READER, ...more: HeaderList): string | undefined => {
    const headers = [...POST.filter(([name]) => !more.some(([other]) => other === name)), ...more];
    const events = [requestHeaders(headers, { identity }), requestBody(toolsCall("echo"))];
    return scopeOf(play(optionsWith(TWO), events).exchange);
  };

  test("is one for the calls of one caller in one session of one server", () => {
    expect(of()).toBe(of());
    expect(of(READER, ["mcp-session-id", "s"])).toBe(of(READER, ["mcp-session-id", "s"]));
  });

  test("is another for another caller, session or server", () => {
    const scopes = [
      of(),
      of(WRITER),
      of(user({})),
      of(user({ sub: "bob" })),
      of(READER, ["mcp-session-id", "s"]),
      of(READER, ["mcp-session-id", "t"]),
      of(READER, ["mcp-session-id", "undefined"]),
      of(READER, [":path", "/other"]),
    ];
    expect(new Set(scopes).size).toBe(scopes.length);
  });

  test("is none before there was a decision, nor for what was refused", () => {
    expect(scopeOf(beginExchange(OPTIONS))).toBeUndefined();
    expect(scopeOf(play(OPTIONS, [requestHeaders()]).exchange)).toBeUndefined();
    expect(scopeOf(play(OPTIONS, call(toolsCall("other"))).exchange)).toBeUndefined();
  });

  // A caller's word for metrics, which has no issuer: whoever has the same subject from another one can mark its calls.
  test("is another for the same subject of another issuer", () => {
    expect(of(user({ iss: "https://other.example" }))).not.toBe(of(user({})));
  });
});

describe("openCalls() and cancelledBy()", () => {
  const judging = compiled([
    serverDocument("everything", undefined, { batches: "judge" }),
    policyDocument("readers", [
      allow("may-read", FROM_READER, { tools: ["echo"] }),
      deny("d", FROM_READER, { methods: ["notifications/progress"] }),
    ]),
  ]).policies;
  const of = (body: string, policies = judging): Exchange => play(optionsWith(policies), call(body)).exchange;
  const open = (exchange: Exchange): unknown[] => openCalls(exchange).map(({ id }) => id);
  const cancelled = (id: unknown): string => notification("notifications/cancelled", { requestId: id });

  test("name the calls that wait for an answer here", () => {
    expect(open(of(request("tools/list", {}, "l")))).toEqual(['"l"']);
    expect(open(of(batch(request("tools/call", { name: "x" }, 1), request("ping", {}, 2))))).toEqual(["2"]);
    expect(open(of(batch(request("ping", {}, 2), cancelled(1), request("tools/list", {}, 3))))).toEqual(["2", "3"]);
  });

  test("name none where no answer is read", () => {
    const passing = compiled([
      serverDocument("everything", undefined, { answers: "pass" }),
      policyDocument("readers", [allow("may-read", FROM_READER, { tools: ["echo"] })]),
    ]).policies;
    expect(open(of(toolsCall("echo"), passing))).toEqual([]);
    expect(open(of(notification("notifications/initialized")))).toEqual([]);
    expect(open(of(toolsCall("other")))).toEqual([]);
    expect(open(play(OPTIONS, [GET]).exchange)).toEqual([]);
    expect(open(beginExchange(OPTIONS))).toEqual([]);
  });

  test("say which requests the caller takes back, when that is let through", () => {
    expect(cancelledBy(of(cancelled(7)))).toEqual(["7"]);
    expect(cancelledBy(of(cancelled("7")))).toEqual(['"7"']);
    expect(cancelledBy(of(batch(request("ping"), cancelled(7), cancelled(8))))).toEqual(["7", "8"]);
    for (const body of [cancelled({}), notification("notifications/initialized"), request("ping"), toolsCall("other")])
      expect(cancelledBy(of(body)), body).toEqual([]);
    const denies = policySetWith(
      policyDocument("p", [
        allow("a", FROM_READER, { tools: ["echo"] }),
        deny("d", FROM_READER, { methods: ["notifications/cancelled"] }),
      ]),
    );
    expect(cancelledBy(of(cancelled(7), denies))).toEqual([]);
    expect(cancelledBy(beginExchange(OPTIONS))).toEqual([]);
  });
});

describe("an exchange with a server whose answers pass", () => {
  const ALL = { tools: ["*"], prompts: ["*"], resources: ["*"], methods: ["*"] };
  const passing = optionsWith(
    compiled([
      serverDocument("everything", undefined, { answers: "pass" }),
      policyDocument("readers", [allow("all", FROM_READER, ALL), deny("d", FROM_READER, { tools: ["secret"] })]),
    ]).policies,
  );
  const PARAMS: { readonly [names: string]: object } = {
    tool: { name: "echo" },
    prompt: { name: "p" },
    resource: { uri: "x:/a" },
    reference: { ref: { type: "ref/prompt", name: "p" } },
    task: { taskId: "t" },
    subscriptions: { notifications: {} },
  };
  const NAMES: { readonly [method: string]: string } = {
    "tools/call": "echo",
    "prompts/get": "p",
    "resources/read": "x:/a",
  };
  const READ = [
    "initialize",
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/directory/read",
    "skills/list",
    "tasks/list",
  ];
  const requests = (Object.entries(METHODS) as [KnownMethod, Method][]).filter(([, { kind }]) => kind === "request");

  test.each(requests)("reads what lists something, and nothing else: %s", (name, method) => {
    for (const era of method.era === "both" ? ["legacy", "modern"] : [method.era]) {
      const params = method.names === undefined ? {} : PARAMS[method.names];
      const events =
        era === "modern"
          ? [requestHeaders([...POST, ...modernHeaders(name, NAMES[name])]), requestBody(modernRequest(name, params))]
          : call(request(name, params));
      const { exchange } = play(passing, events);
      expect(exchange.request, era).toMatchObject({ at: "permitted", readsAnswer: READ.includes(name) });
      expect(isFinal(exchange), era).toBe(!READ.includes(name));
      expect(isUnshown(exchange), era).toBe(READ.includes(name));
      expect(recordsOf(exchange)[0]?.outcome, era).toEqual(READ.includes(name) ? undefined : { kind: "unread" });
    }
  });

  test("reads the stream of a GET, on which anything may come", () => {
    expect(play(passing, [GET]).exchange.request).toMatchObject({ readsAnswer: true });
  });

  test("reads nothing of the end of a session", () => {
    const headers: HeaderList = [
      [":method", "DELETE"],
      [":path", "/mcp"],
    ];
    const { exchange } = play(passing, [requestHeaders(headers, { endOfStream: true })]);
    expect(exchange.request).toMatchObject({ at: "permitted", readsAnswer: false });
  });

  test("filters lists as ever, and refuses as ever", () => {
    const events = [...LIST_CALL, ...jsonAnswer(result({ tools: [{ name: "echo" }, { name: "secret" }] }))];
    const { exchange, replies } = play(passing, events);
    expect(deliveredBody(events, replies)).toBe(result({ tools: [{ name: "echo" }] }));
    expect(recordsOf(exchange)[0]).toMatchObject({ outcome: { kind: "ok" }, hiddenItems: 1 });
    expect(play(passing, call(toolsCall("secret"))).exchange.request.at).toBe("refused");
  });

  test("lets a call go on without what would hide its answer, as where it is read", () => {
    const headers: HeaderList = [...POST, ["accept-encoding", "gzip"], ["range", "bytes=0-1"]];
    const { replies } = play(passing, [requestHeaders(headers), requestBody(toolsCall("echo"))]);
    expect(replies[1]).toMatchObject({ changes: { remove: ["range", "accept-encoding"] } });
  });
});

describe("withPolicies()", () => {
  const NOBODY = policySetWith(policyDocument("nobody", [allow("writes", FROM_ANYONE, { tools: ["other"] })]));
  const ONLY_ECHO = policySetWith(policyDocument("readers", [allow("may-read", FROM_READER, { tools: ["echo"] })]));
  const ELSEWHERE = compiled([serverDocument("everything", [{ path: "/elsewhere" }])]).policies;
  const OVER_SSE = compiled([
    serverDocument("everything", [{ path: "/mcp", messages: "/messages" }]),
    policyDocument("readers", [allow("may-read", FROM_READER, { tools: ["echo"] })]),
  ]).policies;

  test("decides a request whose body is still awaited by the new ones", () => {
    const begun = play(OPTIONS, [requestHeaders()]).exchange;
    const { exchange, isGranted } = withPolicies(begun, NOBODY);
    expect(isGranted).toBe(true);
    const [, reply] = stepExchange(exchange, requestBody(toolsCall("echo")));
    expect(reply).toMatchObject({ kind: "immediateResponse", details: "toolgate_no-rule-allows" });
  });

  test("decides a request that has not come at all by the new ones", () => {
    const { exchange } = withPolicies(play(OPTIONS, []).exchange, NOBODY);
    const [awaiting] = stepExchange(exchange, requestHeaders());
    const [, reply] = stepExchange(awaiting, requestBody(toolsCall("echo")));
    expect(reply).toMatchObject({ kind: "immediateResponse", details: "toolgate_no-rule-allows" });
  });

  test("filters what has not been shown of a list by the new ones", () => {
    const begun = play(OPTIONS, [...LIST_CALL, responseHeaders()]).exchange;
    const { exchange, isGranted } = withPolicies(begun, ONLY_ECHO);
    expect(isGranted).toBe(true);
    const events = responseBody([utf8(LIST)]);
    const replies: Reply[] = [];
    let next = exchange;
    for (const event of events) {
      const [stepped, reply] = stepExchange(next, event);
      next = stepped;
      replies.push(reply);
    }
    expect(deliveredBody(events, replies)).toBe(result({ tools: [{ name: "echo" }] }));
  });

  test.each<readonly [string, PolicySet]>([
    ["no rule grants any more", NOBODY],
    ["whose server is gone", ELSEWHERE],
    ["whose server is another kind of endpoint now", OVER_SSE],
  ])("does not let a call go on that %s, and says what became of its answer", (_what, policies) => {
    const begun = play(OPTIONS, [...call(toolsCall("echo")), responseHeaders("text/event-stream")]).exchange;
    const { exchange, isGranted } = withPolicies(begun, policies);
    expect(isGranted).toBe(false);
    expect(isFinal(exchange)).toBe(false);
    expect(recordsOf(exchange, CANCELLED)[0]).toMatchObject({
      decision: "allow",
      answerFault: {
        reason: "not-granted",
        message: "is to a call that policies, as they are now, do not grant",
      },
      outcome: { kind: "cancelled" },
    });
  });

  test("leaves alone what has not begun, what is refused and what is none of ours", () => {
    const elsewhere = requestHeaders([[":path", "/x"]]);
    for (const { exchange } of [
      play(OPTIONS, []),
      play(OPTIONS, call(toolsCall("other"))),
      play(optionsWith(POLICIES, "pass"), [elsewhere]),
      play(OPTIONS, [requestHeaders(), localReply("request_payload_too_large")]),
    ]) {
      const after = withPolicies(exchange, NOBODY);
      expect([after.isGranted, after.exchange.request]).toEqual([true, exchange.request]);
    }
  });

  test("does not let a request go on whose server is gone before its body came", () => {
    expect(withPolicies(play(OPTIONS, [requestHeaders()]).exchange, ELSEWHERE).isGranted).toBe(false);
  });

  test("does not let the stream of a caller without access go on", () => {
    const begun = play(OPTIONS, [GET, responseHeaders("text/event-stream")]).exchange;
    expect(withPolicies(begun, POLICIES).isGranted).toBe(true);
    const others = policySetWith(
      policyDocument("w", [allow("w", { serviceAccount: { namespace: "x", name: "y" } }, { tools: ["*"] })]),
    );
    expect(withPolicies(begun, others).isGranted).toBe(false);
  });
});
