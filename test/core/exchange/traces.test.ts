/** What the record says of traces, and what goes on to the server: `call-trace.ts`, `with-traces.ts`, `propagate.ts`. */
import { describe, expect, test } from "vitest";
import { recordsOf } from "../../../src/core/exchange/exchange.ts";
import type { Summary } from "../../../src/core/exchange/exchange.ts";
import type { SpanIds, StartSpans } from "../../../src/core/exchange/call-trace.ts";
import type { Options } from "../../../src/core/exchange/request.ts";
import { CANCELLED } from "../../../src/core/mcp/outcome.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { textOf } from "../../fixtures/bytes.ts";
import { optionsWith, play, POST, requestBody, requestHeaders } from "../../fixtures/exchanges.ts";
import { WRITER } from "../../fixtures/identities.ts";
import { batch, modernHeaders, modernRequest, notification, request, toolsCall } from "../../fixtures/messages.ts";
import { allow, compiled, FROM_READER, policyDocument, serverDocument } from "../../fixtures/policies.ts";
import { OTHER, PARENT, TRACE_ID, UNSAMPLED } from "../../fixtures/traces.ts";

const { policies } = compiled([
  serverDocument("everything", undefined, { batches: "judge" }),
  policyDocument("readers", [
    allow(
      "may-read",
      FROM_READER,
      { tools: ["echo"] },
      { methods: ["subscriptions/listen", "sampling/createMessage"] },
    ),
  ]),
]);

const IDS: SpanIds = { traceId: TRACE_ID, server: "1".repeat(16), client: "2".repeat(16) };
const OURS = `00-${TRACE_ID}-${"2".repeat(16)}-01`;
const participating = (startSpans: StartSpans = () => IDS): Options => ({ ...optionsWith(policies), startSpans });

const echo = (meta?: object): string => request("tools/call", { name: "echo", ...(meta && { _meta: meta }) });

/** One request up to the decision, and its records as if it were cancelled then. */
function played(body: string, options: Options = optionsWith(policies), headers: HeaderList = POST) {
  const { exchange, replies } = play(options, [requestHeaders(headers), requestBody(body)]);
  const [record] = recordsOf(exchange, CANCELLED);
  return { reply: replies.at(-1), record };
}
const recordOf = (body: string, ...more: HeaderList): Summary => {
  const { record } = played(body, undefined, [...POST, ...more]);
  if (record === undefined) throw new Error("there is no record");
  return record;
};

describe("the record's trace", () => {
  test("has the context of `_meta` as its parent, and that of the headers linked", () => {
    const { trace } = recordOf(echo({ traceparent: PARENT, tracestate: "a=1" }), ["traceparent", OTHER]);
    expect(trace).toMatchObject({
      traceId: TRACE_ID,
      parent: { traceId: TRACE_ID, state: "a=1" },
      linked: { spanId: "b7ad6b7169203331" },
      spans: undefined,
    });
  });

  test("has the context of the headers as its parent when `_meta` has none", () => {
    for (const meta of [undefined, {}, { traceparent: "no" }]) {
      const headers: HeaderList = [
        ["traceparent", PARENT],
        ["tracestate", "a=1"],
        ["tracestate", "b=2"],
      ];
      expect(recordOf(echo(meta), ...headers).trace).toMatchObject({
        parent: { traceId: TRACE_ID, state: "a=1,b=2" },
        linked: undefined,
      });
    }
  });

  test("does not link the parent to itself", () => {
    expect(recordOf(echo({ traceparent: PARENT }), ["traceparent", PARENT]).trace?.linked).toBeUndefined();
  });

  test("is not there when nobody has said anything, and is no reason to refuse when it is wrong", () => {
    for (const traceparent of [undefined, 1, "", "00-0-0-00", "x".repeat(400)]) {
      const { reply, record } = played(echo({ traceparent }));
      expect([reply?.kind, record?.trace], String(traceparent)).toEqual(["requestBody", undefined]);
    }
  });

  test("is not there when a header stands twice", () => {
    expect(recordOf(echo(), ["traceparent", PARENT], ["traceparent", PARENT]).trace).toBeUndefined();
  });

  test("names a trace for exemplars only when the caller keeps it", () => {
    expect(recordOf(echo({ traceparent: UNSAMPLED })).trace).toMatchObject({
      traceId: undefined,
      parent: { isSampled: false },
    });
  });

  test("is there for what is refused too", () => {
    const denied = request("tools/call", { name: "no", _meta: { traceparent: PARENT } }, 7);
    const wrong = request("tools/call", { name: 1, _meta: { traceparent: PARENT } }, 7);
    for (const body of [denied, wrong]) {
      expect(recordOf(body)).toMatchObject({ decision: "deny", id: "7", trace: { traceId: TRACE_ID } });
    }
    const malformed = recordOf("{", ["traceparent", PARENT]);
    expect(malformed).toMatchObject({ decision: "deny", id: undefined, trace: { traceId: TRACE_ID } });
  });

  test("has the spans that were begun for a request, with its parent in hand", () => {
    const parents: unknown[] = [];
    const startSpans: StartSpans = (parent) => {
      parents.push(parent?.spanId);
      return IDS;
    };
    const { record } = played(echo({ traceparent: PARENT }), participating(startSpans));
    expect([record?.trace?.spans, parents]).toEqual([IDS, ["00f067aa0ba902b7"]]);
  });

  test("has no spans of notifications, of answers, of streams and of the end of a session", () => {
    const options = participating();
    const bodies = [notification("notifications/initialized"), '{"jsonrpc":"2.0","id":1,"result":{}}'];
    for (const body of bodies) expect(played(body, options).record?.trace, body).toBeUndefined();
    for (const method of ["GET", "DELETE"]) {
      const headers: HeaderList = [
        [":method", method],
        [":path", "/mcp"],
        ["accept", "text/event-stream"],
      ];
      const { exchange } = play(options, [requestHeaders(headers, { endOfStream: true })]);
      expect(recordsOf(exchange, CANCELLED), method).toMatchObject([{ trace: undefined }]);
    }
  });
});

describe("the record", () => {
  test("has the id as it is echoed, and the session", () => {
    expect(recordOf(request("tools/list", undefined, 'a"b'), ["mcp-session-id", "s-1"])).toMatchObject({
      id: '"a\\"b"',
      session: "s-1",
    });
    expect(recordOf(notification("notifications/initialized"))).toMatchObject({ id: undefined, session: undefined });
    expect(recordOf('{"jsonrpc":"2.0","id":null,"method":"ping"}')).toMatchObject({ id: undefined });
  });
});

describe("what goes on", () => {
  /** What the server gets of `body`; "as it came" for the very bytes. */
  const sent = (body: string, options = participating(), headers: HeaderList = POST): string => {
    const { reply } = played(body, options, headers);
    if (reply?.kind !== "requestBody") throw new Error(`expected a decision, got ${reply?.kind}`);
    const length = new Map(reply.changes.set).get("content-length");
    expect(length).toBe(reply.body === undefined ? undefined : String(reply.body.length));
    return reply.body === undefined ? "as it came" : textOf(reply.body);
  };

  test("is as it came when no spans are made, or none that the server is to see", () => {
    const body = echo({ traceparent: PARENT });
    expect(sent(body, optionsWith(policies))).toBe("as it came");
    expect(
      sent(
        body,
        participating(() => undefined),
      ),
    ).toBe("as it came");
    expect(
      sent(
        body,
        participating(() => ({ ...IDS, client: undefined })),
      ),
    ).toBe("as it came");
    expect(sent(notification("notifications/initialized"))).toBe("as it came");
  });

  test.each([
    [
      "no params",
      request("tools/list"),
      `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"traceparent":"${OURS}"}}}`,
    ],
    [
      "empty params",
      request("tools/list", {}),
      `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"traceparent":"${OURS}"}}}`,
    ],
    [
      "no `_meta`",
      request("tools/list", { cursor: "c" }),
      `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"c","_meta":{"traceparent":"${OURS}"}}}`,
    ],
    [
      "an empty `_meta`",
      request("tools/list", { _meta: {} }),
      `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"traceparent":"${OURS}"}}}`,
    ],
  ])("gets a `_meta` that says it when there are %s", (_, body, expected) => {
    expect(sent(body)).toBe(expected);
  });

  test.each([
    [{ traceparent: PARENT }, { traceparent: OURS }],
    [
      { traceparent: PARENT, tracestate: 'a=1,b="\\' },
      { traceparent: OURS, tracestate: 'a=1,b="\\' },
    ],
    [
      { progressToken: 9, traceparent: PARENT, z: [1] },
      { progressToken: 9, z: [1], traceparent: OURS },
    ],
    [{ traceparent: "no", tracestate: "a=1" }, { traceparent: OURS }],
    [
      { Traceparent: PARENT, "trace\u017Ftate": "a=1", kept: 1 },
      { kept: 1, traceparent: OURS },
    ],
  ])("has our span in place of the caller's, and all else of %j as it was", (meta, expected) => {
    expect(sent(echo(meta))).toBe(echo(expected));
  });

  test("carries the state of the headers when the parent came from there", () => {
    const headers: HeaderList = [...POST, ["traceparent", PARENT], ["tracestate", "a=1"]];
    expect(sent(echo({ tracestate: "b=2" }), participating(), headers)).toBe(
      echo({ traceparent: OURS, tracestate: "a=1" }),
    );
  });

  test("keeps numbers as they are written, in canonical form", () => {
    const body = '{ "jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"n":1.50e+2}}}';
    expect(sent(body)).toBe(`${body.replace("{ ", "{").slice(0, -2)},"_meta":{"traceparent":"${OURS}"}}}`);
  });

  test("is so for what is trimmed on its way: `initialize` and subscriptions", () => {
    const initialize = { protocolVersion: "2025-11-25", capabilities: { roots: {}, sampling: {} }, clientInfo: {} };
    expect(JSON.parse(sent(request("initialize", initialize)))).toMatchObject({
      params: { capabilities: { sampling: {} }, _meta: { traceparent: OURS } },
    });
    const listen = modernRequest("subscriptions/listen", { notifications: { toolsListChanged: true, taskIds: ["t"] } });
    const headers = [...POST, ...modernHeaders("subscriptions/listen")];
    expect(JSON.parse(sent(listen, participating(), headers))).toMatchObject({
      params: { _meta: { traceparent: OURS } },
    });
  });

  test("gives each request of a batch the span of its own", () => {
    let count = 2;
    const startSpans: StartSpans = () => ({ ...IDS, client: String(count++).repeat(16) });
    const messages = [
      toolsCall("echo"),
      request("tools/call", { name: "no" }, 2),
      notification("notifications/initialized"),
      request("tools/list", {}, 3),
    ];
    const went = JSON.parse(sent(batch(...messages), participating(startSpans))) as readonly { readonly id?: number }[];
    const spanOf = (message: object): string | undefined => /-(\d{16})-01/.exec(JSON.stringify(message))?.[1];
    expect(went.map((message) => [message.id, spanOf(message)])).toEqual([
      [1, "2".repeat(16)],
      [undefined, undefined],
      // The one between them was refused, and had a span too.
      [3, "4".repeat(16)],
    ]);
  });

  test("has nothing of ours when it is refused", () => {
    const options = participating();
    const { exchange, replies } = play(options, [requestHeaders(POST, { identity: WRITER }), requestBody(echo())]);
    expect(replies.at(-1)?.kind).toBe("immediateResponse");
    expect(recordsOf(exchange)).toMatchObject([{ decision: "deny", trace: { spans: IDS } }]);
  });
});
