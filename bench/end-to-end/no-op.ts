/**
 * A program: what any external processor on our transport costs. It says CONTINUE to each message without reading it, in
 * the same order and number as Toolgate: once with the answer read to its end, once decided only. So what is left between
 * it and Toolgate is ours. It ends with its stdin.
 */
import { createGrpcServer } from "../../src/grpc/server.ts";
import { EXT_PROC_PATH } from "../../src/grpc/ext-proc.ts";
import { BODY_SEND_MODE, encodeProcessingResponse, HEADER_SEND_MODE } from "../../src/grpc/protos.ts";
import type { Handler } from "../../src/grpc/rpc.ts";
import { OK } from "../../src/grpc/status.ts";

const REQUEST = [encodeProcessingResponse({ requestHeaders: {} }), encodeProcessingResponse({ requestBody: {} })];
const READ_ANSWER = encodeProcessingResponse({
  responseHeaders: { response: { headerMutation: { removeHeaders: ["content-length"] } } },
  modeOverride: {
    requestHeaderMode: HEADER_SEND_MODE.SEND,
    responseHeaderMode: HEADER_SEND_MODE.SEND,
    requestBodyMode: BODY_SEND_MODE.BUFFERED,
    responseBodyMode: BODY_SEND_MODE.STREAMED,
    requestTrailerMode: HEADER_SEND_MODE.SKIP,
    responseTrailerMode: HEADER_SEND_MODE.SEND,
  },
});
const PASS_BODY = encodeProcessingResponse({ responseBody: {} });

/** `body`: the answer to each further message, up to that with the end of the answer; undefined: there is none. */
const sayContinue =
  (answers: readonly Uint8Array[], body: Uint8Array | undefined): Handler =>
  (rpc) => {
    let next = 0;
    rpc.frames({
      message(bytes) {
        const answer = answers[next++] ?? body;
        if (answer !== undefined) rpc.write(answer);
        if (body === undefined ? next === answers.length : next > answers.length && isLastBody(bytes)) rpc.end(OK);
      },
      end: () => rpc.end(OK),
      closed() {},
    });
  };

/** `ProcessingRequest.response_body`, which comes first, and what ends it: `HttpBody.end_of_stream`, true. */
const RESPONSE_BODY = (5 << 3) | 2;
const [END_OF_STREAM, TRUE] = [(2 << 3) | 0, 1];

/** INVARIANT: the upstream's answers are text, which neither of the last two bytes can be part of. */
function isLastBody(bytes: Uint8Array): boolean {
  if (bytes[0] !== RESPONSE_BODY) return false;
  let length = 0;
  let at = 1;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  const end = at + length;
  return bytes[end - 2] === END_OF_STREAM && bytes[end - 1] === TRUE;
}

const onFault = (fault: unknown): void => void process.stderr.write(`no-op: ${String(fault)}\n`);

async function serve(...answers: Parameters<typeof sayContinue>): Promise<number> {
  const handlers = new Map([[EXT_PROC_PATH, sayContinue(...answers)]]);
  const server = createGrpcServer({ handlers, maxMessageBytes: 2 ** 24, onFault });
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  return "port" in address ? address.port : 0;
}

const ports = [await serve([...REQUEST, READ_ANSWER], PASS_BODY), await serve(REQUEST, undefined)];
process.stdout.write(`${JSON.stringify(ports)}\n`);
process.stdin.resume().on("end", () => process.exit());
