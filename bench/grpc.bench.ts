/** What gRPC costs a message: codecs of `src/grpc/protos.ts` and frames of `src/grpc/frame.ts`. */
import { bench, do_not_optimize, run, summary } from "mitata";
import { FrameReader, toFrame } from "../src/grpc/frame.ts";
import {
  BODY_SEND_MODE,
  decodeProcessingRequest,
  encodeProcessingRequest,
  encodeProcessingResponse,
} from "../src/grpc/protos.ts";

const bytes = (text: string): Buffer => Buffer.from(text);
const headers = {
  ":method": "POST",
  ":path": "/mcp",
  ":scheme": "https",
  ":authority": "everything.tools.svc.cluster.local",
  accept: "application/json, text/event-stream",
  "accept-encoding": "gzip, br",
  authorization: `Bearer ${"a".repeat(400)}`,
  "cache-control": "no-cache",
  "content-length": "143",
  "content-type": "application/json",
  "mcp-method": "tools/call",
  "mcp-name": "echo",
  "mcp-protocol-version": "2025-11-25",
  "mcp-session-id": "0f8fad5b-d9cb-469f-a165-70867728950e",
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  "user-agent": "node",
  "x-forwarded-client-cert": "By=spiffe://a.test/b;Hash=0123;URI=spiffe://a.test/ns/agents/sa/reader",
  "x-forwarded-for": "10.1.2.3",
  "x-forwarded-proto": "https",
  "x-request-id": "7f8fad5b-d9cb-469f-a165-70867728950e",
};
const requestHeaders = Buffer.from(
  encodeProcessingRequest({
    requestHeaders: {
      headers: { headers: Object.entries(headers).map(([key, value]) => ({ key, rawValue: bytes(value) })) },
    },
    attributes: {
      "envoy.filters.http.ext_proc": {
        fields: {
          "connection.mtls": { boolValue: true },
          "connection.uri_san_peer_certificate": { stringValue: "spiffe://a.test/ns/agents/sa/reader" },
          "source.address": { stringValue: "10.1.2.3:48274" },
          "xds.route_name": { stringValue: "everything" },
        },
      },
    },
    protocolConfig: { requestBodyMode: BODY_SEND_MODE.BUFFERED },
  }),
);
const requestBody = Buffer.from(
  encodeProcessingRequest({ requestBody: { body: bytes("x".repeat(150)), endOfStream: true } }),
);

summary(() => {
  bench("decode request headers, 20 of them, 4 attributes", () =>
    do_not_optimize(decodeProcessingRequest(requestHeaders)));
  bench("decode request body, 150 bytes", () => do_not_optimize(decodeProcessingRequest(requestBody)));
  bench("encode an answer that changes nothing", () =>
    do_not_optimize(encodeProcessingResponse({ requestBody: { response: {} } })));
  bench("encode an answer with a header, metadata and a mode override", () =>
    do_not_optimize(
      encodeProcessingResponse({
        requestHeaders: {
          response: {
            headerMutation: {
              setHeaders: [{ header: { key: "x-toolgate-tool", rawValue: bytes("echo") } }],
              removeHeaders: ["content-length"],
            },
          },
        },
        dynamicMetadata: { fields: { toolgate: { structValue: { fields: { tool: { stringValue: "echo" } } } } } },
        modeOverride: { responseBodyMode: BODY_SEND_MODE.STREAMED },
      }),
    ));
});

summary(() => {
  const reader = new FrameReader(1_000_000, (message) => do_not_optimize(message));
  const whole = toFrame(requestHeaders);
  const [begin, rest] = [whole.subarray(0, 700), whole.subarray(700)];
  bench("read a frame that comes whole", () => reader.feed(whole));
  bench("read a frame that is cut", () => {
    reader.feed(begin);
    reader.feed(rest);
  });
  bench("write a frame", () => do_not_optimize(toFrame(requestBody)));
});

await run();
