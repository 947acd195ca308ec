/** What the meter has open, over a wire that breaks in all the ways that it can. */
import { constants, connect } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { BELIEFS } from "../../src/core/exchange/belief.ts";
import { createExtProc, EXT_PROC_PATH } from "../../src/grpc/ext-proc.ts";
import { toFrame } from "../../src/grpc/frame.ts";
import { encodeProcessingRequest } from "../../src/grpc/protos.ts";
import type { SentRequest } from "../../src/grpc/protos.ts";
import { createGrpcServer } from "../../src/grpc/server.ts";
import type { GrpcServer } from "../../src/grpc/server.ts";
import { countOpen } from "../../src/telemetry/meter.ts";
import type { Telemetry } from "../../src/telemetry/telemetry.ts";
import { utf8 } from "../fixtures/bytes.ts";
import { requestHeaders } from "../fixtures/corpus/wire-peer.ts";
import { result, toolsCall } from "../fixtures/messages.ts";
import { extProcOptions } from "../fixtures/services.ts";
import { create, samples, total } from "../telemetry/samples.ts";
import { allow, compiled, FROM_READER, policyDocument, serverDocument } from "../fixtures/policies.ts";

const READER = "spiffe://cluster.local/ns/agents/sa/reader";
const { policies } = compiled([
  serverDocument("everything", [{ path: "/mcp" }]),
  policyDocument("p", [allow("readers", FROM_READER, { tools: ["echo"] })]),
]);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const headers = requestHeaders(
  {
    headers: [
      [":method", "POST"],
      [":path", "/mcp"],
      ["content-type", "application/json"],
    ],
    body: utf8(toolsCall("echo")),
    trailers: undefined,
    stalls: false,
    conflict: undefined,
    uriSans: [READER],
    jwtPayload: undefined,
    policies,
  },
  "streamed",
);
const body: SentRequest = { request: "requestBody", requestBody: { body: utf8(toolsCall("echo")), endOfStream: true } };
const events: SentRequest = {
  request: "responseHeaders",
  responseHeaders: {
    headers: {
      headers: [
        { key: ":status", rawValue: utf8("200") },
        { key: "content-type", rawValue: utf8("text/event-stream") },
      ],
    },
    endOfStream: false,
  },
};
const answer: SentRequest = {
  request: "responseBody",
  responseBody: { body: utf8(`data: ${result({})}\n\n`), endOfStream: false },
};

type Wire = { readonly server: GrpcServer; readonly session: ClientHttp2Session; readonly stream: ClientHttp2Stream };

const send = (stream: ClientHttp2Stream, ...messages: readonly SentRequest[]): void => {
  for (const message of messages) stream.write(toFrame(encodeProcessingRequest(message)));
};

const throwing: Telemetry = {
  record() {
    throw new Error("the reader is broken");
  },
};

type Broken = { readonly reader?: Telemetry; readonly timeout?: string };

test.each<readonly [string, (wire: Wire) => unknown, Broken]>([
  ["Envoy cancels the stream", ({ stream }) => stream.close(constants.NGHTTP2_CANCEL), {}],
  ["Envoy half-closes it", ({ stream }) => stream.end(), {}],
  ["the connection breaks", ({ session }) => session.destroy(), {}],
  ["the server drains", ({ server }) => server.drain(0), {}],
  ["the server closes", ({ server }) => server.close(), {}],
  ["what comes is no message", ({ stream }) => stream.write(toFrame(utf8("\xff\xff"))), {}],
  ["what comes is not in its place", ({ stream }) => send(stream, body), {}],
  ["a reader of records throws", ({ stream }) => send(stream, answer), { reader: throwing }],
  ["its deadline is over", () => vi.advanceTimersByTime(60_000), { timeout: "60S" }],
])("nothing stays open when %s", async (_title, end, { reader, timeout }) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const metrics = create({ inForce: () => policies });
  const telemetry = reader ?? metrics;
  const extProc = createExtProc(
    extProcOptions(policies, { telemetry, meter: metrics.meter, beliefs: BELIEFS, onMisconfigured: () => {} }),
  );
  const server = createGrpcServer({
    handlers: new Map([[EXT_PROC_PATH, extProc]]),
    maxMessageBytes: 2 ** 22,
    onFault: () => {}, // Made by us.
  });
  cleanups.push(() => server.close());
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  if (!("port" in address)) throw new Error("not a TCP address");
  const session = connect(`http://127.0.0.1:${address.port}`);
  session.on("error", () => {});
  cleanups.push(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": EXT_PROC_PATH,
    "content-type": "application/grpc",
    te: "trailers",
    ...(timeout === undefined ? {} : { "grpc-timeout": timeout }),
  });
  stream.on("error", () => {});
  stream.resume();
  send(stream, headers, body, events);
  const open = () => countOpen(metrics.meter.open, performance.now()).get("tools/everything");
  while (open()?.streams !== 1) await turn();
  expect(open()?.calls).toBe(1);

  const ending = end({ server, session, stream });
  while (metrics.meter.open.size > 0) await turn();
  await ending;
  for (const name of ["toolgate_inflight_requests", "toolgate_active_streams", "toolgate_stream_idle_seconds"])
    expect(await samples(metrics, name)).toEqual([{ labels: { mcp_server: "tools/everything" }, value: 0 }]);
  expect(total(await samples(metrics, "toolgate_streams_ended_total"))).toBe(1);
});
