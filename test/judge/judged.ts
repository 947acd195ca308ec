/**
 * Holds every RPC of the tests to what Envoy may be told (external_processor.proto, processing_mode.proto): one answer to
 * a message, pieces of a body only where one is open, nothing after a local reply, and OK only when nothing is owed. It
 * knows the messages alone, and nothing of how they come about.
 */
import { EXT_AUTHZ_PATH } from "../../src/grpc/ext-authz.ts";
import { EXT_PROC_PATH } from "../../src/grpc/ext-proc.ts";
import { BODY_SEND_MODE, decodeProcessingRequest, decodeProcessingResponse } from "../../src/grpc/protos.ts";
import type { ProcessingRequest, ProcessingResponse } from "../../src/grpc/protos.ts";
import type { Handler } from "../../src/grpc/rpc.ts";
import { STATUS_CODE } from "../../src/grpc/status.ts";

/** What was said against the rules, in this process and until somebody takes it out. */
export const violations: string[] = [];

/** Begins each of them, in the log of a process too. */
export const VIOLATION = "against the protocol:";

interface Judge {
  asked(message: Uint8Array): void;
  answered(message: Uint8Array): void;
  endedOk(): void;
}

/** The same handler; a stream on which it breaks a rule fails, and the violation is noted. */
export const judged =
  (handler: Handler): Handler =>
  (rpc) => {
    const judge = judgeOf(rpc.path);
    if (judge === undefined) return handler(rpc);
    let hasEnded = false;
    handler({
      path: rpc.path,
      frames: (on) =>
        rpc.frames({
          message(bytes) {
            judge.asked(bytes);
            on.message(bytes);
          },
          end: () => on.end(),
          release: () => on.release?.(),
          closed: () => on.closed(),
        }),
      write(bytes) {
        if (!hasEnded) judge.answered(bytes);
        rpc.write(bytes);
      },
      end(status) {
        if (!hasEnded && status.code === STATUS_CODE.OK) judge.endedOk();
        hasEnded = true;
        rpc.end(status);
      },
    });
  };

function judgeOf(path: string): Judge | undefined {
  if (path === EXT_PROC_PATH) return new ExtProcJudge();
  return path === EXT_AUTHZ_PATH ? new ExtAuthzJudge() : undefined;
}

function violated(rule: string): never {
  const violation = `${VIOLATION} ${rule}`;
  violations.push(violation);
  throw new Error(violation);
}

class ExtAuthzJudge implements Judge {
  #answers = 0;

  asked(): void {}

  answered(): void {
    if (++this.#answers > 1) violated("a second answer");
  }

  endedOk(): void {
    if (this.#answers === 0) violated("OK without an answer");
  }
}

type Kind = NonNullable<ProcessingRequest["request"]>;
const KINDS = [
  "requestHeaders",
  "requestBody",
  "requestTrailers",
  "responseHeaders",
  "responseBody",
  "responseTrailers",
] as const satisfies readonly Kind[];

class ExtProcJudge implements Judge {
  /** The messages without an answer. */
  #owed: Kind[] = [];
  /** Bodies in full duplex that have not been sent back to their ends. */
  readonly #open = new Set<Kind>();
  readonly #inPieces = new Set<Kind>();
  /** Envoy was told whether the request may go on, or has answered it itself. */
  #isDecided = false;
  #isReplied = false;
  /** A list was let through, and its answer has not begun. */
  #awaitsList = false;

  asked(message: Uint8Array): void {
    const request = read(message);
    const config = request?.protocolConfig;
    if (config?.requestBodyMode === BODY_SEND_MODE.FULL_DUPLEX_STREAMED) this.#inPieces.add("requestBody");
    if (config?.responseBodyMode === BODY_SEND_MODE.FULL_DUPLEX_STREAMED) this.#inPieces.add("responseBody");
    const kind = request?.request;
    if (kind === undefined) return;
    // Where the headers of answers are not shown, its body begins it.
    if (kind === "responseHeaders" || kind === "responseBody") this.#awaitsList = false;
    if (this.#inPieces.has(kind)) this.#open.add(kind);
    else this.#owed.push(kind);
  }

  answered(message: Uint8Array): void {
    const answer = decodeProcessingResponse(message);
    if (this.#isReplied) violated("an answer after a local reply");
    if ("immediateResponse" in answer) return this.#replied();
    const kind = KINDS.find((one) => one in answer);
    if (kind === undefined) return violated("an answer to nothing");
    if (isPiece(answer)) this.#piece(kind, answer);
    else this.#whole(kind);
    const method = methodOf(answer);
    if (method === undefined) return;
    this.#isDecided = true;
    this.#awaitsList = method.endsWith("/list");
  }

  endedOk(): void {
    if (this.#owed.length > 0) violated(`OK without an answer to ${this.#owed.join()}`);
    if (this.#open.size > 0) violated(`OK before the end of ${[...this.#open].join()}`);
    if (!this.#isDecided) violated("OK without a decision");
    if (this.#awaitsList) violated("OK before the answer to a list");
  }

  #replied(): void {
    this.#owed = [];
    this.#open.clear();
    this.#isReplied = true;
    this.#isDecided = true;
    this.#awaitsList = false;
  }

  #piece(kind: Kind, answer: ProcessingResponse): void {
    if (!this.#open.has(kind)) violated(`a piece of ${kind}, which is not open`);
    if (isPiece(answer, true)) this.#open.delete(kind);
  }

  #whole(kind: Kind): void {
    const at = this.#owed.indexOf(kind);
    if (at === -1) violated(`an answer to ${kind}, which is owed none`);
    this.#owed.splice(at, 1);
    if (kind === "requestTrailers") this.#open.delete("requestBody");
    if (kind === "responseTrailers") this.#open.delete("responseBody");
    if ((kind === "responseHeaders" || kind === "responseBody") && !this.#isDecided) this.#answeredByEnvoy();
  }

  /** A local reply of Envoy's own: nothing of the request waits any more. */
  #answeredByEnvoy(): void {
    this.#isDecided = true;
    this.#owed = this.#owed.filter((kind) => kind.startsWith("response"));
    this.#open.delete("requestBody");
  }
}

/** Undefined for what is no message, which is the handler's to refuse. */
function read(message: Uint8Array): ProcessingRequest | undefined {
  try {
    return decodeProcessingRequest(message);
  } catch {
    return undefined;
  }
}

/** Of a decision; undefined where none is told. */
function methodOf({ dynamicMetadata }: ProcessingResponse): string | undefined {
  const fields = dynamicMetadata?.fields as { toolgate?: Told } | undefined;
  return fields?.toolgate?.structValue.fields.method.stringValue;
}

/** The namespace `toolgate` as it is read back. */
type Told = { readonly structValue: { readonly fields: { readonly method: { readonly stringValue: string } } } };

/** A piece of a body in full duplex; `isLast`: one that ends it. */
function isPiece(answer: ProcessingResponse, isLast = false): boolean {
  const said =
    "requestBody" in answer ? answer.requestBody : "responseBody" in answer ? answer.responseBody : undefined;
  const mutation = said?.response?.bodyMutation;
  if (mutation === undefined || !("streamedResponse" in mutation)) return false;
  return !isLast || mutation.streamedResponse.endOfStream;
}
