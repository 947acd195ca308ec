/**
 * Drives one exchange per gRPC stream: the only place that reads, steps, writes and ends. What goes wrong here ends the
 * stream with an error, and Envoy then fails the request. OK stands here twice, and only where the exchange says that it is
 * over: with an answer owed, it would let the request or the answer through unread.
 */
import { performance } from "node:perf_hooks";
import {
  abandonedRecord,
  beginExchange,
  closeStatus,
  isFinal,
  isUnshown,
  recordOf,
  stepExchange,
} from "../core/exchange/exchange.ts";
import type { Exchange } from "../core/exchange/exchange.ts";
import type { ExchangeRecord } from "../core/exchange/record.ts";
import type { Options } from "../core/exchange/request.ts";
import { ProtocolViolation } from "../core/exchange/violation.ts";
import type { PolicySet } from "../core/policy/policy-set.ts";
import type { Latest } from "../policies/latest.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { readProfile } from "./profile.ts";
import type { Profile } from "./profile.ts";
import { decodeProcessingRequest } from "./protos.ts";
import type { ProcessingRequest } from "./protos.ts";
import type { FrameHandler, Handler, Rpc } from "./rpc.ts";
import { OK, STATUS_CODE, StatusError } from "./status.ts";
import { encodeReply, requestId, toEvent } from "./wire.ts";
import type { WireOptions } from "./wire.ts";

export const EXT_PROC_PATH = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";

export type ExtProcOptions = WireOptions &
  Omit<Options, "policies"> & {
    readonly policies: Pick<Latest<PolicySet>, "get">;
    readonly telemetry: Telemetry;
    /** Told when Envoy cannot be served as it is configured: what, and which setting to change. */
    readonly onMisconfigured: (message: string) => void;
  };

export function createExtProc(options: ExtProcOptions): Handler {
  return (rpc) => rpc.frames(new Driver(rpc, options));
}

class Driver implements FrameHandler {
  readonly #rpc: Rpc;
  readonly #options: ExtProcOptions;
  readonly #startedAtMs = Date.now();
  readonly #started = performance.now();
  #exchange: Exchange;
  #profile: Profile | undefined;
  #requestId: string | undefined;
  #isRecorded = false;

  constructor(rpc: Rpc, options: ExtProcOptions) {
    this.#rpc = rpc;
    this.#options = options;
    const { unmatched, maxBodyBytes } = options;
    this.#exchange = beginExchange({ policies: options.policies.get(), unmatched, maxBodyBytes });
  }

  message(bytes: Uint8Array): void {
    const request = decode(bytes);
    const profile = (this.#profile ??= this.#first(request));
    const event = toEvent(request, this.#options);
    if (event === undefined) throw new StatusError(STATUS_CODE.UNIMPLEMENTED, "this kind of message is not known");
    const [next, reply] = this.#step(event);
    this.#rpc.write(encodeReply(reply, profile));
    this.#exchange = next;
    this.#record(recordOf(next));
    if (isFinal(next)) this.#rpc.end(OK);
  }

  end(): void {
    const isOver = closeStatus(this.#exchange) === "OK";
    this.#rpc.end(
      isOver ? OK : { code: STATUS_CODE.UNAVAILABLE, message: "Envoy has left before the exchange was over" },
    );
  }

  closed(): void {
    this.#record(abandonedRecord(this.#exchange));
    if (this.#profile?.answers === "override" && isUnshown(this.#exchange)) this.#options.onMisconfigured(UNSHOWN);
  }

  #first(request: ProcessingRequest): Profile {
    this.#requestId = requestId(request);
    const profile = readProfile(request);
    return profile.ok ? profile.value : this.#reject(profile.error);
  }

  #step(event: Parameters<typeof stepExchange>[1]): ReturnType<typeof stepExchange> {
    try {
      return stepExchange(this.#exchange, event);
    } catch (error: unknown) {
      if (error instanceof ProtocolViolation) this.#reject(error.message);
      throw error;
    }
  }

  #reject(message: string): never {
    this.#options.onMisconfigured(message);
    throw new StatusError(STATUS_CODE.FAILED_PRECONDITION, message);
  }

  #record(record: Omit<ExchangeRecord, "requestId" | "startedAtMs" | "durationMs"> | undefined): void {
    if (record === undefined || this.#isRecorded) return;
    this.#isRecorded = true;
    const durationMs = performance.now() - this.#started;
    this.#options.telemetry.record({
      ...record,
      requestId: this.#requestId,
      startedAtMs: this.#startedAtMs,
      durationMs,
    });
  }
}

const UNSHOWN =
  "an answer ended before Envoy had shown any of it. If its client has not left early, lists reach callers unfiltered: set processing_mode.response_header_mode to SEND and response_body_mode to STREAMED (or allow_mode_override to true)";

function decode(bytes: Uint8Array): ProcessingRequest {
  try {
    return decodeProcessingRequest(bytes);
  } catch (error: unknown) {
    throw new StatusError(STATUS_CODE.INVALID_ARGUMENT, `not a ProcessingRequest: ${String(error)}`);
  }
}
