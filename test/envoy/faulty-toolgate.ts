/**
 * The external processor as it is, in this process, with a fault put into it at one phase: it throws, or never answers.
 * What Envoy then does with the exchange is what `failure_mode_allow: false` is trusted for.
 */
import { loadOf } from "../fixtures/load.ts";
import { BELIEFS } from "../../src/core/exchange/belief.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { createExtProc, EXT_PROC_PATH } from "../../src/grpc/ext-proc.ts";
import { decodeProcessingRequest } from "../../src/grpc/protos.ts";
import type { Handler } from "../../src/grpc/rpc.ts";
import { createGrpcServer } from "../../src/grpc/server.ts";
import { createLatest } from "../../src/policies/latest.ts";
import { allow, FROM_ANYONE, policyDocument, policySetWith } from "../fixtures/policies.ts";

export const PHASES = ["requestHeaders", "requestBody", "responseHeaders", "responseBody"] as const;
export type Phase = (typeof PHASES)[number];
export type Fault = { readonly phase: Phase; readonly does: "throws" | "hangs" };

export class FaultyToolgate implements AsyncDisposable {
  readonly port: number;
  readonly #close: () => Promise<void>;
  /** Undefined: it works. */
  fault: Fault | undefined;

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port;
    this.#close = close;
  }

  static async start(): Promise<FaultyToolgate> {
    const extProc = createExtProc({
      policies: createLatest(POLICIES),
      telemetry: { record: () => {} },
      unmatched: "refuse",
      limits: DEFAULT_LIMITS,
      load: loadOf(),
      jwtPayloadKey: "payload",
      trust: { workload: "peer", trustDomain: "cluster.local" },
      beliefs: BELIEFS,
      onMisconfigured: () => {},
    });
    let self: FaultyToolgate | undefined;
    const server = createGrpcServer({
      handlers: new Map([[EXT_PROC_PATH, withFault(extProc, () => self?.fault)]]),
      maxMessageBytes: 2 ** 22,
      onFault: () => {}, // Made by us.
    });
    const address = await server.listen({ host: "127.0.0.1", port: 0 });
    if ("path" in address) throw new Error("a socket where a port was asked for");
    self = new FaultyToolgate(address.port, () => server.close());
    return self;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

const POLICIES = policySetWith(policyDocument("anyone", [allow("allowed", FROM_ANYONE, { tools: ["allowed*"] })]));

function withFault(handler: Handler, fault: () => Fault | undefined): Handler {
  return (rpc) =>
    handler({
      path: rpc.path,
      authority: rpc.authority,
      write: (message) => rpc.write(message),
      end: (status) => rpc.end(status),
      frames: (on) =>
        rpc.frames({
          message(bytes) {
            const { request } = decodeProcessingRequest(bytes);
            const now = fault();
            if (now === undefined || request !== now.phase) return on.message(bytes);
            if (now.does === "throws") throw new Error(`a fault at ${now.phase}`);
          },
          end: () => on.end(),
          closed: () => on.closed(),
        }),
    });
}
