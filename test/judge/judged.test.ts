/** That the judge of all tests finds what it is there for. */
import { expect, test } from "vitest";
import { EXT_AUTHZ_PATH } from "../../src/grpc/ext-authz.ts";
import { EXT_PROC_PATH } from "../../src/grpc/ext-proc.ts";
import {
  BODY_SEND_MODE,
  encodeCheckResponse,
  encodeProcessingRequest,
  encodeProcessingResponse,
} from "../../src/grpc/protos.ts";
import type { ProcessingResponse, SentRequest } from "../../src/grpc/protos.ts";
import type { FrameHandler } from "../../src/grpc/rpc.ts";
import { OK, STATUS_CODE } from "../../src/grpc/status.ts";
import { judged, VIOLATION, violations } from "./judged.ts";

const HEADERS: SentRequest = { request: "requestHeaders", requestHeaders: { headers: null, endOfStream: false } };
const BODY: SentRequest = { request: "requestBody", requestBody: { body: Buffer.from("{}"), endOfStream: true } };
const ANSWER: SentRequest = { request: "responseHeaders", responseHeaders: { headers: null, endOfStream: true } };
const IN_PIECES: SentRequest = {
  ...HEADERS,
  protocolConfig: {
    requestBodyMode: BODY_SEND_MODE.FULL_DUPLEX_STREAMED,
    responseBodyMode: BODY_SEND_MODE.FULL_DUPLEX_STREAMED,
  },
};

const decided = (method: string): Pick<ProcessingResponse, "dynamicMetadata"> => ({
  dynamicMetadata: {
    fields: {
      toolgate: {
        kind: "structValue",
        structValue: { fields: { method: { kind: "stringValue", stringValue: method } } },
      },
    },
  },
});
const ON: ProcessingResponse = { requestHeaders: {} };
const MAY_GO_ON: ProcessingResponse = { requestBody: {}, ...decided("tools/call") };
const REFUSED: ProcessingResponse = { immediateResponse: { status: { code: 403 } } };
const piece = (endOfStream: boolean): ProcessingResponse => ({
  requestBody: { response: { bodyMutation: { streamedResponse: { body: Buffer.from("{}"), endOfStream } } } },
});

/** A message of Envoy's, an answer of ours, or our end of the stream. */
type Step = SentRequest | ProcessingResponse | "OK" | "an error";

const isMessage = (step: SentRequest | ProcessingResponse): step is SentRequest => "request" in step;

/** The rule that is broken by the last step; none of the others may break any. */
function brokenBy(...steps: readonly Step[]): string | undefined {
  let on: FrameHandler | undefined;
  const said: (() => void)[] = [];
  judged((rpc) => {
    rpc.frames({ message() {}, end() {}, closed() {} });
    for (const step of steps)
      said.push(() => {
        if (step === "OK") rpc.end(OK);
        else if (step === "an error") rpc.end({ code: STATUS_CODE.INTERNAL, message: "" });
        else if (isMessage(step)) on?.message(encodeProcessingRequest(step));
        else rpc.write(encodeProcessingResponse(step));
      });
  })({ path: EXT_PROC_PATH, frames: (frames) => void (on = frames), write() {}, end() {} });
  for (const step of said.slice(0, -1)) step();
  try {
    said.at(-1)?.();
  } catch {
    return violations.splice(0).join();
  }
  return undefined;
}

test.each<readonly [string, readonly Step[]]>([
  ["OK without an answer to requestBody", [HEADERS, ON, BODY, "OK"]],
  ["OK without an answer to responseHeaders", [HEADERS, ON, BODY, MAY_GO_ON, ANSWER, "OK"]],
  ["OK without a decision", [HEADERS, ON, "OK"]],
  ["OK without a decision", ["OK"]],
  ["OK before the answer to a list", [HEADERS, ON, BODY, { requestBody: {}, ...decided("tools/list") }, "OK"]],
  ["OK before the end of requestBody", [IN_PIECES, { ...ON, ...decided("tools/call") }, BODY, piece(false), "OK"]],
  ["an answer to requestBody, which is owed none", [HEADERS, ON, BODY, MAY_GO_ON, MAY_GO_ON]],
  ["an answer to requestHeaders, which is owed none", [HEADERS, ON, ON]],
  ["a piece of requestBody, which is not open", [HEADERS, ON, BODY, piece(true)]],
  ["a piece of requestBody, which is not open", [IN_PIECES, ON, BODY, piece(true), piece(true)]],
  ["an answer after a local reply", [HEADERS, REFUSED, REFUSED]],
])("%s is found", (rule, steps) => {
  expect(brokenBy(...steps)).toBe(`${VIOLATION} ${rule}`);
});

test.each<readonly [string, readonly Step[]]>([
  ["an allowed call that is not read to its end", [HEADERS, ON, BODY, MAY_GO_ON, "OK"]],
  ["a denied one", [HEADERS, ON, BODY, REFUSED, "OK"]],
  ["one in pieces", [IN_PIECES, BODY, { ...ON, ...decided("tools/call") }, piece(false), piece(true), "OK"]],
  ["one that Envoy has answered", [HEADERS, ON, ANSWER, { responseHeaders: {} }, "OK"]],
  ["one that fails with an answer owed", [HEADERS, "an error"]],
])("%s is in order", (_title, steps) => {
  expect(brokenBy(...steps)).toBeUndefined();
});

test("ext_authz is owed one answer", () => {
  const answer = encodeCheckResponse({
    status: { code: STATUS_CODE.OK },
    okResponse: { headers: [], headersToRemove: [] },
    dynamicMetadata: { fields: {} },
  });
  const rpc = { path: EXT_AUTHZ_PATH, frames() {}, write() {}, end() {} };
  expect(() => judged((one) => one.end(OK))(rpc)).toThrow(VIOLATION);
  expect(() => judged((one) => [one.write(answer), one.write(answer)])(rpc)).toThrow(VIOLATION);
  expect(violations.splice(0)).toHaveLength(2);
  judged((one) => [one.write(answer), one.end(OK)])(rpc);
});
