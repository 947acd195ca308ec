/** Batches from the request to the answer: `judge-batch.ts`, and what `response.ts` and `follow-events.ts` make of answers. */
import { describe, expect, test } from "vitest";
import type { ExchangeEvent } from "../../../src/core/exchange/event.ts";
import { isFinal, recordsOf, withPolicies } from "../../../src/core/exchange/exchange.ts";
import type { Reply } from "../../../src/core/exchange/reply.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { CANCELLED } from "../../../src/core/mcp/outcome.ts";
import { REVISIONS } from "../../../src/core/mcp/revision.ts";
import type { ServerOptions } from "../../../src/core/policy/document.ts";
import { everyCut, piecesOf, textOf, utf8 } from "../../fixtures/bytes.ts";
import {
  deliveredBody,
  localReplyOf,
  optionsWith,
  play,
  playRecorded,
  POST,
  requestBody,
  requestHeaders,
  responseBody,
  responseHeaders,
} from "../../fixtures/exchanges.ts";
import type { Played, Recorded } from "../../fixtures/exchanges.ts";
import { WRITER } from "../../fixtures/identities.ts";
import { batch, notification, request, result, rpcError } from "../../fixtures/messages.ts";
import { allow, compiled, deny, FROM_READER, policyDocument, serverDocument } from "../../fixtures/policies.ts";

const policiesWith = (options: ServerOptions) =>
  compiled([
    serverDocument("everything", undefined, options),
    policyDocument("readers", [
      allow("may-read", FROM_READER, { tools: ["a", "b"] }),
      deny("no-cancel", FROM_READER, { methods: ["notifications/cancelled"] }),
    ]),
  ]).policies;
const OPTIONS = optionsWith(policiesWith({ batches: "judge" }));

const call = (id: number | string, tool: string): string => request("tools/call", { name: tool }, id);
const INITIALIZED = notification("notifications/initialized");
const DENIED_NOTIFICATION = notification("notifications/cancelled", { requestId: 1 });
const denial = (id: number | string, tool: string): string =>
  result(
    {
      content: [
        {
          type: "text",
          text: `Blocked by policy: no rule lets agents/reader use tool ${tool} on server tools/everything (rule default-deny).`,
        },
      ],
      isError: true,
    },
    id,
  );

const asked = (messages: readonly string[], headers: HeaderList = POST): ExchangeEvent[] => [
  requestHeaders(headers),
  requestBody(batch(...messages)),
];
const ask = (...messages: readonly string[]): Played => play(OPTIONS, asked(messages));

/** What goes on to the server, or undefined when that is nothing. */
function sentOn({ replies }: Played): string | undefined {
  const reply = replies[1];
  if (reply?.kind !== "requestBody") return undefined;
  return reply.body === undefined ? "as it came" : textOf(reply.body);
}
const detailsOf = (reply: Reply | undefined): string | undefined =>
  reply?.kind === "immediateResponse" ? reply.details : reply?.kind;

test("each call of a batch has its own arguments on record", () => {
  const options = { ...OPTIONS, loggedArguments: ["path"] };
  const one = (id: number, tool: string, path: string) =>
    request("tools/call", { name: tool, arguments: { path, more: 1 } }, id);
  const { exchange } = play(options, asked([one(1, "a", "/1"), one(2, "other", "/2")]));
  expect(recordsOf(exchange, { kind: "cancelled" }).map((record) => record?.arguments)).toEqual([
    { values: { path: "/1" }, withheld: 1 },
    { values: { path: "/2" }, withheld: 1 },
  ]);
});

describe("a batch to a server that takes none", () => {
  test("is refused, whatever is in it", () => {
    for (const options of [{}, { batches: "refuse" }] as const) {
      for (const messages of [[call(1, "a")], [INITIALIZED], []]) {
        const { replies } = play(optionsWith(policiesWith(options)), asked(messages));
        expect(detailsOf(replies[1])).toBe("toolgate_malformed-request");
        expect(localReplyOf(replies[1])).toMatchObject({
          status: 400,
          text: expect.stringContaining("a message must be one JSON object") as string,
        });
      }
    }
  });
});

describe("a batch of another revision than 2025-03-26", () => {
  test.each([...Object.keys(REVISIONS), "2099-01-01"])("is refused: %s", (revision) => {
    const { replies } = play(OPTIONS, asked([call(1, "a")], [...POST, ["mcp-protocol-version", revision]]));
    expect(detailsOf(replies[1])).toBe(revision === "2025-03-26" ? "requestBody" : "toolgate_malformed-request");
  });

  test("is taken without a version, which is that revision", () => {
    expect(sentOn(ask(call(1, "a")))).toBe("as it came");
  });
});

describe("the request half of a batch", () => {
  test("lets all of it go on as it came when all is allowed and canonical, else in canonical form", () => {
    const messages = [call(1, "a"), INITIALIZED, request("tools/list", {}, "l")];
    expect(sentOn(ask(...messages))).toBe("as it came");
    const { replies } = play(OPTIONS, [requestHeaders(), requestBody(` [ ${messages.join(" ,\n")} ]`)]);
    expect(replies[1]).toMatchObject({
      body: utf8(batch(...messages)),
      changes: { set: [["content-length", String(batch(...messages).length)]] },
    });
  });

  test.each([
    ["first", [call(2, "x"), call(1, "a"), call(3, "b")], [call(1, "a"), call(3, "b")]],
    ["in the middle", [call(1, "a"), call(2, "x"), call(3, "b")], [call(1, "a"), call(3, "b")]],
    ["last", [call(1, "a"), call(3, "b"), call(2, "x")], [call(1, "a"), call(3, "b")]],
    ["all but one", [call(1, "x"), call(2, "y"), call(3, "a"), call(4, "z")], [call(3, "a")]],
    ["a notification", [DENIED_NOTIFICATION, call(1, "a")], [call(1, "a")]],
    ["of an unknown method", [call(1, "a"), request("tools/run", {}, 2)], [call(1, "a")]],
    ["with params that name nothing", [request("tools/call", {}, 2), call(1, "a")], [call(1, "a")]],
    ["with the name of a resource", [request("tools/call", { uri: "a", name: "a" }, 2), INITIALIZED], [INITIALIZED]],
  ])("takes out what is refused, and lets the rest go on as an array: %s", (_, messages, left) => {
    const played = ask(...messages);
    expect(sentOn(played)).toBe(batch(...left));
    expect(played.exchange.request).toMatchObject({ at: "permitted" });
  });

  test("holds the era of each message against the headers", () => {
    const modern = request("tools/call", {
      name: "a",
      _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" },
    });
    expect(sentOn(ask(modern, call(2, "b")))).toBe(batch(call(2, "b")));
  });

  test("answers alone when nothing goes on: an array in the order of the messages, at HTTP 200", () => {
    const played = ask(call("x", "x"), request("prompts/get", { name: "p" }, 2), request("tools/run", {}, 3));
    const reply = localReplyOf(played.replies[1]);
    const answers = JSON.parse(reply.text) as { id: unknown; error?: { code: number } }[];
    expect([reply.status, answers.map(({ id, error }) => [id, error?.code])]).toEqual([
      200,
      [
        ["x", undefined],
        [2, -31403],
        [3, -32601],
      ],
    ]);
    expect(played.replies[1]).toMatchObject({
      reply: { headers: [["content-type", "application/json"]] },
      details: "toolgate_no-rule-allows",
      metadata: { decision: "deny", tool: "x" },
    });
    expect(isFinal(played.exchange)).toBe(true);
  });

  test("answers a batch of one with an array of one", () => {
    expect(localReplyOf(ask(call(1, "x")).replies[1])).toEqual({ status: 200, text: batch(denial(1, "x")) });
  });

  test("tells once who has no access at all", () => {
    const { replies } = play(OPTIONS, [
      requestHeaders(POST, { identity: WRITER }),
      requestBody(batch(call(1, "a"), call(2, "b"))),
    ]);
    const { status, text } = localReplyOf(replies[1]);
    expect([status, JSON.parse(text)]).toMatchObject([403, { id: 1, error: { code: -31403 } }]);
  });

  test("takes and drops notifications that are denied", () => {
    const { replies, exchange } = ask(DENIED_NOTIFICATION, DENIED_NOTIFICATION);
    expect(localReplyOf(replies[1])).toEqual({ status: 202, text: "" });
    expect(recordsOf(exchange)).toHaveLength(2);
  });

  test("says that its answers are JSON also when the first message gets none", () => {
    expect(ask(DENIED_NOTIFICATION, call(1, "x")).replies[1]).toMatchObject({
      reply: { status: 200, headers: [["content-type", "application/json"]] },
    });
  });

  // JSON-RPC 2.0, section 6: there is no answer to a notification, also in a batch. `judgeBatch` says the same of denied
  // ones; one that is malformed is answered with the id null, which no client waits for.
  test("has no answer to a notification that is not known", () => {
    const { replies } = ask(notification("tools/run"), call(1, "x"));
    expect(localReplyOf(replies[1]).text).toBe(batch(denial(1, "x")));
  });

  test("refuses all of it when it is no batch: with no id, since it is nobody's answer", () => {
    const messages = Array.from({ length: 101 }, () => INITIALIZED);
    const options = { ...OPTIONS, limits: { ...OPTIONS.limits, maxBodyBytes: 1_000_000 } };
    const of = (count: number): Played => play(options, asked(messages.slice(0, count)));
    expect(detailsOf(of(100).replies[1])).toBe("requestBody");
    expect(detailsOf(of(101).replies[1])).toBe("toolgate_too-many-messages");
    expect(localReplyOf(of(101).replies[1]).text).toContain('"id":null');
    expect(recordsOf(of(101).exchange)).toMatchObject([
      { method: "unknown", decision: "deny", reason: "too-many-messages", outcome: { kind: "denied" } },
    ]);
  });
});

describe("a batch without requests", () => {
  test("is over, and on record, when the server has accepted it", () => {
    for (const messages of [[INITIALIZED, INITIALIZED], [result({}, 1)], [INITIALIZED, DENIED_NOTIFICATION]]) {
      expect(isFinal(ask(...messages).exchange)).toBe(false);
      const accepted = responseHeaders("text/plain", { status: 202 });
      const { exchange, replies, records } = playRecorded(OPTIONS, [...asked(messages), accepted]);
      expect([isFinal(exchange), replies[2]]).toEqual([true, { kind: "responseHeaders", readBody: false, remove: [] }]);
      expect(records[0]).toMatchObject({ outcome: { kind: "unread" } });
    }
  });

  test("judges answers one by one, and drops those that are not granted without a word", () => {
    expect(sentOn(ask(result({}, 1), result({ roots: [] }, 2), result({}, 3)))).toBe(
      batch(result({}, 1), result({}, 3)),
    );
    expect(localReplyOf(ask(result({ roots: [] }, 2)).replies[1])).toEqual({ status: 202, text: "" });
  });

  test("waits for the server when there is something to answer in its place", () => {
    expect(isFinal(ask(INITIALIZED, call(1, "x")).exchange)).toBe(false);
  });
});

type Answer = { readonly text: string; readonly played: Recorded };
/** The answer that the client gets to these messages, when the server answers like this. */
function answered(
  messages: readonly string[],
  chunks: readonly Uint8Array[],
  type = "application/json",
  end: "endOfStream" | "trailers" = "endOfStream",
): Answer {
  const events = [...asked(messages), responseHeaders(type), ...responseBody(chunks, end)];
  const played = playRecorded(OPTIONS, events);
  return { text: deliveredBody(events, played.replies), played };
}
const json = (messages: readonly string[], text: string): Answer => answered(messages, [utf8(text)]);
const outcomes = ({ records }: Recorded): unknown[] => records.map((one) => one?.outcome.kind);

const MIXED = [call(1, "a"), call(2, "x"), request("tools/list", {}, 3), INITIALIZED];
const LIST = (...names: readonly string[]): string => result({ tools: names.map((name) => ({ name })) }, 3);
const SERVER = [result({ content: [] }, 1), LIST("a", "x", "b")];
const OWN = denial(2, "x");
const DELIVERED = [result({ content: [] }, 1), LIST("a", "b")];

describe("an answer in JSON to a batch", () => {
  test("is filtered message by message, and has our answers behind the server's, at every cut", () => {
    const bytes = utf8(batch(...SERVER));
    for (const end of ["endOfStream", "trailers"] as const) {
      for (const [cut, chunks] of everyCut(bytes)) {
        const { text, played } = answered(MIXED, chunks, "application/json", end);
        expect(text, `cut at byte ${cut}, ${end}`).toBe(batch(...DELIVERED, OWN));
        expect(outcomes(played)).toEqual(["ok", "denied", "ok", "unread"]);
      }
      expect(answered(MIXED, piecesOf(bytes, 1), "application/json", end).text).toBe(batch(...DELIVERED, OWN));
    }
  });

  test("is an array also when the server answered with one message", () => {
    expect(json([call(1, "a"), call(2, "x")], result({}, 1)).text).toBe(batch(result({}, 1), OWN));
    expect(json([call(1, "a"), call(2, "x")], "[]").text).toBe(batch(OWN));
  });

  test("is as it came when nothing was refused and nothing is hidden", () => {
    const text = `[ ${result({ content: [] }, 1)} , ${result({}, 2)} ]`;
    const { played } = json([call(1, "a"), call(2, "b")], text);
    expect(played.replies.at(-1)).toEqual({ kind: "responseBody", body: undefined });
    expect(outcomes(played)).toEqual(["ok", "ok"]);
    expect(json([call(1, "a")], result({}, 1)).text).toBe(result({}, 1));
  });

  test("has no messages that are none of the caller's", () => {
    const foreign = [result({ a: 1 }, 9), request("roots/list", {}, 9), "null", result({}, "1"), batch(LIST("a"))];
    const { text, played } = json(MIXED, batch(...foreign, ...SERVER));
    expect(text).toBe(batch(...DELIVERED, OWN));
    expect(outcomes(played)).toEqual(["ok", "denied", "ok", "unread"]);
  });

  test("keeps what is no answer and may be seen", () => {
    const progress = notification("notifications/progress", { progress: 1 });
    expect(json(MIXED, batch(progress, ...SERVER, request("ping", {}, 9))).text).toBe(
      batch(progress, ...DELIVERED, request("ping", {}, 9), OWN),
    );
  });

  test("has an error in place of an answer that may not be delivered", () => {
    const { text, played } = json(MIXED, batch(result({ task: { taskId: "t" } }, 1), LIST("a")));
    const [error, ...rest] = JSON.parse(text) as { id: number; error?: { code: number } }[];
    expect([error?.id, error?.error?.code, rest.length]).toEqual([1, -32603, 2]);
    expect(outcomes(played)).toEqual(["transport_error", "denied", "ok", "unread"]);
    expect(recordsOf(played.exchange)[2]).toMatchObject({ answerFault: { reason: "not-granted" } });
  });

  test("says of each call how it ended: those without an answer are lost", () => {
    const { played } = json(MIXED, batch(rpcError(-5, 3)));
    expect(played.records.map((one) => one?.outcome)).toEqual([
      { kind: "transport_error" },
      { kind: "denied" },
      { kind: "rpc_error", code: -5 },
      { kind: "unread" },
    ]);
  });

  test("counts what was hidden in it once", () => {
    const { played } = json([request("tools/list", {}, 3), call(1, "a")], batch(...SERVER));
    expect(recordsOf(played.exchange).map((one) => one?.hiddenItems)).toEqual([1, 0]);
    expect(recordsOf(played.exchange).map((one) => one?.listed)).toEqual([
      [{ kind: "tool", names: ["a", "x", "b"] }],
      [],
    ]);
  });

  test("that is not acceptable JSON keeps our own answers", () => {
    for (const bad of ["[", "[}", batch(result({}, 1), "{"), "x"]) {
      const { text, played } = json(MIXED, bad);
      expect((JSON.parse(text) as unknown[]).at(-1), bad).toEqual(JSON.parse(OWN));
      expect(outcomes(played), bad).toEqual(["transport_error", "denied", "transport_error", "unread"]);
    }
  });

  // "What a client gets in place of an answer that is withheld, or it would wait for it for ever": an error with the id
  // null is for nobody. On an event stream, and for headers that are refused, each request gets its own.
  test.each(["[}", '{"jsonrpc":"2.0","id":1,"result":[]}'])(
    "that cannot be read is an error to each request that waits: %s",
    (bad) => {
      const { text } = json([call(1, "a"), call(4, "b")], bad);
      expect((JSON.parse(text) as { id: unknown }[]).map(({ id }) => id)).toEqual([1, 4]);
    },
  );

  // docs/mcp.md: "One answer to one request: a second one with the same id is not delivered."
  test("has one answer to one request", () => {
    const { text } = json([call(1, "a"), call(4, "b")], batch(result({ n: 1 }, 1), result({ n: 2 }, 1), result({}, 4)));
    expect(text).toBe(batch(result({ n: 1 }, 1), result({}, 4)));
  });

  test("is as it came when it is the JSON of an HTTP error that no client takes for a message", () => {
    const events = [
      ...asked([call(1, "a")]),
      responseHeaders("application/json", { status: 401 }),
      ...responseBody([utf8('{"error":"invalid_token"}')]),
    ];
    expect(deliveredBody(events, play(OPTIONS, events).replies)).toBe('{"error":"invalid_token"}');
  });

  test("of one request is an array of one error when it is withheld", () => {
    for (const broken of ["[", batch(result({}, 8), result({}, 9))]) {
      const { text } = json([call(1, "a")], broken);
      expect(JSON.parse(text)).toEqual([
        { jsonrpc: "2.0", id: 1, error: { code: -32603, message: expect.anything() as unknown } },
      ]);
    }
  });

  test("that is too large is an error, and keeps our own answers", () => {
    const limits = { ...OPTIONS.limits, maxAnswerBytes: 100 };
    const events = [...asked(MIXED), responseHeaders(), ...responseBody([utf8(batch(...SERVER))])];
    const { replies, exchange } = play({ ...OPTIONS, limits }, events);
    const answers = JSON.parse(deliveredBody(events, replies)) as unknown[];
    expect(answers.at(-1)).toEqual(JSON.parse(OWN));
    expect(JSON.stringify(answers)).toContain("it is larger than 100 bytes");
    expect(recordsOf(exchange)[2]).toMatchObject({ answerFault: { reason: "too-large" } });
  });
});

describe("an answer in events to a batch", () => {
  const event = (data: string, more = ""): string => `event: message\n${more}data: ${data}\n\n`;
  const sse = (messages: readonly string[], text: string): Answer =>
    answered(messages, [utf8(text)], "text/event-stream");

  test.each([
    ["one event each", SERVER.map((one) => event(one)).join(""), DELIVERED.map((one) => event(one)).join("")],
    ["one event", event(batch(...SERVER)), event(batch(...DELIVERED))],
    ["events with ids", event(batch(...SERVER), "id: 1\n"), event(batch(...DELIVERED), "id: 1\n")],
    [
      "a comment before them",
      `: hi\n\n${SERVER.map((one) => event(one)).join("")}`,
      `: hi\n\n${DELIVERED.map((one) => event(one)).join("")}`,
    ],
    ["a byte order mark", `\ufeff${event(batch(...SERVER))}`, event(batch(...DELIVERED))],
  ])("has our answers before the server's, and those filtered, at every cut: %s", (_, text, expected) => {
    const bytes = utf8(text);
    for (const [cut, chunks] of everyCut(bytes)) {
      const { text: delivered, played } = answered(MIXED, chunks, "text/event-stream");
      expect(delivered, `cut at byte ${cut}`).toBe(event(OWN) + expected);
      expect(outcomes(played)).toEqual(["ok", "denied", "ok", "unread"]);
    }
    for (const end of ["endOfStream", "trailers"] as const)
      expect(answered(MIXED, piecesOf(bytes, 1), "text/event-stream", end).text).toBe(event(OWN) + expected);
  });

  test("has our answers once, also when the server sends nothing", () => {
    expect(sse(MIXED, "").text).toBe(event(OWN));
    expect(sse([call(2, "x"), call(4, "y"), call(1, "a")], event(result({}, 1))).text).toBe(
      event(OWN) + event(denial(4, "y")) + event(result({}, 1)),
    );
  });

  test("is as it came when nothing was refused and nothing is hidden", () => {
    const { played } = sse([call(1, "a"), call(4, "b")], event(batch(result({}, 4), result({}, 1))));
    expect(played.replies.at(-1)).toEqual({ kind: "responseBody", body: undefined });
    expect(outcomes(played)).toEqual(["ok", "ok"]);
  });

  test("is known answer by answer while the stream is open", () => {
    const events = [
      ...asked([call(1, "a"), call(4, "b")]),
      responseHeaders("text/event-stream"),
      ...responseBody([utf8(event(result({}, 4)))], "trailers").slice(0, 1),
    ];
    const { exchange } = play(OPTIONS, events);
    expect(recordsOf(exchange).map((one) => one?.outcome.kind)).toEqual([undefined, "ok"]);
    expect(recordsOf(exchange, CANCELLED).map((one) => one?.outcome.kind)).toEqual(["cancelled", "ok"]);
  });

  test("has one answer to one request, in one event or in another", () => {
    const [one, two] = [result({ n: 1 }, 1), result({ n: 2 }, 1)];
    const messages = [call(1, "a"), call(4, "b")];
    expect(sse(messages, event(one) + event(two) + event(result({}, 4))).text).toBe(
      `${event(one)}event: message\n\n${event(result({}, 4))}`,
    );
    expect(sse(messages, event(one) + event(batch(two))).text).toBe(`${event(one)}event: message\n\n`);
  });

  // With the second answer the whole array goes, and with it answers that nobody has had: their calls wait for ever.
  test("does not lose the other answers of an array with a second one in it", () => {
    const { text } = sse(
      [call(1, "a"), call(4, "b")],
      event(result({}, 1)) + event(batch(result({}, 1), result({}, 4))),
    );
    expect(text).toContain(result({}, 4));
  });

  test("tells each request whose answer was lost, once", () => {
    const { text, played } = sse(MIXED, event("[}"));
    const errors = [...text.matchAll(/"id":(\d|null),"error":\{"code":-32603/g)].map(([, id]) => id);
    expect(errors).toEqual(["1", "3"]);
    expect(outcomes(played)).toEqual(["transport_error", "denied", "transport_error", "unread"]);
    const half = sse(MIXED, event(result({}, 1)) + event("[}"));
    expect([...half.text.matchAll(/"id":(\d|null),"error"/g)].map(([, id]) => id)).toEqual(["3"]);
  });

  test("has an error in place of one that may not be delivered, and the rest of its array", () => {
    const { text } = sse(MIXED, event(batch(result({ task: { taskId: "t" } }, 1), LIST("a"))));
    expect(text).toContain('[{"jsonrpc":"2.0","id":1,"error":{"code":-32603');
    expect(text).toContain(`,${LIST("a")}]`);
  });
});

describe("an array of messages to what was no batch", () => {
  test("is not delivered in JSON", () => {
    const events = [
      requestHeaders(),
      requestBody(call(1, "a")),
      responseHeaders(),
      ...responseBody([utf8(batch(result({}, 1)))]),
    ];
    expect(deliveredBody(events, play(OPTIONS, events).replies)).toContain("a message must be one JSON object");
  });

  test("is not delivered in events either", () => {
    const events = [
      requestHeaders(),
      requestBody(call(1, "a")),
      responseHeaders("text/event-stream"),
      ...responseBody([utf8(`data: ${batch(result({}, 1))}\n\n`)]),
    ];
    expect(deliveredBody(events, play(OPTIONS, events).replies)).not.toContain('"result"');
  });
});

describe("a GET to a server that takes batches", () => {
  const GET = requestHeaders(
    [
      [":method", "GET"],
      [":path", "/mcp"],
    ],
    { endOfStream: true },
  );

  test("may have arrays on its stream, filtered message by message", () => {
    const text = (...messages: readonly string[]): string => `data: ${batch(...messages)}\n\n`;
    const events = [
      GET,
      responseHeaders("text/event-stream"),
      ...responseBody([utf8(text(...SERVER, request("roots/list", {}, 9)))]),
    ];
    expect(deliveredBody(events, play(OPTIONS, events).replies)).toBe(text(...DELIVERED));
  });

  test("has the server's own 202: nothing was refused that could stand in its place", () => {
    const { replies } = play(OPTIONS, [GET, responseHeaders(null, { status: 202, endOfStream: true })]);
    expect(replies[1]).toEqual({ kind: "responseHeaders", readBody: false, remove: [] });
  });
});

describe("a server that accepts the rest of a batch", () => {
  const accepts = (messages: readonly string[], answer: ExchangeEvent): Recorded =>
    playRecorded(OPTIONS, [...asked(messages), answer]);
  const ACCEPTED = responseHeaders("text/plain", { status: 202, headers: [["content-length", "8"]] });

  test.each([
    ["without a body", responseHeaders(null, { status: 202, endOfStream: true })],
    ["with a word", ACCEPTED],
    ["with empty JSON", responseHeaders("application/json", { status: 202, headers: [["content-length", "0"]] })],
  ])("has our answers put in place of that: %s", (_, answer) => {
    const played = accepts([INITIALIZED, call(2, "x"), call(4, "y")], answer);
    expect(localReplyOf(played.replies[2])).toEqual({ status: 200, text: batch(OWN, denial(4, "y")) });
    expect(played.replies[2]).toMatchObject({ reply: { headers: [["content-type", "application/json"]] } });
    expect(outcomes(played)).toEqual(["unread", "denied", "denied"]);
    expect(isFinal(played.exchange)).toBe(true);
  });

  test("is not believed while a request waits", () => {
    const played = accepts([call(1, "a"), call(2, "x")], ACCEPTED);
    const { replies } = played;
    expect(detailsOf(replies[2])).toBe("toolgate_unsafe-answer");
    expect(recordsOf(played.exchange)[0]).toMatchObject({ answerFault: { reason: "unreadable" } });
    expect(localReplyOf(replies[2]).text).toContain("it is neither JSON nor an event stream.");
    const answers = JSON.parse(localReplyOf(replies[2]).text) as { id: number; error?: object }[];
    expect(answers.map(({ id, error }) => [id, error !== undefined])).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(outcomes(played)).toEqual(["transport_error", "denied"]);
  });

  // A server may say 204, or 200 without a body, to notifications; the caller waits for its denied calls all the same.
  test.each([200, 204])("may say so with %i", (status) => {
    const { replies } = accepts([INITIALIZED, call(2, "x")], responseHeaders(null, { status, endOfStream: true }));
    expect(localReplyOf(replies[2]).text).toBe(batch(OWN));
  });

  test("and says nothing to a request that waits has our answers too", () => {
    const { replies } = accepts([call(1, "a"), call(2, "x")], responseHeaders(null, { endOfStream: true }));
    expect(localReplyOf(replies[2]).text).toContain(OWN);
    expect(localReplyOf(replies[2]).text).toContain("was not delivered: it is empty.");
  });

  test("and refuses with an error page is passed on", () => {
    const { replies } = accepts([INITIALIZED, call(2, "x")], responseHeaders("text/html", { status: 502 }));
    expect(replies[2]).toEqual({ kind: "responseHeaders", readBody: false, remove: [] });
  });
});

describe("headers of an answer to a batch that are not acceptable", () => {
  test("are an error to each request that waits, and keep our own answers", () => {
    const played = playRecorded(OPTIONS, [...asked(MIXED), responseHeaders("text/html")]);
    const answers = JSON.parse(localReplyOf(played.replies[2]).text) as { id: number }[];
    expect(answers.map(({ id }) => id)).toEqual([1, 3, 2]);
    expect(outcomes(played)).toEqual(["transport_error", "denied", "transport_error", "unread"]);
  });
});

describe("the records of a batch", () => {
  test("are one for each message, in their order, with what each asked for and which rule decided", () => {
    const { played } = json(
      [call(2, "x"), ...MIXED.filter((one) => one !== MIXED[1]), DENIED_NOTIFICATION],
      batch(...SERVER),
    );
    expect(
      recordsOf(played.exchange).map((one) => [one?.method, one?.target?.name, one?.decision, one?.rule.rule]),
    ).toEqual([
      ["tools/call", "x", "deny", "default-deny"],
      ["tools/call", "a", "allow", "may-read"],
      ["tools/list", undefined, "allow", "base-access"],
      ["notifications/initialized", undefined, "allow", "base-access"],
      ["notifications/cancelled", undefined, "deny", "no-cancel"],
    ]);
  });

  test("are there for what was refused with the decision, and for notifications with the headers of an answer", () => {
    const kinds = (...answer: readonly ExchangeEvent[]): unknown[] =>
      recordsOf(play(OPTIONS, [...asked(MIXED), ...answer]).exchange).map((one) => one?.outcome.kind);
    expect(kinds()).toEqual([undefined, "denied", undefined, undefined]);
    expect(kinds(responseHeaders())).toEqual([undefined, "denied", undefined, "unread"]);
  });

  test("stay what they were when they were first there", () => {
    const { played } = json(MIXED, batch(...SERVER));
    expect(recordsOf(played.exchange).map((one) => one?.outcome)).toEqual(played.records.map((one) => one?.outcome));
  });

  // "What was seen of a batch as a whole is counted once", with the list: other records are taken before it comes.
  test.each([
    ["a notification before the list", [INITIALIZED, request("tools/list", {}, 3)], "application/json"],
    ["an answer before the list", [call(1, "a"), request("tools/list", {}, 3)], "text/event-stream"],
  ])("have what was hidden, and the names, of every answer: %s", (_, messages, type) => {
    const chunks =
      type === "application/json"
        ? [utf8(batch(LIST("a", "x")))]
        : [result({}, 1), LIST("a", "x")].map((one) => utf8(`data: ${one}\n\n`));
    const { played } = answered(messages, chunks, type);
    expect(played.records.reduce((sum, one) => sum + (one?.hiddenItems ?? 0), 0)).toBe(1);
    expect(played.records.flatMap((one) => one?.listed.flatMap(({ names }) => names) ?? [])).toEqual(["a", "x"]);
  });

  test("are the same with answers that pass: a batch is always read", () => {
    const passing = optionsWith(policiesWith({ batches: "judge", answers: "pass" }));
    const events = [
      ...asked([call(1, "a"), call(2, "x")]),
      responseHeaders(),
      ...responseBody([utf8(batch(result({}, 1)))]),
    ];
    const { exchange, replies } = play(passing, events);
    expect(deliveredBody(events, replies)).toBe(batch(result({}, 1), OWN));
    expect(recordsOf(exchange).map((one) => one?.outcome.kind)).toEqual(["ok", "denied"]);
  });

  test("are the same where one that passes has a denied notification beside it, which nobody waits for", () => {
    const passing = optionsWith(policiesWith({ batches: "judge", answers: "pass" }));
    const { exchange } = play(passing, asked([call(1, "a"), DENIED_NOTIFICATION]));
    expect(recordsOf(exchange).map((one) => one?.outcome.kind)).toEqual(["unread", "denied"]);
  });

  test("have the names of every list in it", () => {
    const lists = [request("tools/list", {}, 3), request("prompts/list", {}, 5)];
    const { played } = json(lists, batch(LIST("a"), result({ prompts: [{ name: "p" }] }, 5)));
    expect(recordsOf(played.exchange).flatMap((one) => one?.listed.flatMap(({ names }) => names) ?? [])).toEqual([
      "a",
      "p",
    ]);
  });
});

test("a list in a batch is filtered also where answers pass", () => {
  const passing = optionsWith(policiesWith({ batches: "judge", answers: "pass" }));
  const answer = (...tools: readonly string[]): string =>
    batch(result({}, 1), result({ tools: tools.map((name) => ({ name })) }, 2));
  const begun = asked([call(1, "a"), request("tools/list", {}, 2)]);
  expect(isFinal(play(passing, begun).exchange)).toBe(false);
  const events = [...begun, responseHeaders(), ...responseBody([utf8(answer("a", "hidden"))])];
  expect(deliveredBody(events, play(passing, events).replies)).toBe(answer("a"));
});

test("a batch goes on under new policies while they grant each call that was let through, and not beyond that", () => {
  const begun = ask(call(1, "a"), call(2, "b"), call(3, "x")).exchange;
  expect(withPolicies(begun, policiesWith({ batches: "judge" })).isGranted).toBe(true);
  const onlyA = compiled([
    serverDocument("everything", undefined, { batches: "judge" }),
    policyDocument("readers", [allow("may-read", FROM_READER, { tools: ["a"] })]),
  ]).policies;
  expect(withPolicies(begun, onlyA).isGranted).toBe(false);
});

test("what is wrong with the answer to a batch is on record with its first request", () => {
  const answer = [responseHeaders(), ...responseBody([utf8("[}")])];
  const { exchange } = play(OPTIONS, [...asked([INITIALIZED, call(1, "a"), call(2, "b")]), ...answer]);
  expect(recordsOf(exchange).map((one) => one?.answerFault?.reason)).toEqual([undefined, "unreadable", undefined]);
});
