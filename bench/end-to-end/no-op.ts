/**
 * A program: what any external processor on our transport costs. It counts messages and says CONTINUE to each without
 * reading it, in the same order and number as Toolgate: once with the answer read, once decided only. So what is left
 * between it and Toolgate is ours. It ends with its stdin.
 */
import { createGrpcServer } from "../../src/grpc/server.ts";
import { EXT_PROC_PATH } from "../../src/grpc/ext-proc.ts";
import { BODY_SEND_MODE, encodeProcessingResponse, HEADER_SEND_MODE } from "../../src/grpc/protos.ts";
import type { Handler } from "../../src/grpc/rpc.ts";
import { OK } from "../../src/grpc/status.ts";

const REQUEST = [encodeProcessingResponse({ requestHeaders: {} }), encodeProcessingResponse({ requestBody: {} })];
const RESPONSE = [
  encodeProcessingResponse({
    responseHeaders: { response: { headerMutation: { removeHeaders: ["content-length"] } } },
    modeOverride: {
      requestHeaderMode: HEADER_SEND_MODE.SEND,
      responseHeaderMode: HEADER_SEND_MODE.SEND,
      requestBodyMode: BODY_SEND_MODE.BUFFERED,
      responseBodyMode: BODY_SEND_MODE.STREAMED,
      requestTrailerMode: HEADER_SEND_MODE.SKIP,
      responseTrailerMode: HEADER_SEND_MODE.SEND,
    },
  }),
  encodeProcessingResponse({ responseBody: {} }),
];

/** INVARIANT: the upstream's body comes in one piece, so the last of `answers` is the last that is owed. */
const sayContinue =
  (answers: readonly Uint8Array[]): Handler =>
  (rpc) => {
    let next = 0;
    rpc.frames({
      message() {
        const answer = answers[next++];
        if (answer !== undefined) rpc.write(answer);
        if (next >= answers.length) rpc.end(OK);
      },
      end: () => rpc.end(OK),
      closed() {},
    });
  };

const onFault = (fault: unknown): void => void process.stderr.write(`no-op: ${String(fault)}\n`);

async function serve(answers: readonly Uint8Array[]): Promise<number> {
  const handlers = new Map([[EXT_PROC_PATH, sayContinue(answers)]]);
  const server = createGrpcServer({ handlers, maxMessageBytes: 2 ** 24, onFault });
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  return "port" in address ? address.port : 0;
}

const ports = [await serve([...REQUEST, ...RESPONSE]), await serve(REQUEST)];
process.stdout.write(`${JSON.stringify(ports)}\n`);
process.stdin.resume().on("end", () => process.exit());
