/** grpc: frames, protobuf and its mapping, for the messages of one tool call. */
import { DEFAULT_LIMITS } from "../src/core/limits.ts";
import { stepExchange, beginExchange } from "../src/core/exchange/exchange.ts";
import type { Reply } from "../src/core/exchange/reply.ts";
import { compiled } from "../test/fixtures/policies.ts";
import { FrameReader, toFrame } from "../src/grpc/frame.ts";
import { BODY_SEND_MODE, decodeProcessingRequest, encodeProcessingRequest } from "../src/grpc/protos.ts";
import type { Struct, StructValue } from "../src/grpc/struct.ts";
import { encodeReply, toEvent } from "../src/grpc/wire.ts";
import { TOOL_RESULT } from "./documents.ts";
import { CALL } from "./end-to-end/messages.ts";
import { REQUEST_HEADERS } from "./exchange.bench.ts";
import type { Micro } from "./micro.ts";
import { ISSUER, platformPolicies } from "./policies.ts";

const text = (stringValue: string): StructValue => ({ kind: "stringValue", stringValue });
const struct = (fields: Struct["fields"]): Struct => ({ fields });
const header = ([key, value]: readonly [string, string]) => ({ key, rawValue: Buffer.from(value) });
const options = { jwtPayloadKey: "payload", trust: { workload: "peer", trustDomain: "cluster.local" } } as const;

/** What Envoy adds to every message: the claims of the token that it has verified. */
const metadataContext = {
  filterMetadata: {
    "envoy.filters.http.jwt_authn": struct({
      payload: {
        kind: "structValue",
        structValue: struct({
          iss: text(ISSUER),
          sub: text("reader"),
          aud: text("toolgate-demo"),
          role: text("reader"),
          exp: { kind: "numberValue", numberValue: 1_790_000_000 },
        }),
      },
    }),
  },
};
/** And to the first one: the attributes of `envoy-config/demo.yaml`. */
const attributes = {
  "envoy.filters.http.ext_proc": struct({
    "connection.mtls": { kind: "boolValue", boolValue: false },
    "source.address": text("127.0.0.1:51234"),
    "xds.route_name": text("mcp"),
    "request.id": text("6d2f7b5e-9d3c-4b53-9d22-2f1b7ad0c8f1"),
  }),
};
const encode = (request: Parameters<typeof encodeProcessingRequest>[0]): Buffer =>
  Buffer.from(encodeProcessingRequest(request));

export const HEADERS = encode({
  requestHeaders: { headers: { headers: REQUEST_HEADERS.map(header) }, endOfStream: false },
  attributes,
  metadataContext,
  protocolConfig: { requestBodyMode: BODY_SEND_MODE.BUFFERED },
});
const body = { requestBody: { body: Buffer.from(CALL.body), endOfStream: true } };
export const BODY = encode(body);
const BODY_AGAIN = encode({ ...body, metadataContext });
const profile = { requests: "buffered", answers: "override" } as const;
const read = (bytes: Buffer) => toEvent(decodeProcessingRequest(bytes), { profile, isAnswerBegun: false }, options);
/** Two more messages: what the server answers. */
export const ANSWER: readonly Buffer[] = [
  encode({
    responseHeaders: {
      headers: { headers: [header([":status", "200"]), header(["content-type", "application/json"])] },
      endOfStream: false,
    },
    metadataContext,
  }),
  encode({ responseBody: { body: Buffer.from(TOOL_RESULT), endOfStream: true }, metadataContext }),
];

function permitReply(): Reply {
  const { policies } = compiled(platformPolicies());
  let exchange = beginExchange({ policies, unmatched: "refuse", limits: DEFAULT_LIMITS, sha256: () => "" });
  let reply: Reply | undefined;
  for (const event of [read(HEADERS), read(BODY)]) {
    if (event?.kind === "requestHeaders" || event?.kind === "requestBody")
      [exchange, reply] = stepExchange(exchange, event);
  }
  if (reply?.kind !== "requestBody") throw new Error("the call must be let through");
  return reply;
}

const permit = permitReply();
const whole = toFrame(HEADERS);
const [begin, rest] = [whole.subarray(0, 200), whole.subarray(200)];
let lastBytes = 0;
const reader = new FrameReader(2 ** 24, (message) => void (lastBytes = message.length));
const feed = (...chunks: readonly Buffer[]): number => {
  for (const chunk of chunks) reader.feed(chunk);
  return lastBytes;
};

export const grpcBenches: readonly Micro[] = [
  { name: "decode the request's headers", bytes: HEADERS.length, run: () => decodeProcessingRequest(HEADERS) },
  { name: "  with the mapping to an event", bytes: HEADERS.length, run: () => read(HEADERS) },
  { name: "decode a body and map it", bytes: BODY.length, run: () => read(BODY) },
  { name: "the same with the metadata Envoy repeats", bytes: BODY_AGAIN.length, run: () => read(BODY_AGAIN) },
  { name: "map the permit and encode it", run: () => encodeReply(permit, profile) },
  { name: "a frame that comes whole", bytes: whole.length, run: () => feed(whole) },
  { name: "a frame that is cut", bytes: whole.length, run: () => feed(begin, rest) },
  { name: "one frame put together", run: () => toFrame(BODY) },
];
