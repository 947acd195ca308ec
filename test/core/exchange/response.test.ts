import { describe, expect, test } from "vitest";
import type { ResponseEvent } from "../../../src/core/exchange/event.ts";
import type { Reply } from "../../../src/core/exchange/reply.ts";
import { AWAITING_ANSWER, isOver, stepResponse } from "../../../src/core/exchange/response.ts";
import type { ResponseState } from "../../../src/core/exchange/response.ts";
import { ProtocolViolation } from "../../../src/core/exchange/violation.ts";
import type { Id } from "../../../src/core/jsonrpc/message.ts";
import { outcomeOf } from "../../../src/core/exchange/seen.ts";
import { DEFAULT_LIMITS } from "../../../src/core/limits.ts";
import type { Asked } from "../../../src/core/mcp/asked.ts";
import type { Outcome } from "../../../src/core/mcp/outcome.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { askedWith } from "../../fixtures/asked.ts";
import { everyCut, piecesOf, utf8 } from "../../fixtures/bytes.ts";
import { deliveredBody, localReplyOf, responseBody, responseHeaders } from "../../fixtures/exchanges.ts";
import { notification, request, result, rpcError } from "../../fixtures/messages.ts";

const ID = "1" as Id;
const ASKED = askedWith(["tool a"]);
const ON_STREAM: Asked = { ...ASKED, pending: undefined };
const { maxAnswerBytes: MAX_ANSWER_BYTES, maxEventBytes: MAX_EVENT_BYTES } = DEFAULT_LIMITS;

/** Where it is after the last event, and how the call has ended. */
type End = {
  readonly at: ResponseState["at"];
  readonly outcome: Outcome | undefined;
  readonly lost: string | undefined;
  readonly hiddenItems: number;
};
type Run = {
  readonly state: ResponseState;
  readonly end: End;
  readonly replies: readonly Reply[];
  readonly text: string;
};

function run(events: readonly ResponseEvent[], asks: Asked = ASKED): Run {
  let state = AWAITING_ANSWER;
  const replies: Reply[] = [];
  for (const event of events) {
    const [next, reply] = stepResponse(asks, state, event);
    state = next;
    replies.push(reply);
  }
  const { at, seen } = state;
  const end = { at, outcome: outcomeOf(seen, ID), lost: seen.lost?.message, hiddenItems: seen.hiddenItems };
  return { state, end, replies, text: deliveredBody(events, replies) };
}

type Ends = "endOfStream" | "trailers" | "none";
/** An answer of this type in these chunks. */
function answer(type: string, chunks: readonly Uint8Array[], end: Ends = "endOfStream", asks: Asked = ASKED): Run {
  const body = responseBody(chunks, end === "none" ? "trailers" : end) as ResponseEvent[];
  return run([responseHeaders(type) as ResponseEvent, ...(end === "none" ? body.slice(0, -1) : body)], asks);
}
const json = (text: string, end: Ends = "endOfStream"): Run => answer("application/json", [utf8(text)], end);
const sse = (text: string, end: Ends = "endOfStream", asks: Asked = ASKED): Run =>
  answer("text/event-stream", [utf8(text)], end, asks);

const LIST = result({ tools: [{ name: "a" }, { name: "b" }, { name: "c", title: "é" }], nextCursor: "x" });
const FILTERED = result({ tools: [{ name: "a" }], nextCursor: "x" });
const errorText = (fault: string, id: unknown = 1): string =>
  JSON.stringify({
    jsonrpc: "2.0",
    id,
    error: { code: -32603, message: `The server's answer was not delivered: it ${fault}.` },
  });

describe("stepResponse() on an answer that is not the server's", () => {
  const local = (status: number): ResponseEvent => {
    const headers = responseHeaders("application/json", { status }) as ResponseEvent & { kind: "responseHeaders" };
    return { ...headers, codeDetails: "lua_response" };
  };
  const [body] = responseBody([utf8(LIST)]) as [ResponseEvent];

  test("reads the list that a filter behind us has made", () => {
    expect(run([local(200), body]).text).toBe(FILTERED);
  });

  test("passes the refusal of a filter", () => {
    expect(run([local(403)]).end).toMatchObject({ at: "passing", outcome: { kind: "transport_error" } });
  });

  test("passes the JSON of an HTTP error that nobody could take for a message", () => {
    const error = '{"error":"invalid_token","error_description":"expired"}';
    const of = (text: string): Run =>
      run([responseHeaders("application/json", { status: 401 }), ...responseBody([utf8(text)])] as ResponseEvent[]);
    expect(of(error)).toMatchObject({ text: error, end: { outcome: { kind: "transport_error" } } });
    for (const key of ["tools", "Tools", "result", "Method", "jsonrpc"]) {
      expect(of(`{"${key}":[{"name":"b"}]}`).text, key).toContain("was not delivered");
    }
  });
});

describe("stepResponse() on headers", () => {
  const onHeaders = (...args: Parameters<typeof responseHeaders>): Run =>
    run([responseHeaders(...args) as ResponseEvent]);

  test.each([
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    'application/json; charset="utf-8"',
    "application/json;charset=UTF-8",
    "application/json ;x=y",
    "application/json;",
  ])("asks for the body of %s and holds it", (type) => {
    const { end, replies } = onHeaders(type);
    expect(end.at).toBe("readingJson");
    expect(replies).toEqual([{ kind: "responseHeaders", readBody: true, remove: [] }]);
  });

  test.each(["text/event-stream", "Text/Event-Stream", "text/event-stream;charset=utf-8", "text/event-stream "])(
    "asks for the body of %s and follows it",
    (type) => {
      const { end, replies } = onHeaders(type);
      expect(end.at).toBe("followingEvents");
      expect(replies).toEqual([{ kind: "responseHeaders", readBody: true, remove: [] }]);
    },
  );

  test.each([200, 201, 400, 404, 500])("reads JSON whatever the status: %i", (status) => {
    expect(onHeaders("application/json", { status }).end.at).toBe("readingJson");
  });

  const refusals: readonly (readonly [string, Parameters<typeof responseHeaders>, string])[] = [
    ["another type", ["text/plain"], "is neither JSON nor an event stream"],
    ["no type", [null], "is neither JSON nor an event stream"],
    ["two types in one", ["text/event-stream, application/json"], "is neither JSON nor an event stream"],
    ["a type that only begins like one", ["application/jsonx"], "is neither JSON nor an event stream"],
    [
      "an encoding",
      ["application/json", { headers: [["content-encoding", "gzip"]] }],
      "is encoded (gzip), so it could not be read",
    ],
    ["another charset", ["application/json; charset=utf-16"], "is not in UTF-8"],
    ["another charset after ours", ["application/json; charset=utf-8; charset=utf-7"], "is not in UTF-8"],
    ["another charset in quotes", ['text/event-stream;charset="utf-7"'], "is not in UTF-8"],
  ];
  test.each(refusals)("refuses %s", (_, args, fault) => {
    const { end, replies } = onHeaders(...args);
    expect(end).toMatchObject({ at: "refused", outcome: { kind: "transport_error" }, lost: fault });
    expect(localReplyOf(replies[0])).toEqual({ status: 200, text: errorText(fault) });
  });

  test.each<readonly [string, HeaderList]>([
    [
      "content type",
      [
        ["content-type", "text/event-stream"],
        ["content-type", "application/json"],
      ],
    ],
    [
      "content type",
      [
        ["content-type", "application/json"],
        ["content-type", "text/plain"],
      ],
    ],
    [
      "content encoding",
      [
        ["content-type", "application/json"],
        ["content-encoding", "identity"],
        ["content-encoding", "gzip"],
      ],
    ],
  ])("refuses a second %s: a client may go by it", (_, headers) => {
    expect(onHeaders(null, { headers }).end.at).toBe("refused");
  });

  test("refuses a stream of another type with an HTTP error, since nobody waits for an id", () => {
    const { replies } = run([responseHeaders("text/plain") as ResponseEvent], ON_STREAM);
    expect(localReplyOf(replies[0]).status).toBe(502);
  });

  test.each<readonly [string, Parameters<typeof responseHeaders>, string]>([
    ["no body", ["application/json", { endOfStream: true }], "transport_error"],
    ["no body and an error", [null, { status: 404, endOfStream: true }], "transport_error"],
    ["an empty body of no type", [null, { headers: [["content-length", "0"]] }], "transport_error"],
  ])("reads nothing of %s", (_, args, outcome) => {
    const { end, replies } = onHeaders(...args);
    expect(end).toMatchObject({ at: "passing", outcome: { kind: outcome } });
    expect(replies).toEqual([{ kind: "responseHeaders", readBody: false, remove: [] }]);
  });

  test.each([
    ["upstream_response_timeout", "timeout"],
    ["upstream_reset_before_response_started", "transport_error"],
  ])("knows from Envoy's %s that the server has not answered", (codeDetails, outcome) => {
    const event: ResponseEvent = {
      kind: "responseHeaders",
      headers: [[":status", "504"]],
      endOfStream: false,
      codeDetails,
    };
    expect(run([event]).end).toMatchObject({ at: "passing", outcome: { kind: outcome } });
  });

  test("takes a stream that nobody's request opened for a call that went well", () => {
    const { end } = run([responseHeaders("text/event-stream") as ResponseEvent], ON_STREAM);
    expect(end.outcome).toEqual({ kind: "ok" });
  });
});

describe("stepResponse() on a JSON answer", () => {
  test("delivers one that has to stay as it is in one chunk untouched", () => {
    const { end, replies } = json(result({ content: [] }));
    expect(replies[1]).toEqual({ kind: "responseBody", body: undefined });
    expect(end).toMatchObject({ at: "ended", outcome: { kind: "ok" }, lost: undefined });
  });

  test.each([
    ["a list", LIST, FILTERED],
    ["a result", result({ content: [{ type: "text", text: 'x"}{é\u{1f600}' }] }), undefined],
    ["an error", rpcError(-32602), undefined],
    ["an answer to another request", result({}, 2), errorText("answers another request")],
    ["no JSON", "[}", errorText("is not acceptable JSON: byte 1 is unexpected: expected a value")],
    ["a byte order mark", `\ufeff${LIST}`, FILTERED],
    ["space around it", ` \n${result({})}`, undefined],
  ])("delivers %s the same at every cut", (_, text, expected) => {
    const bytes = utf8(text);
    for (const end of ["endOfStream", "trailers", "none"] as const) {
      for (const [cut, chunks] of everyCut(bytes)) {
        const delivered = answer("application/json", chunks, end);
        expect(delivered.text, `cut at byte ${cut}, ${end}`).toBe(expected ?? text);
      }
      for (const size of [1, 2, 3, 7]) {
        const delivered = answer("application/json", piecesOf(bytes, size), end);
        expect(delivered.text, `pieces of ${size}, ${end}`).toBe(expected ?? text);
      }
    }
  });

  test("releases nothing before the document is complete, and all of it then", () => {
    const bytes = utf8(LIST);
    const { replies } = answer("application/json", piecesOf(bytes, 1), "none");
    const bodies = replies.slice(1).map((reply) => (reply.kind === "responseBody" ? reply.body?.length : undefined));
    expect(bodies).toEqual([...Array<number>(bytes.length - 1).fill(0), utf8(FILTERED).length]);
  });

  test("drops what follows it, in the same chunk and in the next", () => {
    for (const [cut, chunks] of everyCut(utf8(`${FILTERED} {"jsonrpc":"2.0"} x`)))
      expect(answer("application/json", chunks).text, `cut at byte ${cut}`).toBe(FILTERED);
  });

  test("counts and names what it has taken out", () => {
    expect(json(LIST).state.seen).toEqual({
      answered: [{ id: ID, outcome: { kind: "ok" } }],
      rest: undefined,
      hiddenItems: 2,
      listed: [{ kind: "tool", names: ["a", "b", "c"] }],
      changedTools: [],
      lost: undefined,
      isAcknowledged: false,
      isResumable: false,
    });
  });

  test("answers in its place when it is cut off", () => {
    for (const text of ["", "{", LIST.slice(0, -1)]) {
      const { end, text: delivered } = json(text);
      expect(delivered).toMatch(/^\{"jsonrpc":"2\.0","id":1,"error":\{"code":-32603/);
      expect(end).toMatchObject({ outcome: { kind: "transport_error" } });
    }
  });

  test("is lost when trailers come while it is held: Envoy takes no body any more", () => {
    const { end, text } = json(LIST.slice(0, -1), "trailers");
    expect(text).toBe("");
    expect(end).toMatchObject({ at: "ended", outcome: { kind: "transport_error" } });
  });

  test("lets a notification through and knows that it is no answer", () => {
    const { end, text } = json(notification("notifications/progress"));
    expect(text).toBe(notification("notifications/progress"));
    expect(end.outcome).toEqual({ kind: "transport_error" });
  });

  test("stops a request of the server that no rule allows", () => {
    expect(json(request("sampling/createMessage", {}, 9)).text).toBe(
      errorText("asks the client for sampling/createMessage, which no rule allows"),
    );
  });

  test("answers in its place when it is larger than the limit, as soon as it is", () => {
    const chunk = new Uint8Array(MAX_ANSWER_BYTES / 4).fill(0x20);
    const chunks = [utf8("["), chunk, chunk, chunk, chunk];
    const { end, text } = answer("application/json", chunks, "none");
    expect(end.at).toBe("draining");
    expect(text).toBe(errorText(`is larger than ${MAX_ANSWER_BYTES} bytes`));
    expect(answer("application/json", [...chunks, utf8("]")]).text).toBe(text);
  });
});

describe("stepResponse() on an event stream", () => {
  const event = (data: string, more = ""): string => `event: message\n${more}data: ${data}\n\n`;

  test("passes on events that have to stay as they are untouched", () => {
    const { end, replies } = sse(event(result({ content: [] })), "none");
    expect(replies[1]).toEqual({ kind: "responseBody", body: undefined });
    expect(end).toMatchObject({ at: "followingEvents", outcome: { kind: "ok" } });
  });

  const progress = event(notification("notifications/progress", { progress: 1 }), "id: 7\n");
  test.each([
    ["a filtered list after progress", progress + event(LIST, "id: 8\n"), progress + event(FILTERED, "id: 8\n")],
    ["a list in CRLF", `data: ${LIST}\r\n\r\n`, `data: ${FILTERED}\n\n`],
    ["a result in CRLF", `data: ${result({})}\r\n\r\n`, undefined],
    ["a result in CR", `data: ${result({})}\r\r: x\n\n`, `data: ${result({})}\n\n: x\n\n`],
    ["comments and retry times", `: hi\n\nretry: 10\n\n${event(result({}))}`, undefined],
    ["an event of no data with an id", "id: 1\ndata: \n\n", undefined],
    ["an event without its blank line", `data: ${LIST}\n`, `data: ${FILTERED}\n\n`],
    ["a byte order mark", `\ufeffdata: ${LIST}\n\n`, `data: ${FILTERED}\n\n`],
    [
      "a separator of Unicode",
      event(result({ a: "\u2028é" })),
      event(result({ a: "\u2028é" }).replace("\u2028", "\\u2028")),
    ],
    ["a request of the server", event(request("roots/list", {}, 9), "id: 3\n"), "event: message\nid: 3\n\n"],
    ["a ping of the server", event(request("ping", {}, 9)), undefined],
    ["an answer to another request", event(result({}, 2)), "event: message\n\n"],
    ["an event of another type", `event: endpoint\ndata: ${LIST}\n\n`, "event: endpoint\n\n"],
    ["no JSON before the answer", event("[}") + event(result({})), `event: message\n\n${event(result({}))}`],
    [
      "a second answer",
      event(result({ a: 1 })) + event(result({ a: 2 })),
      `${event(result({ a: 1 }))}event: message\n\n`,
    ],
    ["two messages in one event", event(`${LIST}${LIST}`), undefined],
  ])("delivers %s the same at every cut", (name, text, expected) => {
    const bytes = utf8(text);
    const whole = answer("text/event-stream", [bytes]).text;
    if (name === "two messages in one event") expect(whole).toContain('"code":-32603');
    else expect(whole).toBe(expected ?? text);
    for (const [cut, chunks] of everyCut(bytes))
      expect(answer("text/event-stream", chunks).text, `cut at byte ${cut}`).toBe(whole);
    for (const size of [1, 2, 3, 5])
      expect(answer("text/event-stream", piecesOf(bytes, size)).text, `pieces of ${size}`).toBe(whole);
  });

  test("reads an answer that stands in several data lines, and delivers it so that a client can", () => {
    const spread = LIST.replace('"id":1', '\ndata: "id":1').replace('"result"', '\ndata:\ndata: "result"');
    const { text, end } = sse(`data: ${spread}\n\n`);
    expect(end).toMatchObject({ outcome: { kind: "ok" }, hiddenItems: 2 });
    const lines = text.trimEnd().split("\n");
    expect(lines.every((line) => line.startsWith("data:"))).toBe(true);
    expect(JSON.parse(lines.map((line) => line.slice("data:".length)).join("\n"))).toEqual(JSON.parse(FILTERED));
  });

  test("releases each event as soon as it is complete", () => {
    const bytes = utf8(event(result({})));
    const { replies } = answer("text/event-stream", piecesOf(bytes, 1), "none");
    const bodies = replies.slice(1).map((reply) => (reply.kind === "responseBody" ? reply.body?.length : undefined));
    expect(bodies).toEqual([...Array<number>(bytes.length - 1).fill(0), bytes.length]);
  });

  test("delivers what was complete when trailers come", () => {
    expect(sse(event(LIST), "trailers").text).toBe(event(FILTERED));
    expect(sse(event(LIST) + event(LIST).slice(0, -1), "trailers").text).toBe(event(FILTERED));
  });

  test("tells a client whose answer cannot be delivered, once, and nobody else", () => {
    const broken = event('{"jsonrpc":"2.0","id":1,"result":[]}');
    expect(sse(broken).text).toContain('"id":1,"error"');
    expect(sse(event(result({})) + broken).text).toBe(`${event(result({}))}event: message\n\n`);
    expect(sse(broken, "endOfStream", ON_STREAM).text).toBe("event: message\n\n");
  });

  test("keeps the first outcome", () => {
    expect(sse(event(rpcError(-1)) + event(result({}))).end.outcome).toEqual({ kind: "rpc_error", code: -1 });
  });

  test("says at the end that the answer cannot be delivered, when what may have been it could not be read", () => {
    const why = errorText("is not acceptable JSON: byte 1 is unexpected: expected a value");
    expect(sse(event("[}"), "endOfStream")).toMatchObject({
      text: `event: message\n\n${event(why)}`,
      end: { outcome: undefined, lost: "is not acceptable JSON: byte 1 is unexpected: expected a value" },
    });
    expect(sse(event("[}"), "none").text).toBe("event: message\n\n");
    expect(sse(event("[}"), "endOfStream", ON_STREAM).text).toBe("event: message\n\n");
  });

  test("counts what it takes out of lists", () => {
    const { end } = sse(event(result({}, 2)) + event(request("roots/list", {}, 5)) + event(LIST));
    expect(end).toMatchObject({
      hiddenItems: 2,
      lost: undefined,
      outcome: { kind: "ok" },
    });
  });

  test("filters lists on a stream that nobody's request opened", () => {
    expect(sse(event(result({ tools: [{ name: "b" }] }, 99)), "none", ON_STREAM).text).toBe(
      event(result({ tools: [] }, 99)),
    );
  });
});

describe("stepResponse() on an event over the limit", () => {
  const huge = new Uint8Array(MAX_EVENT_BYTES).fill(0x78);
  const fault = `holds an event larger than ${MAX_EVENT_BYTES} bytes`;

  test("breaks off with an error, whether it comes in one chunk or in many", () => {
    for (const chunks of [[utf8("data: "), huge], [utf8(`data: ${"x".repeat(MAX_EVENT_BYTES)}\n\n`)]]) {
      const { end, text } = answer("text/event-stream", [...chunks, utf8("\n\ndata: {}\n\n")], "none");
      expect(text).toBe(`event: message\ndata: ${errorText(fault)}\n\n`);
      expect(end).toMatchObject({ at: "draining", outcome: { kind: "transport_error" }, lost: fault });
    }
  });

  test("delivers the events before it, also those of the same chunk", () => {
    const before = `data: ${notification("notifications/progress")}\n\n`;
    for (const chunks of [
      [utf8(before), utf8("data: "), huge],
      [utf8(`${before}data: ${"x".repeat(MAX_EVENT_BYTES)}`)],
    ])
      expect(answer("text/event-stream", chunks, "none").text).toBe(
        `${before}event: message\ndata: ${errorText(fault)}\n\n`,
      );
  });

  test("says nothing more to a client that has its answer", () => {
    const before = `data: ${result({})}\n\n`;
    const { end, text } = answer("text/event-stream", [utf8(before), utf8("data: "), huge], "none");
    expect(end.at).toBe("draining");
    expect(text).toBe(before);
  });
});

const headers = responseHeaders() as ResponseEvent;
const chunk: ResponseEvent = { kind: "responseBody", body: utf8("{"), endOfStream: false };
const lastChunk: ResponseEvent = { kind: "responseBody", body: utf8(""), endOfStream: true };
const trailers: ResponseEvent = { kind: "responseTrailers" };
/** Made anew each time: a state holds what it has read. */
const STATES: { readonly [at in ResponseState["at"]]: () => ResponseState } = {
  awaitingHeaders: () => AWAITING_ANSWER,
  readingJson: () => run([headers]).state,
  followingEvents: () => run([responseHeaders("text/event-stream") as ResponseEvent]).state,
  draining: () => json(result({}), "none").state,
  passing: () =>
    run([
      responseHeaders("text/html", { status: 500 }) as ResponseEvent,
      ...responseBody([utf8("<")], "trailers").slice(0, 1),
    ] as ResponseEvent[]).state,
  ended: () => json(result({})).state,
  refused: () => run([responseHeaders("text/html") as ResponseEvent]).state,
};
const EVENTS = { headers, chunk, lastChunk, trailers };
/** What each state answers, and where it is then; undefined: the stream ends with an error. */
const NEXT: {
  readonly [at in ResponseState["at"]]: { readonly [event in keyof typeof EVENTS]: ResponseState["at"] | undefined };
} = {
  awaitingHeaders: { headers: "readingJson", chunk: undefined, lastChunk: undefined, trailers: undefined },
  readingJson: { headers: undefined, chunk: "readingJson", lastChunk: "ended", trailers: "ended" },
  followingEvents: { headers: undefined, chunk: "followingEvents", lastChunk: "ended", trailers: "ended" },
  draining: { headers: undefined, chunk: "draining", lastChunk: "ended", trailers: "ended" },
  passing: { headers: undefined, chunk: "passing", lastChunk: "ended", trailers: "ended" },
  ended: { headers: undefined, chunk: undefined, lastChunk: undefined, trailers: "ended" },
  refused: { headers: undefined, chunk: undefined, lastChunk: undefined, trailers: "ended" },
};

describe("an HTTP error of another type than JSON", () => {
  const page = (chunks: readonly Uint8Array[], end: Ends = "endOfStream", asks = ASKED): Run => {
    const body = responseBody(chunks, end === "none" ? "trailers" : end) as ResponseEvent[];
    const failed = responseHeaders("text/plain", { status: 400 }) as ResponseEvent;
    return run([failed, ...(end === "none" ? body.slice(0, -1) : body)], asks);
  };
  const secret = JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code: -32602, message: "no", data: "tool b" } });

  test("is read as JSON when it begins like it, at every cut: some clients read it so", () => {
    for (const text of [secret, ` \r\n\t${secret}`, `\ufeff${secret}`])
      for (const [cut, chunks] of everyCut(utf8(text))) {
        const { text: delivered, end } = page(chunks);
        expect(JSON.parse(delivered), `cut at byte ${cut}`).toEqual({
          jsonrpc: "2.0",
          id: 1,
          error: { code: -32602, message: "no" },
        });
        expect(end.outcome).toEqual({ kind: "rpc_error", code: -32602 });
      }
    expect(page([utf8('{"error":"invalid_token"}')]).text).toBe('{"error":"invalid_token"}');
    expect(page([utf8(`[${secret}]`)]).text).not.toContain("tool b");
    expect(page([utf8(secret.replace('"id"', '"id":1,"id"'))]).text).not.toContain("tool b");
  });

  test("comes as it came when it only resembles a byte order mark", () => {
    for (const bytes of [
      [0xef, 0x7b, 0x7d],
      [0xef, 0xbb, 0x7b, 0x7d],
    ]) {
      const [state] = stepResponse(
        ASKED,
        AWAITING_ANSWER,
        responseHeaders("text/plain", { status: 400 }) as ResponseEvent,
      );
      const body = Uint8Array.from(bytes);
      const [next, reply] = stepResponse(ASKED, state, { kind: "responseBody", body, endOfStream: false });
      expect([next.at, reply]).toEqual(["passing", { kind: "responseBody", body: undefined }]);
    }
  });

  test.each(["<html>{}</html>", "no such tool", "\ufeff<", "\ufefe{", "null", '"{}"', " x", ""])(
    "comes as it came when it begins otherwise, at every cut, and its call has failed: %j",
    (text) => {
      for (const [cut, chunks] of everyCut(utf8(text))) {
        const { text: delivered, end } = page(chunks);
        expect(delivered, `cut at byte ${cut}`).toBe(text);
        expect(end).toMatchObject({ outcome: { kind: "transport_error" }, lost: undefined });
      }
    },
  );

  test("is let go as soon as its first byte has come", () => {
    expect(page([utf8("<"), utf8("html")], "none").end.at).toBe("passing");
    expect(page([utf8(" "), utf8("\n")], "none").end.at).toBe("readingJson");
    const [, held, passed] = page([utf8(" "), utf8("<")]).replies;
    expect(held).toEqual({ kind: "responseBody", body: new Uint8Array(0) });
    expect(passed).toEqual({ kind: "responseBody", body: utf8(" <") });
  });

  test("says how a GET has ended without a word about it", () => {
    expect(page([utf8("no stream here")], "endOfStream", ON_STREAM).end.outcome).toEqual({ kind: "transport_error" });
  });
});

test("JSON without a byte, for what gets no answer, is nothing that was withheld", () => {
  const asks: Asked = { ...ASKED, pending: [] };
  const { replies, end } = answer("application/json", [utf8("")], "endOfStream", asks);
  expect([replies[1], end.lost]).toEqual([{ kind: "responseBody", body: undefined }, undefined]);
  expect(answer("application/json", [utf8(" "), utf8(" ")], "endOfStream", asks).end.lost).toBeDefined();
  expect(answer("application/json", [utf8("")]).end.lost).toBeDefined();
});

describe("the limit of an answer", () => {
  const limited = (text: string, maxAnswerBytes: number): string =>
    answer("application/json", [utf8(text)], "endOfStream", { ...ASKED, limits: { ...DEFAULT_LIMITS, maxAnswerBytes } })
      .text;
  const whole = result({});

  test("is what it may have, and not what stands behind it", () => {
    expect(limited(whole, whole.length)).toBe(whole);
    expect(limited(`${whole}  `, whole.length)).toBe(whole);
    expect(limited(whole, whole.length - 1)).toBe(errorText(`is larger than ${whole.length - 1} bytes`));
  });
});

test("JSON that cannot be read on a stream that nobody's request opened is an error to nobody", () => {
  expect(answer("application/json", [utf8("{")], "endOfStream", ON_STREAM).text).toBe(
    errorText("is not acceptable JSON: the document ends: expected ',' or '}'", null),
  );
});

describe.each(Object.keys(STATES) as ResponseState["at"][])("stepResponse() while %s", (at) => {
  test.each(Object.keys(EVENTS) as (keyof typeof EVENTS)[])("answers %s once, in kind, or breaks off", (name) => {
    const state = STATES[at]();
    expect(state.at).toBe(at);
    const event = EVENTS[name];
    const next = NEXT[at][name];
    const step = () => stepResponse(ASKED, state, event);
    if (next === undefined) {
      expect(step).toThrow(ProtocolViolation);
      return;
    }
    const [after, reply] = step();
    expect([after.at, reply.kind]).toEqual([next, event.kind]);
  });
});

describe("isOver()", () => {
  test("is true only where nothing of an answer could go on unread", () => {
    const over = Object.entries(STATES).flatMap(([at, make]) => (isOver(make()) ? [at] : []));
    expect(over).toEqual(["passing", "ended", "refused"]);
  });
});
