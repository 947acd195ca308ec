/** The driver without a wire: an RPC that keeps what is written to it. Frames and HTTP/2 are in `server.test.ts`. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { ExchangeRecord } from "../../src/core/exchange/record.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import type { HeaderList } from "../../src/core/mcp/headers.ts";
import { createExtProc, EXT_PROC_PATH } from "../../src/grpc/ext-proc.ts";
import type { ExtProcOptions } from "../../src/grpc/ext-proc.ts";
import { BODY_SEND_MODE, decodeProcessingResponse, encodeProcessingRequest } from "../../src/grpc/protos.ts";
import type { ProcessingResponse, SentRequest } from "../../src/grpc/protos.ts";
import { Load } from "../../src/grpc/load.ts";
import type { LoadOptions } from "../../src/grpc/load.ts";
import type { FrameHandler, Handler, Rpc } from "../../src/grpc/rpc.ts";
import { STATUS_CODE } from "../../src/grpc/status.ts";
import type { Status } from "../../src/grpc/status.ts";
import type { PolicySet } from "../../src/core/policy/policy-set.ts";
import { createLatest } from "../../src/policies/latest.ts";
import type { Latest } from "../../src/policies/latest.ts";
import { utf8 } from "../fixtures/bytes.ts";
import { judged } from "../judge/judged.ts";
import { batch, notification, request, result, toolsCall } from "../fixtures/messages.ts";
import { allow, compiled, deny, FROM_READER, policyDocument, serverDocument } from "../fixtures/policies.ts";
import { extProcOptions } from "../fixtures/services.ts";
import { countOpen } from "../../src/telemetry/meter.ts";
import type { OpenExchange } from "../../src/telemetry/meter.ts";

const FROM_WRITER = { serviceAccount: { namespace: "agents", name: "writer" } };
const POLICIES = compiled([
  serverDocument("everything", [{ path: "/mcp" }], { batches: "judge" }),
  serverDocument("other", [{ path: "/other" }]),
  policyDocument(
    "p",
    [
      allow("readers", FROM_READER, { tools: ["echo"] }),
      allow("writers", FROM_WRITER, { tools: ["echo"] }),
      deny("no-cancel", FROM_WRITER, { methods: ["notifications/cancelled"] }),
    ],
    { targets: ["everything", "other"] },
  ),
]).policies;

/** One RPC of Envoy's: what was written to it, and how it ended. */
class Stream implements Rpc {
  readonly path = EXT_PROC_PATH;
  readonly written: ProcessingResponse[] = [];
  status: Status | undefined;
  #on: FrameHandler | undefined;

  constructor(handler: Handler) {
    judged(handler)(this);
  }

  frames(on: FrameHandler): void {
    this.#on = on;
  }

  write(message: Uint8Array): void {
    this.written.push(decodeProcessingResponse(message));
  }

  end(status: Status): void {
    this.status ??= status;
  }

  send(...messages: readonly SentRequest[]): this {
    for (const message of messages) if (this.status === undefined) this.#on?.message(encodeProcessingRequest(message));
    return this;
  }

  /** Envoy sends no more. */
  finish(): this {
    this.#on?.end();
    return this;
  }

  /** The stream is over, for whatever reason. */
  close(): void {
    this.#on?.release?.();
    this.#on?.closed();
  }
}

type Started = {
  readonly handler: Handler;
  readonly records: ExchangeRecord[];
  readonly load: Load;
  readonly overloads: () => number;
};

type More = Partial<ExtProcOptions & Omit<LoadOptions, "onRefused">>;

function start({ maxStreams = 10, maxHeldBytes = 2 ** 30, isAudited = () => true, ...more }: More = {}): Started {
  const records: ExchangeRecord[] = [];
  let overloads = 0;
  const load = new Load({ maxStreams, maxHeldBytes, isAudited, onRefused: () => void overloads++ });
  const telemetry = { record: (one: ExchangeRecord) => void records.push(one) };
  const handler = createExtProc(extProcOptions(POLICIES, { telemetry, load, ...more }));
  return { handler, records, load, overloads: () => overloads };
}

type Asking = {
  readonly caller?: string;
  readonly session?: string;
  readonly path?: string;
  readonly isDuplex?: boolean;
  /** A GET for the stream of a session, which is resumed after that event. */
  readonly resumes?: string;
};

const headersOf = (list: HeaderList) => ({
  headers: list.map(([key, value]) => ({ key, rawValue: Buffer.from(value, "latin1") })),
});

function requestHeaders(asking: Asking = {}): SentRequest {
  const { caller = "reader", session, path = "/mcp", isDuplex = false, resumes } = asking;
  const headers: HeaderList = [
    [":method", resumes === undefined ? "POST" : "GET"],
    [":path", path],
    resumes === undefined ? ["content-type", "application/json"] : ["last-event-id", resumes],
    ...(session === undefined ? [] : [["mcp-session-id", session] as const]),
  ];
  const [requestBodyMode, responseBodyMode] = isDuplex
    ? [BODY_SEND_MODE.FULL_DUPLEX_STREAMED, BODY_SEND_MODE.FULL_DUPLEX_STREAMED]
    : [BODY_SEND_MODE.BUFFERED, BODY_SEND_MODE.STREAMED];
  return {
    request: "requestHeaders",
    requestHeaders: { headers: headersOf(headers), endOfStream: resumes !== undefined },
    attributes: {
      "envoy.filters.http.ext_proc": {
        fields: {
          "connection.mtls": { kind: "boolValue", boolValue: true },
          "connection.uri_san_peer_certificate": {
            kind: "stringValue",
            stringValue: `spiffe://cluster.local/ns/agents/sa/${caller}`,
          },
        },
      },
    },
    protocolConfig: { requestBodyMode, responseBodyMode },
  };
}
const requestBody = (body: string, endOfStream = true): SentRequest => ({
  request: "requestBody",
  requestBody: { body: utf8(body), endOfStream },
});
const REQUEST_TRAILERS: SentRequest = { request: "requestTrailers", requestTrailers: {} };
const EVENTS: SentRequest = {
  request: "responseHeaders",
  responseHeaders: {
    headers: headersOf([
      [":status", "200"],
      ["content-type", "text/event-stream"],
    ]),
    endOfStream: false,
  },
};
const ACCEPTED: SentRequest = {
  request: "responseHeaders",
  responseHeaders: { headers: headersOf([[":status", "202"]]), endOfStream: true },
};
const RESPONSE_TRAILERS: SentRequest = { request: "responseTrailers", responseTrailers: {} };
const responseBody = (body: string, endOfStream = true): SentRequest => ({
  request: "responseBody",
  responseBody: { body: utf8(body), endOfStream },
});

const JSON_ANSWER: SentRequest = {
  request: "responseHeaders",
  responseHeaders: {
    headers: headersOf([
      [":status", "200"],
      ["content-type", "application/json"],
    ]),
    endOfStream: false,
  },
};

describe("createExtProc() while the clock on the wall jumps", () => {
  const DAY_MS = 86_400_000;
  const NOON = Date.UTC(2026, 6, 1, 12);

  /** One call that is allowed and answered, and one that is not; time goes by between any two messages. */
  function play(jump: () => void) {
    const { handler, records } = start();
    const script = (tool: string) => [
      requestHeaders(),
      requestBody(toolsCall(tool)),
      JSON_ANSWER,
      responseBody(result({}, 1)),
    ];
    const streams = ["echo", "other"].map((tool) => {
      const stream = new Stream(handler);
      for (const message of script(tool)) {
        stream.send(message);
        jump();
      }
      stream.close();
      return { written: stream.written, status: stream.status };
    });
    return {
      streams,
      records: records.map((one) => ({ ...one, startedAtMs: 0, durationMs: 0, decidedMs: 0 })),
      times: records,
    };
  }

  test.each([
    ["back", -DAY_MS],
    ["forth", DAY_MS],
  ])("%s, a day with each message: decides the same, and measures what has gone by", (_way, jumpMs) => {
    const still = play(() => {});
    vi.useFakeTimers({ toFake: ["Date"], now: NOON });
    onTestFinished(() => void vi.useRealTimers());
    const jumping = play(() => vi.setSystemTime(Date.now() + jumpMs));
    expect(jumping.streams).toEqual(still.streams);
    expect(jumping.records).toEqual(still.records);
    expect(jumping.times.map(({ startedAtMs }) => startedAtMs)).toEqual([NOON, NOON + 4 * jumpMs]);
    // The other went nowhere.
    expect(jumping.times.map(({ decidedMs }) => decidedMs)).toEqual([expect.any(Number), undefined]);
    for (const { durationMs, decidedMs = 0 } of jumping.times) {
      expect(decidedMs).toBeGreaterThanOrEqual(0);
      expect(durationMs).toBeGreaterThanOrEqual(decidedMs);
      expect(durationMs).toBeLessThan(DAY_MS);
    }
  });
});

describe("createExtProc() with as much held as may be", () => {
  test("takes no other exchange on, and lets those go on that are open", () => {
    const { handler, load, overloads } = start({ maxHeldBytes: 20 });
    const answer = result({}, 1);
    const open = new Stream(handler).send(requestHeaders(), requestBody(toolsCall("echo")), JSON_ANSWER);
    open.send(responseBody(answer.slice(0, 19), false));
    expect([load.heldBytes, new Stream(handler).status]).toEqual([19, undefined]);
    open.send(responseBody(answer.slice(19, 25), false));
    expect(new Stream(handler).status).toEqual({
      code: STATUS_CODE.RESOURCE_EXHAUSTED,
      message: "more than 20 bytes are held",
    });
    open.send(responseBody(answer.slice(25)));
    expect([load.heldBytes, overloads(), new Stream(handler).status]).toEqual([0, 1, undefined]);
  });

  test("counts events and requests that are not whole, and forgets those of a stream that is over", () => {
    const { handler, load } = start();
    const events = new Stream(handler).send(requestHeaders(), requestBody(toolsCall("echo")), EVENTS);
    events.send(responseBody("data: 1", false));
    expect(load.heldBytes).toBe(7);
    const half = new Stream(handler).send(requestHeaders({ isDuplex: true }), requestBody("{", false));
    expect([load.heldBytes, load.streams]).toEqual([8, 2]);
    events.close();
    half.close();
    expect([load.heldBytes, load.streams]).toEqual([0, 0]);
  });
});

test("createExtProc() takes nothing on while the decision log is required and not kept", () => {
  let isKept = false;
  const { handler } = start({ isAudited: () => isKept });
  expect(new Stream(handler).status?.message).toBe("the decision log cannot be written, and is required");
  isKept = true;
  expect(new Stream(handler).status).toBeUndefined();
});

describe("createExtProc() with as many streams open as may be", () => {
  test("keeps no place for one that has failed at its begin, or at its end", () => {
    let policies = (): typeof POLICIES => {
      throw new Error("at the begin");
    };
    let record = (): void => {};
    const { handler, load } = start({
      policies: { get: () => policies(), subscribe: () => ({ [Symbol.dispose]() {} }) },
      telemetry: { record: () => record() },
    });
    expect(() => new Stream(handler)).toThrow("at the begin");
    expect(load.streams).toBe(0);
    policies = () => POLICIES;
    record = () => {
      throw new Error("at the end");
    };
    const stream = new Stream(handler).send(requestHeaders(), requestBody(toolsCall("echo")));
    expect(load.streams).toBe(1);
    expect(() => stream.close()).toThrow("at the end");
    expect(load.streams).toBe(0);
  });

  test("ends one more with RESOURCE_EXHAUSTED, says so, and reads nothing of it", () => {
    const { handler, overloads, records } = start({ maxStreams: 2 });
    const [one, two] = [new Stream(handler), new Stream(handler)];
    expect([one.status, two.status, overloads()]).toEqual([undefined, undefined, 0]);
    const three = new Stream(handler);
    expect(three.status).toEqual({
      code: STATUS_CODE.RESOURCE_EXHAUSTED,
      message: "more than 2 exchanges are open",
    });
    three.send(requestHeaders(), requestBody(toolsCall("other")));
    expect([three.written, records, overloads()]).toEqual([[], [], 1]);
  });

  test("takes another one as soon as one is closed, and not before", () => {
    const { handler, overloads } = start({ maxStreams: 1 });
    const one = new Stream(handler);
    // Ended by us, but not yet gone.
    one.send(requestHeaders(), requestBody(toolsCall("other")));
    expect(one.status?.code).toBe(STATUS_CODE.OK);
    expect(new Stream(handler).status?.code).toBe(STATUS_CODE.RESOURCE_EXHAUSTED);
    one.close();
    const next = new Stream(handler);
    expect([next.status, overloads()]).toEqual([undefined, 1]);
    next.send(requestHeaders(), requestBody(toolsCall("echo")));
    expect(next.written).toHaveLength(2);
  });

  test("does not count one that it has refused, when that is closed", () => {
    const { handler, overloads } = start({ maxStreams: 1 });
    const one = new Stream(handler);
    for (let i = 0; i < 3; i++) new Stream(handler).close();
    expect([new Stream(handler).status?.code, overloads()]).toEqual([STATUS_CODE.RESOURCE_EXHAUSTED, 4]);
    one.close();
    expect(new Stream(handler).status).toBeUndefined();
  });

  test("counts streams that end in whatever way", () => {
    const { handler } = start({ maxStreams: 1 });
    for (const end of [
      (stream: Stream) => stream.finish(),
      (stream: Stream) => stream.send(requestHeaders()),
      (stream: Stream) => stream.send(requestHeaders(), requestBody("{")),
      (stream: Stream) => expect(() => stream.send(requestBody("{}"))).toThrow(),
    ]) {
      const stream = new Stream(handler);
      expect(stream.status).toBeUndefined();
      end(stream);
      stream.close();
    }
    expect(new Stream(handler).status).toBeUndefined();
  });
});

describe("notifications/cancelled", () => {
  const CALL = request("tools/call", { name: "echo" }, 7);
  const cancel = (requestId: unknown = 7): string => notification("notifications/cancelled", { requestId });
  type Step = { readonly body?: string; readonly asking?: Asking };

  /** How a call ends whose stream ends without an answer, when this was sent in the meantime. */
  function ends(call: Step, ...meantime: readonly Step[]): string | undefined {
    const { handler, records } = start();
    const stream = new Stream(handler).send(requestHeaders(call.asking), requestBody(call.body ?? CALL), EVENTS);
    for (const { asking, body = cancel() } of meantime) {
      const other = new Stream(handler).send(requestHeaders(asking), requestBody(body));
      other.close();
    }
    const before = records.length;
    stream.send(responseBody(""));
    stream.close();
    expect(records).toHaveLength(before + 1);
    return records.at(-1)?.outcome.kind;
  }

  test("of the same caller, session and server turns a missing answer into a cancelled call", () => {
    expect(ends({})).toBe("transport_error");
    expect(ends({}, {})).toBe("cancelled");
    const asking = { session: "s" };
    expect(ends({ asking }, { asking })).toBe("cancelled");
  });

  test.each<readonly [string, Step, Step]>([
    ["another session", { asking: { session: "s" } }, { asking: { session: "t" } }],
    ["no session", { asking: { session: "s" } }, {}],
    ["another caller", {}, { asking: { caller: "writer" } }],
    ["another server", {}, { asking: { path: "/other" } }],
    ["another id", {}, { body: cancel(8) }],
    ["an id of another type", {}, { body: cancel("7") }],
    ["no id", {}, { body: notification("notifications/cancelled") }],
    ["another notification", {}, { body: notification("notifications/progress", { requestId: 7 }) }],
  ])("of %s does not", (_, call, meantime) => {
    expect(ends(call, meantime)).toBe("transport_error");
  });

  test("that is denied does not", () => {
    const asking = { caller: "writer" };
    expect(ends({ asking }, { asking })).toBe("transport_error");
  });

  test("in a batch does, and of a call in a batch", () => {
    const other = request("ping", {}, 8);
    expect(ends({}, { body: batch(cancel(), notification("notifications/initialized")) })).toBe("cancelled");
    const { handler, records } = start();
    const stream = new Stream(handler).send(requestHeaders(), requestBody(batch(CALL, other)), EVENTS);
    new Stream(handler).send(requestHeaders(), requestBody(cancel(8)));
    stream.send(responseBody(""));
    expect(records.map(({ method, outcome }) => [method, outcome.kind])).toEqual([
      ["tools/call", "transport_error"],
      ["ping", "cancelled"],
    ]);
  });

  test("does not change how a call has ended that was answered", () => {
    const { handler, records } = start();
    const stream = new Stream(handler).send(requestHeaders(), requestBody(CALL), EVENTS);
    new Stream(handler).send(requestHeaders(), requestBody(cancel()));
    stream.send(responseBody(`data: ${result({}, 7)}\n\n`));
    expect(records.at(-1)?.outcome.kind).toBe("ok");
  });

  test("is about the call that waits, not about one that has ended with the same id", () => {
    const { handler, records } = start();
    const first = new Stream(handler).send(requestHeaders(), requestBody(CALL), EVENTS);
    const second = new Stream(handler).send(requestHeaders(), requestBody(CALL), EVENTS);
    first.send(responseBody(`data: ${result({}, 7)}\n\n`)).close();
    new Stream(handler).send(requestHeaders(), requestBody(cancel()));
    second.send(responseBody(""));
    expect(records.map(({ outcome }) => outcome.kind)).toEqual(["ok", "cancelled"]);
  });

  test("is on record with the server's receipt", () => {
    const { handler, records } = start();
    const stream = new Stream(handler).send(requestHeaders(), requestBody(cancel()));
    expect(records).toEqual([]);
    stream.send(ACCEPTED);
    expect(records.map(({ method, outcome }) => [method, outcome.kind])).toEqual([
      ["notifications/cancelled", "unread"],
    ]);
    expect(stream.status?.code).toBe(STATUS_CODE.OK);
  });

  test("is heard in full duplex as well", () => {
    const { handler, records } = start();
    const asking = { isDuplex: true };
    const stream = new Stream(handler).send(requestHeaders(asking), requestBody(CALL.slice(0, 9), false));
    stream.send(requestBody(CALL.slice(9)), EVENTS);
    new Stream(handler).send(requestHeaders(asking), requestBody(cancel()));
    stream.send(responseBody(""));
    expect(records.at(-1)?.outcome.kind).toBe("cancelled");
  });

  test("is heard in full duplex when the request ends with trailers", () => {
    const { handler, records } = start();
    const asking = { isDuplex: true };
    const stream = new Stream(handler).send(requestHeaders(asking), requestBody(CALL, false), REQUEST_TRAILERS, EVENTS);
    new Stream(handler).send(requestHeaders(asking), requestBody(cancel(), false), REQUEST_TRAILERS);
    stream.send(responseBody(""));
    expect(records.at(-1)?.outcome.kind).toBe("cancelled");
  });
});

describe("the records of a stream", () => {
  test("come once each, as soon as each call has ended", () => {
    const { handler, records } = start();
    const bodies = [toolsCall("echo"), request("tools/call", { name: "x" }, 2), request("ping", {}, 3)];
    const stream = new Stream(handler).send(requestHeaders(), requestBody(batch(...bodies)));
    const seen = (): unknown[] => records.map(({ target, method, outcome }) => [target?.name ?? method, outcome.kind]);
    expect(seen()).toEqual([["x", "denied"]]);
    stream.send(EVENTS, responseBody(`data: ${result({}, 3)}\n\n`, false));
    expect(seen()).toEqual([
      ["x", "denied"],
      ["ping", "ok"],
    ]);
    stream.close();
    stream.close();
    expect(seen()).toEqual([
      ["x", "denied"],
      ["ping", "ok"],
      ["echo", "cancelled"],
    ]);
  });

  test("are none of a stream that is over before a decision", () => {
    const { handler, records } = start();
    new Stream(handler).send(requestHeaders()).close();
    new Stream(handler).close();
    expect(records).toEqual([]);
  });
});

describe("the end of Envoy's messages", () => {
  const call = (more: readonly SentRequest[]): Stream =>
    new Stream(start().handler).send(requestHeaders(), requestBody(toolsCall("echo")), ...more);

  test("is UNAVAILABLE while anything is owed, and never OK", () => {
    for (const messages of [[], [EVENTS], [EVENTS, responseBody("data", false)]])
      expect(call(messages).finish().status?.code).toBe(STATUS_CODE.UNAVAILABLE);
    expect(new Stream(start().handler).finish().status?.code).toBe(STATUS_CODE.UNAVAILABLE);
    const duplex = new Stream(start({ unmatched: "pass" }).handler).send(
      requestHeaders({ path: "/elsewhere", isDuplex: true }),
      requestBody("x", false),
    );
    expect(duplex.finish().status?.code).toBe(STATUS_CODE.UNAVAILABLE);
  });

  test("comes after OK when all of the answer has been read", () => {
    expect(call([EVENTS, responseBody("")]).status?.code).toBe(STATUS_CODE.OK);
  });
});

describe("policies that change", () => {
  const NOTHING = compiled([serverDocument("everything", [{ path: "/mcp" }])]).policies;

  test("end the streams of what they take back with an error, and of nothing else", () => {
    const policies = createLatest(POLICIES);
    const { handler, records } = start({ policies });
    const open = new Stream(handler).send(requestHeaders(), requestBody(toolsCall("echo")), EVENTS);
    const awaited = new Stream(handler).send(requestHeaders());
    const over = new Stream(handler).send(
      requestHeaders(),
      requestBody(toolsCall("echo")),
      EVENTS,
      responseBody(`data: ${result({})}\n\n`),
    );
    policies.set(POLICIES);
    expect(open.status).toBeUndefined();
    policies.set(NOTHING);
    expect(open.status?.code).toBe(STATUS_CODE.PERMISSION_DENIED);
    expect(over.status?.code).toBe(STATUS_CODE.OK);
    expect(awaited.status).toBeUndefined();
    awaited.send(requestBody(toolsCall("echo")));
    expect(awaited.written.at(-1)).toMatchObject({ immediateResponse: {} });
    for (const stream of [open, awaited, over]) stream.close();
    expect(records.map(({ outcome, answerFault }) => [outcome.kind, answerFault?.reason])).toEqual([
      ["ok", undefined],
      ["denied", undefined],
      ["transport_error", "not-granted"],
    ]);
  });

  test("are none of a stream's that has closed", () => {
    const policies = createLatest(POLICIES);
    const stream = new Stream(start({ policies }).handler).send(requestHeaders(), requestBody(toolsCall("echo")));
    stream.close();
    policies.set(NOTHING);
    expect(stream.status).toBeUndefined();
  });
});

describe("the meter", () => {
  const SERVER = "tools/everything";
  const ANSWER = `data: ${result({})}\n\n`;

  type Metered = Started & {
    readonly told: string[];
    readonly open: () => { readonly calls: number; readonly streams: number };
    readonly size: () => number;
  };

  function meter(more: More = {}): Metered {
    const told: string[] = [];
    const open = new Set<OpenExchange>();
    const started = start({
      ...more,
      meter: {
        open,
        processed: (phase, ms) => void told.push(`${phase} ${ms >= 0 && ms < 60_000}`),
        streamEvents: (server, count) => void told.push(`${server} ${count} events`),
        streamEnded: (server, how) => void told.push(`${server} ${how}`),
        streamResumed: (server) => void told.push(`${server} resumed`),
      },
    });
    const counted = () => countOpen(open, performance.now()).get(SERVER) ?? { calls: 0, streams: 0 };
    return {
      ...started,
      told,
      open: () => ({ calls: counted().calls, streams: counted().streams }),
      size: () => open.size,
    };
  }
  const streams = ({ told }: Metered): readonly string[] => told.filter((what) => what.startsWith(SERVER));

  test("has a call in flight from the decision to its answer, and no call that is refused or gets none", () => {
    const metered = meter();
    const { handler, open } = metered;
    const call = new Stream(handler).send(requestHeaders());
    expect(open()).toEqual({ calls: 0, streams: 0 });
    call.send(requestBody(toolsCall("echo")));
    expect(open()).toEqual({ calls: 1, streams: 0 });
    new Stream(handler).send(requestHeaders(), requestBody(toolsCall("other")));
    new Stream(handler).send(requestHeaders(), requestBody(notification("notifications/initialized")));
    expect(open()).toEqual({ calls: 1, streams: 0 });
    call.send(JSON_ANSWER, responseBody(result({})));
    expect(open()).toEqual({ calls: 0, streams: 0 });
  });

  test("has no call in flight whose answer was none", () => {
    const { handler, open, size } = meter();
    const headers = headersOf([[":status", "500"]]);
    new Stream(handler).send(requestHeaders(), requestBody(toolsCall("echo")), {
      request: "responseHeaders",
      responseHeaders: { headers, endOfStream: true },
    });
    expect([open(), size()]).toEqual([{ calls: 0, streams: 0 }, 1]);
  });

  test("has each call of a batch in flight until its own answer has come", () => {
    const { handler, open } = meter();
    const calls = batch(toolsCall("echo"), request("ping", {}, 2), notification("notifications/initialized"));
    const stream = new Stream(handler).send(requestHeaders(), requestBody(calls), EVENTS);
    expect(open()).toEqual({ calls: 2, streams: 1 });
    stream.send(responseBody(`data: ${result({}, 2)}\n\n`, false));
    expect(open()).toEqual({ calls: 1, streams: 1 });
  });

  test("counts the events that a client sees, and how long it has been since anything came", () => {
    const metered = meter();
    const stream = new Stream(metered.handler).send(requestHeaders(), requestBody(toolsCall("echo")), EVENTS);
    const progress = `data: ${notification("notifications/progress", { progressToken: 1, progress: 1 })}\n\n`;
    stream.send(responseBody(`: ping\n\n${progress}${progress}data`, false), responseBody(`: {}\n\n${ANSWER}`));
    expect(streams(metered)).toEqual([`${SERVER} 2 events`, `${SERVER} 2 events`, `${SERVER} complete`]);
  });

  const ASKED = [requestHeaders(), requestBody(toolsCall("echo"))];
  const TOO_LARGE = `data: ${"x".repeat(DEFAULT_LIMITS.maxEventBytes + 1)}`;
  test.each<readonly [string, string, (metered: Metered & { policies: Latest<PolicySet> }, stream: Stream) => void]>([
    ["its server ends it", "complete", (_, stream) => void stream.send(responseBody(ANSWER)).finish()],
    ["it ends with trailers", "complete", (_, stream) => void stream.send(RESPONSE_TRAILERS).finish()],
    ["Envoy says no more", "cancelled", (_, stream) => void stream.finish()],
    ["Envoy resets the gRPC stream", "cancelled", () => {}],
    ["policies take it back", "revoked", ({ policies }) => policies.set(compiled([]).policies)],
    ["an event is too large", "broken-off", (_, stream) => void stream.send(responseBody(TOO_LARGE, false))],
    [
      "a message is none of Envoy's",
      "failed",
      (_, stream) => expect(() => stream.send(requestBody("{}"))).toThrow("after the decision"),
    ],
  ])("says how a stream has ended, and has nothing open any more, when %s", (_title, how, end) => {
    const policies = createLatest(POLICIES);
    const metered = { ...meter({ policies }), policies };
    const stream = new Stream(metered.handler).send(...ASKED, EVENTS);
    expect([metered.open(), metered.size()]).toEqual([{ calls: 1, streams: 1 }, 1]);
    end(metered, stream);
    stream.close();
    expect(streams(metered).filter((what) => !what.endsWith("events"))).toEqual([`${SERVER} ${how}`]);
    expect([metered.open(), metered.size()]).toEqual([{ calls: 0, streams: 0 }, 0]);
  });

  test.each<readonly [string, readonly SentRequest[]]>([
    ["before anything came", []],
    ["while the body is awaited", [requestHeaders()]],
    ["before the answer", ASKED],
    ["within the answer", [...ASKED, JSON_ANSWER, responseBody("{", false)]],
    ["after a refusal", [requestHeaders(), requestBody("{")]],
  ])("has nothing open of an exchange that is closed %s", (_title, messages) => {
    const metered = meter();
    const stream = new Stream(metered.handler).send(...messages);
    expect(metered.size()).toBe(1);
    stream.close();
    expect([metered.size(), streams(metered)]).toEqual([0, []]);
  });

  test("counts a request that goes on where its client has lost a stream, once whatever policies do", () => {
    const policies = createLatest(POLICIES);
    const metered = meter({ policies });
    const stream = new Stream(metered.handler).send(requestHeaders({ resumes: "event-7" }), EVENTS);
    policies.set({ ...POLICIES });
    expect(metered.open()).toEqual({ calls: 0, streams: 1 });
    stream.send(responseBody("data: {}\n\n", false));
    expect(streams(metered)).toEqual([`${SERVER} resumed`, `${SERVER} 1 events`]);
  });

  test("has our own time of each message that was answered, by phase", () => {
    const { handler, told } = meter();
    new Stream(handler).send(...ASKED, JSON_ANSWER, responseBody(result({})));
    expect(told).toEqual(["requestHeaders true", "requestBody true", "responseHeaders true", "responseBody true"]);
  });
});

describe("a record", () => {
  test("has the sizes of the bodies as they came, and of a batch once", () => {
    const { handler, records } = start();
    const answer = `data: ${result({})}\n\n`;
    new Stream(handler).send(
      requestHeaders({ isDuplex: true }),
      requestBody(toolsCall("echo").slice(0, 10), false),
      requestBody(toolsCall("echo").slice(10)),
      EVENTS,
      responseBody(answer.slice(0, 5), false),
      responseBody(answer.slice(5), false),
    );
    new Stream(handler).send(requestHeaders(), requestBody(toolsCall("other")));
    const both = batch(toolsCall("other"), request("tools/call", { name: "no" }, 2));
    new Stream(handler).send(requestHeaders(), requestBody(both));
    expect(records.map(({ sizes }) => sizes)).toEqual([
      { requestBytes: toolsCall("echo").length, responseBytes: answer.length },
      { requestBytes: toolsCall("other").length, responseBytes: undefined },
      { requestBytes: both.length, responseBytes: undefined },
      undefined,
    ]);
  });

  test("has what the client says of itself, if it was let through", () => {
    const { handler, records } = start();
    const initialize = request("initialize", {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "inspector", version: "1.2.3" },
    });
    new Stream(handler).send(requestHeaders(), requestBody(initialize)).close();
    new Stream(handler).send(requestHeaders({ caller: "nobody" }), requestBody(initialize)).close();
    new Stream(handler).send(requestHeaders(), requestBody(toolsCall("echo"))).close();
    expect(records.map(({ client }) => client)).toEqual([
      { name: "inspector", version: "1.2.3" },
      undefined,
      undefined,
    ]);
  });
});
