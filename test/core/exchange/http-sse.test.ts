/** HTTP with SSE (2024-11-05): two paths, answers on the stream of another exchange, and denials sealed into pings. */
import { describe, expect, test } from "vitest";
import type { ExchangeEvent } from "../../../src/core/exchange/event.ts";
import { isFinal, recordsOf } from "../../../src/core/exchange/exchange.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { everyCut, textOf, utf8 } from "../../fixtures/bytes.ts";
import {
  deliveredBody,
  localReplyOf,
  optionsWith,
  play,
  requestBody,
  requestHeaders,
  responseBody,
  responseHeaders,
} from "../../fixtures/exchanges.ts";
import type { Played } from "../../fixtures/exchanges.ts";
import { WRITER } from "../../fixtures/identities.ts";
import { batch, modernRequest, notification, request, result, toolsCall } from "../../fixtures/messages.ts";
import { allow, compiled, deny, FROM_READER, policyDocument, serverDocument } from "../../fixtures/policies.ts";

const policiesAt = (path: string, messages: string) =>
  compiled([
    serverDocument("old", [{ path, messages }], { batches: "judge" }),
    policyDocument("readers", [allow("may-read", FROM_READER, { tools: ["a"], resources: ["x:/a"] })], {
      targets: ["old"],
    }),
  ]).policies;
const OPTIONS = optionsWith(policiesAt("/sse", "/messages"));

const headersOf = (method: string, path: string, ...more: HeaderList): HeaderList => [
  [":method", method],
  [":path", path],
  ...(method === "POST" ? [["content-type", "application/json"] as const] : []),
  ...more,
];
const SESSION = "/messages?sessionId=s-1";
const GET = requestHeaders(headersOf("GET", "/sse", [":authority", "mcp.example:8443"]), { endOfStream: true });

const post = (body: string, path = SESSION, ...more: HeaderList): Played =>
  play(OPTIONS, [requestHeaders(headersOf("POST", path, ...more)), requestBody(body)]);
const refusedWith = ({ replies }: Played): string => {
  const reply = replies.at(-1);
  return reply?.kind === "immediateResponse" ? reply.details : `not refused: ${reply?.kind}`;
};
/** The body that goes to the server, as text. */
const sentOn = ({ replies }: Played): string | undefined => {
  const reply = replies[1];
  return reply?.kind === "requestBody" && reply.body !== undefined ? textOf(reply.body) : undefined;
};
/** What a client sees on its stream of what the server sends there. */
function streamed(text: string, options = OPTIONS): string {
  const events: ExchangeEvent[] = [GET, responseHeaders("text/event-stream"), ...responseBody([utf8(text)])];
  return deliveredBody(events, play(options, events).replies);
}
const event = (data: string, more = "event: message\n"): string => `${more}data: ${data}\n\n`;
const GONE = "event: message\n\n";

describe("an endpoint of HTTP with SSE", () => {
  const sentOnPath = (path: string): string => post(toolsCall("a"), path).exchange.request.at;

  test("takes GET on its stream and POST with a session on the path of its messages", () => {
    expect(play(OPTIONS, [GET]).exchange.request).toMatchObject({ at: "permitted", readsAnswer: true });
    for (const key of ["sessionId", "sessionid", "session_id"])
      expect(sentOnPath(`/messages?${key}=4b2d0a3c-1.~_`), key).toBe("permitted");
  });

  test.each([
    "/messages",
    "/messages?",
    "/messages?sessionId=",
    "/messages?sessionId",
    "/messages?SessionId=s",
    "/messages?sessionId=s&x=1",
    "/messages?x=1&sessionId=s",
    "/messages?sessionId=a&sessionId=b",
    "/messages?sessionId=a?sessionId=b",
    "/messages?a?sessionId=b",
    "/messages??sessionId=s",
    "/messages?sessionId=s#x",
    "/messages?sessionId=s%2F",
    "/messages?sessionId=s+",
    "/messages?sessionId=a,b",
    `/messages?sessionId=${"s".repeat(257)}`,
    "/messages/?sessionId=s",
    "/Messages?sessionId=s",
    "/sse?sessionId=s",
    "/sse/",
  ])("is at no other path, and such a request is never let through unseen: %s", (path) => {
    expect(refusedWith(play(OPTIONS, [requestHeaders(headersOf("POST", path))]))).toBe("toolgate_unknown-server");
    const pass = { ...OPTIONS, unmatched: "pass" } as const;
    expect(play(pass, [requestHeaders(headersOf("POST", path))]).exchange.request.at).toBe("refused");
  });

  test("takes a session's name of 256 characters", () => {
    expect(sentOnPath(`/messages?sessionId=${"s".repeat(256)}`)).toBe("permitted");
  });

  test.each([
    ["POST", "/sse", "GET"],
    ["DELETE", "/sse", "GET"],
    ["PUT", "/sse", "GET"],
    ["HEAD", "/sse", "GET"],
    ["GET", SESSION, "POST"],
    ["DELETE", SESSION, "POST"],
    ["OPTIONS", SESSION, "POST"],
    ["post", SESSION, "POST"],
  ])("has no %s on %s", (method, path, expected) => {
    const played = play(OPTIONS, [requestHeaders(headersOf(method, path))]);
    expect(refusedWith(played)).toBe("toolgate_method-not-allowed");
    expect(localReplyOf(played.replies[0])).toMatchObject({
      status: 405,
      text: expect.stringContaining(`takes ${expected} alone`) as unknown,
    });
  });

  // RFC 9110, section 10.2.1: `Allow` lists what the resource takes. Here it names what was just refused.
  test.each([
    ["POST", "/sse", "GET"],
    ["GET", SESSION, "POST"],
  ])("allows in its header what its sentence says: %s on %s", (method, path, allowed) => {
    expect(play(OPTIONS, [requestHeaders(headersOf(method, path))]).replies[0]).toMatchObject({
      reply: { headers: expect.arrayContaining([["allow", allowed]]) as unknown },
    });
  });

  test.each(["2026-07-28", "2099-01-01"])("has no %s, on neither path", (revision) => {
    const version = ["mcp-protocol-version", revision] as const;
    const get = requestHeaders(headersOf("GET", "/sse", version), { endOfStream: true });
    expect(refusedWith(play(OPTIONS, [get]))).toBe("toolgate_unsupported-version");
    expect(refusedWith(play(OPTIONS, [requestHeaders(headersOf("POST", SESSION, version))]))).toBe(
      "toolgate_unsupported-version",
    );
  });

  test("takes any revision before that", () => {
    for (const revision of ["2024-11-05", "2025-11-25"])
      expect(post(toolsCall("a"), SESSION, ["mcp-protocol-version", revision]).exchange.request.at).toBe("permitted");
  });

  test("wants no body on its stream, and one message on the other path", () => {
    expect(refusedWith(play(OPTIONS, [requestHeaders(headersOf("GET", "/sse"))]))).toBe("toolgate_malformed-request");
    const empty = requestHeaders(headersOf("POST", SESSION), { endOfStream: true });
    expect(refusedWith(play(OPTIONS, [empty]))).toBe("toolgate_malformed-request");
    expect(refusedWith(post(batch(toolsCall("a"))))).toBe("toolgate_malformed-request");
    const text = requestHeaders([
      ...headersOf("GET", SESSION).slice(1),
      [":method", "POST"],
      ["content-type", "text/plain"],
    ]);
    expect(refusedWith(play(OPTIONS, [text]))).toBe("toolgate_unsupported-media-type");
  });

  test("may have one path for both", () => {
    const options = optionsWith(policiesAt("/mcp", "/mcp"));
    const at = (asks: ExchangeEvent): string => play(options, [asks]).exchange.request.at;
    expect(at(requestHeaders(headersOf("GET", "/mcp"), { endOfStream: true }))).toBe("permitted");
    expect(at(requestHeaders(headersOf("POST", "/mcp?sessionId=s")))).toBe("awaitingBody");
    expect(at(requestHeaders(headersOf("POST", "/mcp")))).toBe("refused");
    expect(at(requestHeaders(headersOf("GET", "/mcp?sessionId=s"), { endOfStream: true }))).toBe("refused");
  });

  test("decides who may have a stream as for any other", () => {
    const get = requestHeaders(headersOf("GET", "/sse"), { endOfStream: true, identity: WRITER });
    expect(refusedWith(play(OPTIONS, [get]))).toBe("toolgate_no-access");
  });
});

describe("a message over HTTP with SSE that is allowed", () => {
  const receipt = (body: string, ...answer: readonly ExchangeEvent[]): Played =>
    play(OPTIONS, [requestHeaders(headersOf("POST", SESSION)), requestBody(body), ...answer]);
  const ACCEPTED = responseHeaders("text/plain", { status: 202 });

  test("goes on, and its exchange is over with the receipt: the answer comes on the stream", () => {
    for (const body of [toolsCall("a"), request("tools/list"), notification("notifications/initialized")]) {
      const { exchange, replies } = receipt(body, ACCEPTED);
      expect(replies[1]).toMatchObject({ kind: "requestBody", body: undefined });
      expect(replies[2]).toEqual({ kind: "responseHeaders", readBody: false, remove: [] });
      expect(isFinal(exchange)).toBe(true);
    }
  });

  test("is on record as unread with its receipt, and as failed when the server has not taken it", () => {
    const outcome = (...answer: readonly ExchangeEvent[]): unknown =>
      recordsOf(receipt(toolsCall("a"), ...answer).exchange)[0]?.outcome.kind;
    expect(outcome()).toBeUndefined();
    expect(outcome(ACCEPTED)).toBe("unread");
    expect(outcome(responseHeaders("application/json"))).toBe("unread");
    expect(outcome(responseHeaders("text/html", { status: 502 }))).toBe("transport_error");
    expect(outcome(responseHeaders("text/plain", { status: 404, endOfStream: true }))).toBe("rejected");
  });

  test("has no answer in its receipt, whatever a server puts there", () => {
    for (const text of [result({ tools: [{ name: "b" }] }, 1), '{"tools":[{"name":"b"}]}', `[${result({}, 1)}]`]) {
      const events = [responseHeaders("application/json", { status: 202 }), ...responseBody([utf8(text)])];
      const { replies } = receipt(request("tools/list"), ...events);
      expect(deliveredBody(events, replies.slice(2)), text).toMatch(/"id":null,"error":\{"code":-32603/);
    }
    const events = [responseHeaders("application/json"), ...responseBody([utf8('{"status":"accepted"}')])];
    expect(deliveredBody(events, receipt(toolsCall("a"), ...events).replies.slice(2))).toBe('{"status":"accepted"}');
  });

  test("has its list filtered on the stream", () => {
    expect(streamed(event(result({ tools: [{ name: "a" }, { name: "b" }] }, 77)))).toBe(
      event(result({ tools: [{ name: "a" }] }, 77)),
    );
  });
});

describe("a message over HTTP with SSE that is denied", () => {
  const denied = post(toolsCall("b"));
  const sealed = sentOn(denied) ?? "";
  const pong = (id = (JSON.parse(sealed) as { id: string }).id): string => result({}, id);

  test("goes on as a ping, and is on record as denied", () => {
    expect(JSON.parse(sealed)).toEqual({ jsonrpc: "2.0", id: expect.any(String) as unknown, method: "ping" });
    expect(denied.replies[1]).toMatchObject({
      permit: { rule: { rule: "base-access" } },
      changes: { set: [["content-length", String(utf8(sealed).length)]] },
      metadata: { decision: "deny", reason: "no-rule-allows", tool: "b" },
    });
    expect(sealed).not.toContain('"tools/call"');
    expect(denied.exchange.request.at).toBe("refused");
    expect(isFinal(denied.exchange)).toBe(true);
    expect(recordsOf(denied.exchange)).toMatchObject([
      { target: { name: "b" }, decision: "deny", outcome: { kind: "denied" } },
    ]);
  });

  test("takes no headers along that nobody has checked", () => {
    const more: HeaderList = [
      ["mcp-name", "b"],
      ["mcp-method", "tools/call"],
      ["mcp-param-x", "1"],
      ["accept-encoding", "gzip"],
    ];
    expect(post(toolsCall("b"), SESSION, ...more).replies[1]).toMatchObject({
      changes: { remove: ["accept-encoding", "mcp-method", "mcp-name", "mcp-param-x"] },
    });
  });

  const told = "Blocked by policy: no rule lets agents/reader use tool b on server tools/old (rule default-deny).";
  const expected = result({ content: [{ type: "text", text: told }], isError: true }, 1);

  test("is told on the stream in place of the server's answer to the ping, at every cut", () => {
    for (const [cut, chunks] of everyCut(utf8(event(pong(), "id: 7\nevent: message\n")))) {
      const events = [GET, responseHeaders("text/event-stream"), ...responseBody(chunks)];
      expect(deliveredBody(events, play(OPTIONS, events).replies), `cut at byte ${cut}`).toBe(
        event(expected, "event: message\nid: 7\n"),
      );
    }
  });

  test("is told in whatever form the server answers the ping", () => {
    const { id } = JSON.parse(sealed) as { id: string };
    for (const data of [
      JSON.stringify({ id, result: {}, jsonrpc: "2.0" }),
      JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32601, message: "no ping here" } }),
      JSON.stringify({ jsonrpc: "2.0", id, result: { tools: [{ name: "b" }] } }),
    ])
      expect(streamed(event(data))).toBe(event(expected));
  });

  test.each([
    ["another method", request("prompts/get", { name: "p" }, "x"), "x", -31403],
    ["an unknown method", request("tools/run", {}, 3), 3, -32601],
    ["params that name nothing", request("tools/call", {}, 4), 4, -32602],
    ["a method of a later revision", request("server/discover", {}, 5), 5, -32601],
    ["the version of a later revision", modernRequest("tools/run"), 1, -32601],
  ])("is an error on the stream for %s", (_, body, id, code) => {
    const ping = JSON.parse(sentOn(post(body)) ?? "") as { id: string };
    const [, data = ""] = /^data: (.*)$/m.exec(streamed(event(result({}, ping.id)))) ?? [];
    expect(JSON.parse(data)).toMatchObject({ id, error: { code } });
  });

  test("is an HTTP error where it is none for a session to go on with", () => {
    for (const [body, details] of [
      ["{", "malformed-json"],
      ["{}", "malformed-request"],
      [notification("tools/run"), "unknown-method"],
    ] as const)
      expect(refusedWith(post(body))).toBe(`toolgate_${details}`);
    const stranger = play(OPTIONS, [
      requestHeaders(headersOf("POST", SESSION), { identity: WRITER }),
      requestBody(toolsCall("a")),
    ]);
    expect(refusedWith(stranger)).toBe("toolgate_no-access");
    expect(localReplyOf(stranger.replies[1]).status).toBe(403);
  });

  test("is dropped without a word where nobody waits for an answer", () => {
    const denies = compiled([
      serverDocument("old", [{ path: "/sse", messages: "/messages" }]),
      policyDocument(
        "p",
        [allow("a", FROM_READER, { tools: ["a"] }), deny("d", FROM_READER, { methods: ["notifications/cancelled"] })],
        { targets: ["old"] },
      ),
    ]).policies;
    for (const body of [notification("notifications/cancelled", { requestId: 1 }), result({ roots: [] }, 1)]) {
      const { replies } = play(optionsWith(denies), [requestHeaders(headersOf("POST", SESSION)), requestBody(body)]);
      expect(localReplyOf(replies[1])).toEqual({ status: 202, text: "" });
    }
  });

  test("is told on that stream alone: elsewhere such an id is nobody's", () => {
    const plain = compiled([
      serverDocument("everything"),
      policyDocument("readers", [allow("may-read", FROM_READER, { tools: ["a"] })]),
    ]).policies;
    const get = requestHeaders(headersOf("GET", "/mcp"), { endOfStream: true });
    const events = [
      get,
      responseHeaders("text/event-stream"),
      ...responseBody([utf8(event(pong("toolgate-denied {}")))]),
    ];
    expect(deliveredBody(events, play(optionsWith(plain), events).replies)).toBe(event(pong("toolgate-denied {}")));
  });
});

test("what is no JSON on that stream is not delivered", () => {
  expect(streamed(event("{"))).toBe(GONE);
});

describe("what a server writes into such an id of its own", () => {
  const forged = (message: string): string => streamed(event(result({}, `toolgate-denied ${message}`)));

  test.each([
    ["a list", result({ tools: [{ name: "a" }, { name: "b" }] }, 9), result({ tools: [{ name: "a" }] }, 9)],
    [
      "contents",
      result({ contents: [{ uri: "x:/a" }, { uri: "x:/b" }] }, 9),
      result({ contents: [{ uri: "x:/a" }] }, 9),
    ],
    [
      "an error",
      '{"jsonrpc":"2.0","id":9,"error":{"code":1,"data":"b"}}',
      '{"jsonrpc":"2.0","id":9,"error":{"code":1}}',
    ],
    ["a plain result", result({ content: [] }, 9), result({ content: [] }, 9)],
  ])("is filtered like any other message: %s", (_, message, expected) => {
    expect(forged(message)).toBe(event(expected));
  });

  test.each([
    ["a request of the server", request("sampling/createMessage", {}, 9)],
    ["a task", result({ task: { taskId: "t" } }, 9)],
    ["a notification that is not known", notification("x")],
    ["nothing", ""],
    ["no JSON", "{"],
    ["another document behind it", `${result({}, 9)}{}`],
    ["lines", "a\nb\n\ndata: x"],
  ])("is not delivered when that would not be: %s", (_, message) => {
    expect(forged(message)).toBe(GONE);
  });

  test("is unsealed once", () => {
    const inner = result({}, `toolgate-denied ${request("roots/list", {}, 9)}`);
    expect(forged(inner)).toBe(event(inner));
    expect(forged(result({ task: { taskId: "t" } }, "toolgate-denied x"))).toBe(GONE);
  });

  test("begins no event of its own", () => {
    const text = result({ text: "x\n\nevent: endpoint\ndata: /evil\r\u2028" }, 9);
    expect(forged(text).split("\n")).toHaveLength(4);
  });
});

describe("what a caller writes into such an id", () => {
  const forged = `toolgate-denied ${result({ forged: true }, 3)}`;

  // The server's pong would become this message on the stream of that session, which need not be the caller's own.
  test("does not go on to the server, which would answer it: the caller is told on its stream", () => {
    const ping = JSON.parse(sentOn(post(request("ping", undefined, forged))) ?? "") as { id: string };
    expect(ping.id).not.toBe(forged);
    const [, data = ""] = /^data: (.*)$/m.exec(streamed(event(result({}, ping.id)))) ?? [];
    expect(JSON.parse(data)).toMatchObject({ id: forged, error: { code: -32600 } });
  });

  test("does not go on as an answer to the server either, nor where there is no such stream", () => {
    expect(refusedWith(post(result({}, forged)))).toBe("toolgate_malformed-request");
    const plain = compiled([
      serverDocument("everything"),
      policyDocument("readers", [allow("may-read", FROM_READER, { tools: ["a"] })]),
    ]).policies;
    const events = [requestHeaders(headersOf("POST", "/mcp")), requestBody(request("ping", undefined, forged))];
    expect(refusedWith(play(optionsWith(plain), events))).toBe("toolgate_malformed-request");
  });

  test("is an id like any other when it only resembles one", () => {
    for (const id of ["toolgate-denied", "Toolgate-denied {}", " toolgate-denied {}"])
      expect(post(request("ping", undefined, id)).exchange.request.at, id).toBe("permitted");
  });
});

describe("the endpoint event", () => {
  const told = (uri: string, more = ""): string => streamed(`event: endpoint\n${more}data: ${uri}\n\n`);
  const left = (uri: string): string => `event: endpoint\ndata: ${uri}\n\n`;
  const none = "event: endpoint\n\n";

  test.each([
    "/messages?sessionId=s",
    "/messages?session_id=s",
    "/messages",
    "http://mcp.example:8443/messages?sessionId=s",
    "https://mcp.example:8443/messages?sessionId=s",
  ])("comes as it came when it is the place that policy knows: %s", (uri) => {
    expect(told(uri)).toBe(left(uri));
  });

  test.each([
    "/other?sessionId=s",
    "/messages/?sessionId=s",
    "/Messages?sessionId=s",
    "/messages/../other?sessionId=s",
    "/%6dessages?sessionId=s",
    "//messages?sessionId=s",
    "//evil.example/messages?sessionId=s",
    "/\\evil.example/messages?sessionId=s",
    "ftp://mcp.example/messages",
    "javascript:/messages",
    "http:/messages",
    "x/messages",
    "?sessionId=s",
    " /messages",
    "/messages#?sessionId=s",
    "/sse",
    "*",
    "{}",
    result({}),
  ])("does not come when it is another one: %s", (uri) => {
    expect(told(uri)).toBe(none);
  });

  test("comes in the one form that all clients read", () => {
    expect(streamed("event: endpoint\rdata: /messages?sessionId=s\r\r")).toBe(left("/messages?sessionId=s"));
    expect(streamed("data: /messages?a\nevent: endpoint\ndata: x\n\n")).toBe(none);
  });

  test("is at every cut what it is in one piece", () => {
    const text = `${left("/messages?sessionId=s")}${left("/other")}`;
    for (const [cut, chunks] of everyCut(utf8(text))) {
      const events = [GET, responseHeaders("text/event-stream"), ...responseBody(chunks)];
      expect(deliveredBody(events, play(OPTIONS, events).replies), `cut at byte ${cut}`).toBe(
        `${left("/messages?sessionId=s")}${none}`,
      );
    }
  });

  test("is an event of an unknown type on any other stream, and no other type is known on this one", () => {
    expect(streamed(`event: Endpoint\ndata: /messages\n\n`)).toBe("event: Endpoint\n\n");
    expect(streamed(`event: ping\ndata: ${result({}, 9)}\n\n`)).toBe("event: ping\n\n");
    const plain = compiled([
      serverDocument("everything"),
      policyDocument("readers", [allow("may-read", FROM_READER, { tools: ["a"] })]),
    ]).policies;
    const get = requestHeaders(headersOf("GET", "/mcp"), { endOfStream: true });
    const events = [get, responseHeaders("text/event-stream"), ...responseBody([utf8(left("/messages"))])];
    expect(deliveredBody(events, play(optionsWith(plain), events).replies)).toBe(none);
  });

  test.each([
    "http://evil.example/messages?sessionId=s",
    "https://user@evil.example/messages",
    "https://mcp.example:8443@evil.example/messages",
    "https:///messages?sessionId=s", // by the URL standard, of the host `messages`
    "https://\\evil.example/messages",
    "http://mcp.example/messages",
    "http://MCP.example:8443/messages",
    "http://mcp.example:8443//messages",
  ])("does not send its client to another host than it asked: %s", (uri) => {
    expect(told(uri)).toBe(none);
  });

  test("names no host where the client has named none", () => {
    const get = requestHeaders(headersOf("GET", "/sse"), { endOfStream: true });
    for (const [uri, expected] of [
      ["/messages", left("/messages")],
      ["http://mcp.example/messages", none],
    ] as const) {
      const events = [get, responseHeaders("text/event-stream"), ...responseBody([utf8(left(uri))])];
      expect(deliveredBody(events, play(OPTIONS, events).replies)).toBe(expected);
    }
  });
});
