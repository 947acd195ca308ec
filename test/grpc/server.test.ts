/** The server against two clients: `@grpc/grpc-js`, and bare HTTP/2 for what a well-behaved client cannot do. */
import { EventEmitter, once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { connect as connectHttp2, constants } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { connect as connectSocket, createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { afterEach, describe, expect, test, vi } from "vitest";
import { FrameReader, toFrame } from "../../src/grpc/frame.ts";
import type { Handler, Rpc } from "../../src/grpc/rpc.ts";
import { createGrpcServer } from "../../src/grpc/server.ts";
import type { GrpcAddress, GrpcServer } from "../../src/grpc/server.ts";
import { OK, STATUS_CODE, StatusError } from "../../src/grpc/status.ts";
import { until } from "../fixtures/until.ts";

const MAX_MESSAGE_BYTES = 100_000;
const PATH = "/test.Service/Method";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  vi.useRealTimers();
});

type Started = { server: GrpcServer; url: string; target: string; faults: unknown[] };

async function start(handler: Handler, address: GrpcAddress = { host: "127.0.0.1", port: 0 }): Promise<Started> {
  const faults: unknown[] = [];
  const handlers = new Map([[PATH, handler]]);
  const server = createGrpcServer({
    handlers,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    onFault: (fault) => faults.push(fault),
  });
  cleanups.push(() => server.close());
  const bound = await server.listen(address);
  if (!("port" in bound)) return { server, url: "", target: `unix:${bound.path}`, faults };
  return { server, url: `http://127.0.0.1:${bound.port}`, target: `127.0.0.1:${bound.port}`, faults };
}

/** Sends every message back, and ends with OK when the client has ended. */
const echo: Handler = (rpc) =>
  rpc.frames({ message: (bytes) => rpc.write(bytes), end: () => rpc.end(OK), closed: () => {} });

/** The same, with a count of the messages. */
function countingEcho(closed: () => void = () => {}): { handler: Handler; taken: () => number } {
  let count = 0;
  const message = (rpc: Rpc, bytes: Uint8Array): void => {
    count += 1;
    rpc.write(bytes);
  };
  return {
    handler: (rpc) => rpc.frames({ message: (bytes) => message(rpc, bytes), end: () => rpc.end(OK), closed }),
    taken: () => count,
  };
}

/** Does nothing, and says on `seen` what it is told: "start", "message", "end", "closed". */
function recorder(): { handler: Handler; calls: string[]; rpcs: Rpc[]; seen: EventEmitter } {
  const [calls, rpcs, seen]: [string[], Rpc[], EventEmitter] = [[], [], new EventEmitter()];
  const note = (call: string): void => {
    calls.push(call);
    seen.emit(call);
  };
  const handler: Handler = (rpc) => {
    rpcs.push(rpc);
    rpc.frames({ message: () => note("message"), end: () => note("end"), closed: () => note("closed") });
    note("start");
  };
  return { handler, calls, rpcs, seen };
}

const same = (bytes: Buffer): Buffer => bytes;

function grpcClient(target: string): grpc.Client {
  const client = new grpc.Client(target, grpc.credentials.createInsecure());
  cleanups.push(() => client.close());
  return client;
}

function bidi(
  client: grpc.Client,
  path = PATH,
  options: grpc.CallOptions = {},
): grpc.ClientDuplexStream<Buffer, Buffer> {
  return client.makeBidiStreamRequest(path, same, same, new grpc.Metadata(), options);
}

/** All that came, and how it ended. */
async function outcome(
  call: grpc.ClientDuplexStream<Buffer, Buffer>,
): Promise<{ texts: string[]; code: number; details: string }> {
  const texts: string[] = [];
  call.on("data", (bytes: Buffer) => texts.push(String(bytes)));
  call.on("error", () => {});
  // Not once(), which takes the error that comes with a status for its own.
  const status = await new Promise<grpc.StatusObject>((resolve) => void call.once("status", resolve));
  return { texts, code: status.code, details: status.details };
}

async function http2Client(url: string, settings = {}): Promise<ClientHttp2Session> {
  // Node's 10 MB would count what a flooding test has not sent yet, and end the stream.
  const session = connectHttp2(url, { settings, maxSessionMemory: 100 });
  session.on("error", () => {});
  cleanups.push(() => session.destroy());
  await once(session, "connect");
  return session;
}

function open(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": PATH,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  stream.on("error", () => {});
  return stream;
}

/** Not once(), which would throw when the stream was reset. */
const gone = (stream: ClientHttp2Stream): Promise<void> => new Promise((resolve) => void stream.once("close", resolve));

/** Reads a bare stream to its end: headers, messages, and the trailers unless they were the headers. */
async function answer(
  stream: ClientHttp2Stream,
): Promise<{ headers: IncomingHttpHeaders; texts: string[]; trailers: IncomingHttpHeaders }> {
  let [headers, trailers]: [IncomingHttpHeaders, IncomingHttpHeaders] = [{}, {}];
  const texts: string[] = [];
  const reader = new FrameReader(MAX_MESSAGE_BYTES, (bytes) => texts.push(String(bytes)));
  stream.on("response", (received) => (headers = received));
  stream.on("trailers", (received) => (trailers = received));
  stream.on("data", (chunk: Buffer) => reader.feed(chunk));
  await gone(stream);
  return { headers, texts, trailers };
}

const literal = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);

/** HTTP/2 frames by hand on stream 1, for a reset as Envoy sends it: Node's own client ends its half before every reset. */
async function rawStream(url: string): Promise<{ data: (message: Buffer) => void; reset: (rstCode: number) => void }> {
  const socket = connectSocket(Number(new URL(url).port), "127.0.0.1");
  cleanups.push(() => socket.destroy());
  socket.on("error", () => {});
  socket.resume();
  await once(socket, "connect");
  const frame = (type: number, flags: number, id: number, payload: Buffer): void => {
    const head = Buffer.from([0, 0, 0, type, flags, 0, 0, 0, id]);
    head.writeUIntBE(payload.length, 0, 3);
    socket.write(Buffer.concat([head, payload]));
  };
  const pseudo = { ":method": "POST", ":scheme": "http", ":authority": "test", ":path": PATH };
  const headers = { ...pseudo, "content-type": "application/grpc" };
  const block = Object.entries(headers).flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]);
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  frame(0x4, 0, 0, Buffer.alloc(0)); // SETTINGS
  frame(0x1, 0x4, 1, Buffer.concat(block)); // HEADERS, END_HEADERS
  return {
    data: (message) => frame(0x0, 0, 1, toFrame(message)),
    reset: (rstCode) => frame(0x3, 0, 1, Buffer.from([0, 0, 0, rstCode])),
  };
}

const code = (value: keyof typeof STATUS_CODE): string => String(STATUS_CODE[value]);

describe("messages", () => {
  test("come back to a foreign client in order, and the RPC ends with the handler's status", async () => {
    const { target } = await start(echo);
    const call = bidi(grpcClient(target));
    for (const text of ["one", "", "three"]) call.write(Buffer.from(text));
    call.end();
    expect(await outcome(call)).toEqual({ texts: ["one", "", "three"], code: grpc.status.OK, details: "" });
  });

  test("of the largest size pass, and the next larger one ends the RPC with RESOURCE_EXHAUSTED", async () => {
    const { target } = await start(echo);
    const client = grpcClient(target);
    const largest = bidi(client);
    largest.end(Buffer.alloc(MAX_MESSAGE_BYTES, "x"));
    expect((await outcome(largest)).texts).toEqual(["x".repeat(MAX_MESSAGE_BYTES)]);
    const larger = bidi(client);
    larger.end(Buffer.alloc(MAX_MESSAGE_BYTES + 1));
    const { code: status, details } = await outcome(larger);
    expect(status).toBe(grpc.status.RESOURCE_EXHAUSTED);
    expect(details).toBe("the message has 100001 bytes, and this server takes at most 100000");
  });

  test("arrive whole when each byte comes in a DATA frame of its own", async () => {
    const { url } = await start(echo);
    const stream = open(await http2Client(url));
    const answered = answer(stream);
    for (const byte of Buffer.concat([toFrame(Buffer.from("one")), toFrame(Buffer.from("two"))])) {
      stream.write(Buffer.from([byte]));
      await nextTurn();
    }
    stream.end();
    const { texts, trailers } = await answered;
    expect(texts).toEqual(["one", "two"]);
    expect(trailers["grpc-status"]).toBe(code("OK"));
  });

  test("that are compressed end the RPC with UNIMPLEMENTED", async () => {
    const { url } = await start(echo);
    const stream = open(await http2Client(url));
    stream.end(Buffer.from([1, 0, 0, 0, 0]));
    expect((await answer(stream)).headers["grpc-status"]).toBe(code("UNIMPLEMENTED"));
  });

  test("that are cut off by the client's end are an error, and not the end of the client's messages", async () => {
    const { handler, calls } = recorder();
    const { url } = await start(handler);
    const stream = open(await http2Client(url));
    stream.end(toFrame(Buffer.from("hello")).subarray(0, 7));
    const { headers } = await answer(stream);
    expect(headers["grpc-status"]).toBe(code("INTERNAL"));
    expect(calls).not.toContain("end");
  });

  test("after the handler has ended the RPC are not handed on, even from the same chunk", async () => {
    let messages = 0;
    const { url } = await start((rpc) =>
      rpc.frames({
        message() {
          messages += 1;
          rpc.write(Buffer.from("first"));
          rpc.end(OK);
          rpc.write(Buffer.from("too late"));
          rpc.end({ code: STATUS_CODE.INTERNAL, message: "too late" });
        },
        end() {},
        closed() {},
      }),
    );
    const stream = open(await http2Client(url));
    stream.end(Buffer.concat([toFrame(Buffer.from("a")), toFrame(Buffer.from("b"))]));
    const { texts, trailers } = await answer(stream);
    expect(messages).toBe(1);
    expect(texts).toEqual(["first"]);
    expect(trailers["grpc-status"]).toBe(code("OK"));
  });
});

describe("status", () => {
  test("is UNIMPLEMENTED for a method that no handler has", async () => {
    const { target } = await start(echo);
    const call = bidi(grpcClient(target), "/test.Service/Other");
    call.end();
    const { code: status, details } = await outcome(call);
    expect(status).toBe(grpc.status.UNIMPLEMENTED);
    expect(details).toContain("/test.Service/Other");
  });

  test("without a message is one HEADERS frame", async () => {
    const { url } = await start((rpc) => rpc.end(OK));
    const stream = open(await http2Client(url));
    stream.end();
    const { headers, trailers } = await answer(stream);
    expect(headers).toMatchObject({ ":status": 200, "content-type": "application/grpc", "grpc-status": "0" });
    expect(trailers).toEqual({});
  });

  test("is INTERNAL with a fixed message when the handler throws, and the fault is reported", async () => {
    const fault = new Error("secret");
    const { target, faults } = await start(() => {
      throw fault;
    });
    const call = bidi(grpcClient(target));
    const { code: status, details } = await outcome(call);
    expect(status).toBe(grpc.status.INTERNAL);
    expect(details).not.toContain("secret");
    expect(faults).toEqual([fault]);
  });

  test.each(["message", "end"] as const)(
    "is INTERNAL when `%s` throws, also after an answer was sent",
    async (where) => {
      const { target, faults } = await start((rpc) => {
        const fail = (): void => {
          rpc.write(Buffer.from("answer"));
          throw new TypeError("secret");
        };
        rpc.frames({
          message: where === "message" ? fail : () => {},
          end: where === "end" ? fail : () => {},
          closed() {},
        });
      });
      const call = bidi(grpcClient(target));
      call.end(Buffer.from("question"));
      const { texts, code: status } = await outcome(call);
      expect(texts).toEqual(["answer"]);
      expect(status).toBe(grpc.status.INTERNAL);
      expect(faults).toHaveLength(1);
    },
  );

  test("is the one of a StatusError that was thrown, which is no fault", async () => {
    const { target, faults } = await start(() => {
      throw new StatusError(STATUS_CODE.FAILED_PRECONDITION, "Größe: 100 % \n☃");
    });
    const { code: status, details } = await outcome(bidi(grpcClient(target)));
    expect(status).toBe(grpc.status.FAILED_PRECONDITION);
    expect(details).toBe("Größe: 100 % \n☃");
    expect(faults).toEqual([]);
  });

  test("stays with the client when `closed` throws, and the fault is reported", async () => {
    const { promise: reported, resolve } = Promise.withResolvers<unknown>();
    const server = createGrpcServer({
      handlers: new Map([
        [
          PATH,
          (rpc: Rpc) =>
            rpc.frames({
              message() {},
              end: () => rpc.end(OK),
              closed() {
                throw new Error("in closed");
              },
            }),
        ],
      ]),
      maxMessageBytes: MAX_MESSAGE_BYTES,
      onFault: resolve,
    });
    cleanups.push(() => server.close());
    const bound = await server.listen({ host: "127.0.0.1", port: 0 });
    const call = bidi(grpcClient(`127.0.0.1:${"port" in bound ? bound.port : 0}`));
    call.end();
    expect((await outcome(call)).code).toBe(grpc.status.OK);
    expect(await reported).toEqual(new Error("in closed"));
  });
});

describe("requests that are no gRPC", () => {
  test.each([
    [405, { ":method": "GET" }],
    [415, { "content-type": "application/json" }],
    [415, { "content-type": "application/grpc-web" }],
  ])("get HTTP %i: %o", async (httpStatus, headers) => {
    const { url } = await start(echo);
    const stream = open(await http2Client(url), headers);
    stream.end();
    expect((await answer(stream)).headers[":status"]).toBe(httpStatus);
  });

  test.each(["application/grpc+proto", "application/grpc;charset=utf-8"])(
    "are not those with content-type %s",
    async (type) => {
      const { url } = await start(echo);
      const stream = open(await http2Client(url), { "content-type": type });
      stream.end();
      expect((await answer(stream)).headers["grpc-status"]).toBe(code("OK"));
    },
  );

  test("and no HTTP/2 either cost their own connection and nothing else", async () => {
    const { url, target } = await start(echo);
    const socket = connectSocket(Number(new URL(url).port), "127.0.0.1");
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    socket.resume();
    await once(socket, "close");
    const call = bidi(grpcClient(target));
    call.end();
    expect((await outcome(call)).code).toBe(grpc.status.OK);
  });
});

describe("deadline", () => {
  test("ends the RPC with DEADLINE_EXCEEDED, and the handler is told that it is closed", async () => {
    const { handler, calls } = recorder();
    const { url } = await start(handler);
    const stream = open(await http2Client(url), { "grpc-timeout": "20m" });
    expect((await answer(stream)).headers["grpc-status"]).toBe(code("DEADLINE_EXCEEDED"));
    expect(calls).toEqual(["start", "closed"]);
  });

  test("of a foreign client closes the RPC", async () => {
    const { handler, seen, calls } = recorder();
    const { target } = await start(handler);
    const closed = once(seen, "closed");
    const client = grpcClient(target);
    // What has not been sent when its deadline is over would not be sent at all.
    await new Promise((resolve) => client.waitForReady(Infinity, resolve));
    const call = bidi(client, PATH, { deadline: Date.now() + 500 });
    expect((await outcome(call)).code).toBe(grpc.status.DEADLINE_EXCEEDED);
    await closed;
    expect(calls.at(-1)).toBe("closed");
  });

  test("far away is no deadline that has passed", async () => {
    const { url } = await start(echo);
    const stream = open(await http2Client(url), { "grpc-timeout": "99999999H" });
    stream.write(toFrame(Buffer.from("still here")));
    await once(stream, "data");
    stream.end();
    expect((await answer(stream)).trailers["grpc-status"]).toBe(code("OK"));
  });

  test("that cannot be read ends the RPC with INVALID_ARGUMENT before its handler runs", async () => {
    const { handler, calls } = recorder();
    const { url } = await start(handler);
    const stream = open(await http2Client(url), { "grpc-timeout": "5 minutes" });
    const { headers } = await answer(stream);
    expect(headers["grpc-status"]).toBe(code("INVALID_ARGUMENT"));
    expect(calls).toEqual([]);
  });
});

describe("a message that is not whole", () => {
  async function startHolding() {
    const deltas: number[] = [];
    const held = (): number => deltas.reduce((sum, delta) => sum + delta, 0);
    const server = createGrpcServer({
      handlers: new Map([[PATH, echo]]),
      maxMessageBytes: MAX_MESSAGE_BYTES,
      onFault: () => {},
      onHeld: (delta) => void deltas.push(delta),
    });
    cleanups.push(() => server.close());
    const bound = await server.listen({ host: "127.0.0.1", port: 0 });
    const session = await http2Client(`http://127.0.0.1:${"port" in bound ? bound.port : 0}`);
    return { held, session };
  }
  const frame = toFrame(Buffer.alloc(50_000));

  test("is held until it is", async () => {
    const { held, session } = await startHolding();
    const stream = open(session);
    stream.write(frame.subarray(0, 100));
    await until(() => expect(held()).toBe(50_000));
    stream.write(frame.subarray(100));
    await until(() => expect(held()).toBe(0));
  });

  test("is held until its stream is closed", async () => {
    const { held, session } = await startHolding();
    const streams = [open(session), open(session)];
    for (const stream of streams) stream.write(frame.subarray(0, 100));
    await until(() => expect(held()).toBe(100_000));
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    await until(() => expect(held()).toBe(0));
  });
});

describe("a client that goes away", () => {
  test("by cancelling is `closed` to the handler, once, and no fault", async () => {
    const { handler, rpcs, seen, calls } = recorder();
    const { target, faults } = await start(handler);
    const call = bidi(grpcClient(target));
    call.on("error", () => {});
    call.write(Buffer.from("a"));
    await once(seen, "message");
    call.cancel();
    await once(seen, "closed");
    rpcs[0]?.write(Buffer.from("nobody reads this"));
    rpcs[0]?.end(OK);
    await nextTurn();
    expect(calls.filter((name) => name === "closed")).toHaveLength(1);
    expect(calls.at(-1)).toBe("closed");
    expect(faults).toEqual([]);
  });

  test.each([constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_INTERNAL_ERROR, constants.NGHTTP2_CANCEL])(
    "by RST_STREAM with code %i is `closed` and never `end`",
    async (rstCode) => {
      const { handler, seen, calls } = recorder();
      const { url, faults } = await start(handler);
      const stream = await rawStream(url);
      stream.data(Buffer.from("a"));
      await once(seen, "message");
      stream.reset(rstCode);
      await once(seen, "closed");
      expect(calls).toEqual(["start", "message", "closed"]);
      expect(faults).toEqual([]);
    },
  );

  test("with its connection closes every RPC on it", async () => {
    const { handler, seen, calls } = recorder();
    const { url, faults } = await start(handler);
    const session = await http2Client(url);
    const started = Promise.all([1, 2, 3].map(() => once(seen, "start")));
    for (let i = 0; i < 3; i++) open(session).write(toFrame(Buffer.from("a")));
    await started;
    while (calls.filter((call) => call === "message").length < 3) await nextTurn();
    session.destroy();
    while (calls.filter((call) => call === "closed").length < 3) await nextTurn();
    expect(faults).toEqual([]);
  });

  test("without closing its half after an OK is let go after a while", async () => {
    vi.useFakeTimers({ toFake: ["setInterval"] });
    const { handler, seen, rpcs } = recorder();
    const { url } = await start(handler);
    const stream = open(await http2Client(url));
    stream.write(toFrame(Buffer.from("a")));
    await once(seen, "message");
    const ended = once(stream, "end");
    rpcs[0]?.end(OK);
    stream.resume();
    await ended;
    const closed = once(seen, "closed");
    vi.advanceTimersByTime(20_000);
    await expect(closed).resolves.toEqual([]);
  });
});

describe("many streams", () => {
  test("are open at once on one connection", async () => {
    const STREAMS = 1_000;
    const { handler, seen, rpcs, calls } = recorder();
    const { target } = await start(handler);
    const client = grpcClient(target);
    const streams = Array.from({ length: STREAMS }, () => bidi(client));
    const outcomes = Promise.all(streams.map(outcome));
    for (const [index, call] of streams.entries()) call.write(Buffer.from(String(index)));
    while (calls.filter((call) => call === "message").length < STREAMS) await once(seen, "message");
    expect(rpcs).toHaveLength(STREAMS);
    expect(calls).not.toContain("closed");
    for (const rpc of rpcs) {
      rpc.write(Buffer.from("hello"));
      rpc.end(OK);
    }
    for (const { texts, code: status } of await outcomes) {
      expect(texts).toEqual(["hello"]);
      expect(status).toBe(grpc.status.OK);
    }
  });

  test("that the client resets right away do not cost the connection", async () => {
    const RESETS = 3_000;
    const { promise: allClosed, resolve } = Promise.withResolvers<void>();
    let closed = 0;
    const { url } = await start((rpc) =>
      rpc.frames({
        message: (bytes) => rpc.write(bytes),
        end: () => rpc.end(OK),
        closed() {
          closed += 1;
          if (closed === RESETS + 1) resolve();
        },
      }),
    );
    const session = await http2Client(url);
    for (let i = 0; i < RESETS; i++) {
      const stream = open(session);
      stream.write(toFrame(Buffer.from("a")));
      stream.once("response", () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
      // As many in flight as Envoy may have; all at once would wait in the client's own queue.
      if (i % 50 === 49) await gone(stream);
    }
    const last = open(session);
    last.end(toFrame(Buffer.from("still there")));
    const { texts, trailers } = await answer(last);
    expect(texts).toEqual(["still there"]);
    expect(trailers["grpc-status"]).toBe(code("OK"));
    await allClosed;
    expect(session.closed).toBe(false);
  });
});

/** When the server has taken some messages, and takes no more. */
async function stuck(taken: () => number): Promise<number> {
  let before = 0;
  while (before === 0 || before !== taken()) {
    before = taken();
    await sleep(200);
  }
  return before;
}

describe("back-pressure", () => {
  const MESSAGE = Buffer.alloc(16_000, "x");
  const MESSAGES = 2_000;

  test("a client that does not read is not read, and gets every answer when it does", async () => {
    const { handler, taken } = countingEcho();
    const { url } = await start(handler);
    const stream = open(await http2Client(url, { initialWindowSize: 65_535 }));
    stream.pause();
    for (let i = 0; i < MESSAGES; i++) stream.write(toFrame(MESSAGE));
    const stuckAt = await stuck(taken);
    // The client's window, our write buffer and one chunk: far less than a tenth of the 32 MB.
    expect(stuckAt).toBeLessThan(MESSAGES / 10);
    stream.end();
    stream.resume();
    const { texts, trailers } = await answer(stream);
    expect(texts).toHaveLength(MESSAGES);
    expect(trailers["grpc-status"]).toBe(code("OK"));
  });

  test("does not hold up the other streams of the connection", async () => {
    const { handler, taken } = countingEcho();
    const { url } = await start(handler);
    const session = await http2Client(url, { initialWindowSize: 65_535 });
    const flooding = open(session);
    flooding.pause();
    for (let i = 0; i < MESSAGES; i++) flooding.write(toFrame(MESSAGE));
    await stuck(taken);
    const other = open(session);
    other.end(toFrame(Buffer.from("through")));
    expect((await answer(other)).texts).toEqual(["through"]);
  });

  test.each([constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_CANCEL])(
    "a stream that is paused is closed by RST_STREAM with code %i",
    async (rstCode) => {
      const { promise: closed, resolve } = Promise.withResolvers<void>();
      const { handler, taken } = countingEcho(resolve);
      const { url } = await start(handler);
      const stream = await rawStream(url);
      // 640 kB: more than the 64 KiB window that we never open again, less than the server's own.
      for (let i = 0; i < 40; i++) stream.data(MESSAGE);
      expect(await stuck(taken)).toBeLessThan(40);
      stream.reset(rstCode);
      await closed;
    },
  );
});

describe("drain()", () => {
  test("lets open RPCs end as they like, and resolves then", async () => {
    const { handler, seen, rpcs } = recorder();
    const { server, target } = await start(handler);
    const call = bidi(grpcClient(target));
    const ended = outcome(call);
    call.write(Buffer.from("a"));
    await once(seen, "message");
    const drained = server.drain(60_000);
    await nextTurn();
    rpcs[0]?.write(Buffer.from("in time"));
    rpcs[0]?.end(OK);
    expect(await ended).toMatchObject({ texts: ["in time"], code: grpc.status.OK });
    await drained;
  });

  test("takes no new stream on an open connection, nor a new connection", async () => {
    const { handler, seen, rpcs } = recorder();
    const { server, url } = await start(handler);
    const session = await http2Client(url);
    open(session)
      .resume()
      .end(toFrame(Buffer.from("a")));
    await once(seen, "message");
    const goaway = once(session, "goaway");
    const drained = server.drain(60_000);
    await goaway;
    const refused = open(session);
    await gone(refused);
    expect(refused.errored).toMatchObject({ code: "ERR_HTTP2_GOAWAY_SESSION" });
    const [error] = (await once(connectHttp2(url), "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNREFUSED");
    expect(rpcs).toHaveLength(1);
    rpcs[0]?.end(OK);
    await drained;
  });

  test("ends what is left with UNAVAILABLE", async () => {
    const { handler, seen, calls } = recorder();
    const { server, target } = await start(handler);
    const call = bidi(grpcClient(target));
    const ended = outcome(call);
    call.write(Buffer.from("a"));
    await once(seen, "message");
    await server.drain(1);
    expect(await ended).toMatchObject({ code: grpc.status.UNAVAILABLE, details: "the server is stopping" });
    expect(calls).toEqual(["start", "message", "closed"]);
  });

  test("resets a stream whose client does not read, and never ends it with OK", async () => {
    const { handler, seen, rpcs } = recorder();
    const { server, url } = await start(handler);
    const session = await http2Client(url, { initialWindowSize: 1_000 });
    const stream = open(session);
    stream.pause();
    stream.write(toFrame(Buffer.from("a")));
    await once(seen, "message");
    rpcs[0]?.write(Buffer.alloc(50_000));
    rpcs[0]?.end(OK);
    const trailers = vi.fn<() => void>();
    stream.on("trailers", trailers);
    const closed = gone(stream);
    await server.drain(1);
    stream.resume();
    await closed;
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect(trailers).not.toHaveBeenCalled();
  });

  test("resolves for a server that never listened, and a second time", async () => {
    const never = createGrpcServer({ handlers: new Map(), maxMessageBytes: 1, onFault: () => {} });
    await expect(never.drain(60_000)).resolves.toBeUndefined();
    const { server } = await start(echo);
    await Promise.all([server.drain(60_000), server.drain(60_000), server.close()]);
    await expect(server.drain(60_000)).resolves.toBeUndefined();
  });

  test("is cut short by close()", async () => {
    const { handler, seen } = recorder();
    const { server, target } = await start(handler);
    const call = bidi(grpcClient(target));
    const ended = outcome(call);
    call.write(Buffer.from("a"));
    await once(seen, "message");
    const drained = server.drain(3_600_000);
    await server.close();
    await drained;
    expect((await ended).code).toBe(grpc.status.UNAVAILABLE);
  });
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "toolgate-"));
  cleanups.push(() => rm(path, { recursive: true }));
  return path;
}

describe("listen()", () => {
  test("takes a socket path", async () => {
    const path = join(await folder(), "socket");
    const { target } = await start(echo, { path });
    const call = bidi(grpcClient(target));
    call.end(Buffer.from("a"));
    expect(await outcome(call)).toMatchObject({ texts: ["a"], code: grpc.status.OK });
  });

  test("replaces a socket that nobody serves any more", async () => {
    const path = join(await folder(), "socket");
    const killed = createSocketServer().listen(`${path}.old`);
    await once(killed, "listening");
    await rename(`${path}.old`, path); // Its close() removes the file only where it made it.
    killed.close();
    await once(killed, "close");
    const { target } = await start(echo, { path });
    const call = bidi(grpcClient(target));
    call.end();
    expect((await outcome(call)).code).toBe(grpc.status.OK);
  });

  test("leaves a socket that is served, and a file that is no socket", async () => {
    const path = join(await folder(), "socket");
    await start(echo, { path });
    await expect(start(echo, { path })).rejects.toThrow("EADDRINUSE");
    const file = join(await folder(), "file");
    await writeFile(file, "mine");
    await expect(start(echo, { path: file })).rejects.toThrow("EADDRINUSE");
  });

  test("says it when the port is taken", async () => {
    const { url } = await start(echo);
    const port = Number(new URL(url).port);
    await expect(start(echo, { host: "127.0.0.1", port })).rejects.toThrow("EADDRINUSE");
  });
});
