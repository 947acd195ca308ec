/**
 * The external processor as it is, in this process, with a fault at one phase of the requests that name one in a header.
 * What Envoy then does with the exchange is what `failure_mode_allow: false` is trusted for.
 *
 * Its faults break the rules that every other server of the tests is held to, so it does not run its RPCs as those do.
 */
import { once } from "node:events";
import { createServer } from "node:http2";
import type { Http2Server, ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { BELIEFS } from "../../src/core/exchange/belief.ts";
import { createExtProc } from "../../src/grpc/ext-proc.ts";
import { decodeProcessingRequest, encodeProcessingResponse } from "../../src/grpc/protos.ts";
import type { ProcessingRequest } from "../../src/grpc/protos.ts";
import { RpcStream } from "../../src/grpc/rpc.ts";
import type { FrameHandler, Rpc } from "../../src/grpc/rpc.ts";
import { OK, STATUS_CODE } from "../../src/grpc/status.ts";
import { allow, FROM_ANYONE, policyDocument, policySetWith } from "../fixtures/policies.ts";
import { extProcOptions } from "../fixtures/services.ts";

/** `laterResponseBody`: the second piece of an answer's body, when the client has the first. */
export type Phase = "requestHeaders" | "requestBody" | "responseHeaders" | "responseBody" | "laterResponseBody";

/** What it does in place of its answer; `twice` is the right one, and once more. */
export const DEEDS = ["throws", "hangs", "wrongKind", "empty", "twice", "killed", "closesOk"] as const;
export type Deed = (typeof DEEDS)[number];

const FAULT = "x-fault";
/** The header for a request at which it fails. */
export const faultAt = (phase: Phase, deed: Deed): Readonly<Record<string, string>> => ({
  [FAULT]: `${phase} ${deed}`,
});

export class FaultyToolgate implements AsyncDisposable {
  readonly #server: Http2Server;
  /** At requests that name no fault in a header, or show none. */
  fault: { readonly phase: Phase; readonly deed: Deed } | undefined;

  private constructor() {
    this.#server = createServer();
    const extProc = createExtProc(extProcOptions(POLICIES, { beliefs: BELIEFS, onMisconfigured: () => {} }));
    this.#server.on("stream", (stream, headers) => {
      const rpc = new RpcStream(stream, headers, { maxMessageBytes: 2 ** 22, onFault: () => {} }); // Made by us.
      stream.on("error", () => {});
      stream.on("close", () => rpc.closed());
      extProc(new Faulty(rpc, stream, this.fault));
    });
  }

  static async start(): Promise<FaultyToolgate> {
    const toolgate = new FaultyToolgate();
    await once(toolgate.#server.listen(0, "127.0.0.1"), "listening");
    return toolgate;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** When the Envoy that asks it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }
}

const POLICIES = policySetWith(policyDocument("anyone", [allow("allowed", FROM_ANYONE, { tools: ["allowed*"] })]));

/** An RPC between Envoy and the handler. */
class Faulty implements Rpc {
  readonly path: string;
  readonly #rpc: RpcStream;
  readonly #stream: ServerHttp2Stream;
  #fault: string;
  #responseBodies = 0;
  #hasFailed = false;
  #isSaidTwice = false;

  constructor(rpc: RpcStream, stream: ServerHttp2Stream, fault: FaultyToolgate["fault"]) {
    this.#fault = fault === undefined ? "" : `${fault.phase} ${fault.deed}`;
    this.path = rpc.path;
    this.#rpc = rpc;
    this.#stream = stream;
  }

  frames(on: FrameHandler): void {
    this.#rpc.frames({
      message: (bytes) => this.#message(bytes, on),
      end: () => on.end(),
      release: () => on.release?.(),
      closed: () => on.closed(),
    });
  }

  write(message: Uint8Array): void {
    this.#rpc.write(message);
    if (this.#isSaidTwice) this.#rpc.write(message);
  }

  end(status: Parameters<Rpc["end"]>[0]): void {
    this.#rpc.end(status);
  }

  #message(bytes: Uint8Array, on: FrameHandler): void {
    if (this.#hasFailed) return;
    const phase = this.#phase(decodeProcessingRequest(bytes));
    const deed = DEEDS.find((one) => this.#fault === `${phase} ${one}`);
    this.#isSaidTwice = deed === "twice";
    if (deed === undefined || deed === "twice") return on.message(bytes);
    this.#hasFailed = true;
    this.#misbehave(deed);
  }

  #phase(message: ProcessingRequest): string {
    if (message.request === "requestHeaders") {
      const { headers } = message.requestHeaders.headers ?? { headers: [] };
      this.#fault = headers.find(([name]) => name === FAULT)?.[1] ?? this.#fault;
    }
    if (message.request === "responseBody" && ++this.#responseBodies > 1) return "laterResponseBody";
    return message.request ?? "";
  }

  #misbehave(deed: Exclude<Deed, "twice">): void {
    switch (deed) {
      case "throws":
        return this.#rpc.end({ code: STATUS_CODE.INTERNAL, message: "a fault" });
      case "hangs":
        return;
      case "wrongKind":
        return this.#rpc.write(encodeProcessingResponse({ requestTrailers: {} }));
      case "empty":
        return this.#rpc.write(new Uint8Array());
      case "killed":
        return this.#stream.session?.destroy();
      case "closesOk":
        return this.#rpc.end(OK);
    }
  }
}
