/**
 * Drives one exchange per gRPC stream: the only place that reads, steps, writes and ends. What goes wrong here ends the
 * stream with an error, and Envoy then fails the request. OK stands here twice, and only where the exchange says that it is
 * over: with an answer owed, it would let the request or the answer through unread.
 */
import { performance } from "node:perf_hooks";
import type { Belief } from "../core/exchange/belief.ts";
import {
  beginExchange,
  cancelCall,
  cancelledBy,
  heldBytes,
  isUnshown,
  openCalls,
  recordsOf,
  scopeOf,
  withPolicies,
} from "../core/exchange/exchange.ts";
import type { Exchange } from "../core/exchange/exchange.ts";
import { FullDuplex } from "../core/exchange/full-duplex.ts";
import type { Options } from "../core/exchange/request.ts";
import { stepParsed } from "../core/exchange/parsed-request.ts";
import type { Reply } from "../core/exchange/reply.ts";
import { stepWithoutHeaders } from "../core/exchange/skipped-headers.ts";
import { ProtocolViolation } from "../core/exchange/violation.ts";
import type { Id } from "../core/jsonrpc/message.ts";
import { BROKEN, CANCELLED } from "../core/mcp/outcome.ts";
import type { Outcome } from "../core/mcp/outcome.ts";
import type { PolicySet } from "../core/policy/policy-set.ts";
import type { Latest } from "../policies/latest.ts";
import { sha256 } from "../sha256.ts";
import type { Meter } from "../telemetry/meter.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { requestId, sourceAddress } from "./attributes.ts";
import { InFlight } from "./in-flight.ts";
import type { Load } from "./load.ts";
import { readProfile } from "./profile.ts";
import type { Profile } from "./profile.ts";
import { Progress } from "./progress.ts";
import { decodeProcessingRequest } from "./protos.ts";
import type { ProcessingRequest } from "./protos.ts";
import type { FrameHandler, Handler, Rpc } from "./rpc.ts";
import { OK, STATUS_CODE, StatusError } from "./status.ts";
import { encodeReply, toEvent } from "./wire.ts";
import type { WireOptions } from "./wire.ts";

export const EXT_PROC_PATH = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";

export type ExtProcOptions = WireOptions &
  Pick<Options, "unmatched" | "limits" | "loggedArguments" | "startSpans"> & {
    readonly policies: Pick<Latest<PolicySet>, "get" | "subscribe">;
    readonly telemetry: Telemetry;
    readonly meter: Meter;
    readonly load: Load;
    readonly beliefs: readonly Belief[];
    /** Told when Envoy cannot be served as it is configured: what, and which setting to change. */
    readonly onMisconfigured: (message: string) => void;
  };

export function createExtProc(options: ExtProcOptions): Handler {
  const inFlight = new InFlight();
  const open = new Set<Driver>();
  // For as long as the process runs.
  options.policies.subscribe((policies) => {
    for (const driver of open) driver.govern(policies);
  });
  return (rpc) => {
    const why = options.load.refuses();
    if (why !== undefined) return rpc.end({ code: STATUS_CODE.RESOURCE_EXHAUSTED, message: why });
    const driver = new Driver(rpc, options, inFlight, open);
    driver.begin();
  };
}

class Driver implements FrameHandler {
  readonly #rpc: Rpc;
  readonly #options: ExtProcOptions;
  readonly #inFlight: InFlight;
  readonly #open: Set<Driver>;
  readonly #startedAtMs = Date.now();
  readonly #started = performance.now();
  readonly #progress: Progress;
  #exchange: Exchange;
  #opened: { readonly profile: Profile; readonly duplex: FullDuplex } | undefined;
  #requestId: string | undefined;
  #sourceAddress: string | undefined;
  #isAnswerBegun = false;
  #decidedMs: number | undefined;
  #heldBytes = 0;
  #isGranted = true;
  /** Stays so when the last message has thrown. */
  #isStepping = false;
  /** By the place of the call: one, but for a batch. */
  readonly #recorded = new Set<number>();
  #isRecorded = false;

  constructor(rpc: Rpc, options: ExtProcOptions, inFlight: InFlight, open: Set<Driver>) {
    this.#open = open;
    this.#rpc = rpc;
    this.#options = options;
    this.#inFlight = inFlight;
    const { unmatched, limits, loggedArguments = [], startSpans } = options;
    const asks = { unmatched, limits, sha256, loggedArguments, startSpans };
    this.#exchange = beginExchange({ policies: options.policies.get(), ...asks });
    this.#progress = new Progress(options.meter, this.#exchange);
  }

  begin(): void {
    const { load, meter } = this.#options;
    this.#open.add(this);
    load.open.add(this);
    meter.open.add(this.#progress);
    try {
      this.#rpc.frames(this);
    } catch (error: unknown) {
      this.release(); // Nobody else would.
      throw error;
    }
  }

  message(bytes: Uint8Array): void {
    const nowMs = performance.now();
    this.#isStepping = true;
    const request = decode(bytes);
    const { profile, duplex } = (this.#opened ??= this.#begin(request));
    const before = this.#exchange;
    const [next, replies] = this.#step(request, profile, duplex);
    for (const reply of replies) this.#rpc.write(encodeReply(reply, profile));
    this.#exchange = next;
    this.#progress.step(request, before, next, nowMs);
    this.#hold(heldBytes(next) + duplex.heldBytes);
    if (next.request !== before.request) this.#follow(next);
    // Most events of a stream change neither.
    if (next.request !== before.request || next.response !== before.response) this.#record();
    if (duplex.isFinal(next)) this.#rpc.end(OK);
    this.#isStepping = false;
    if (request.request !== undefined) this.#options.meter.processed(request.request, performance.now() - nowMs);
  }

  end(): void {
    const isOver = this.#opened?.duplex.isFinal(this.#exchange) === true;
    this.#rpc.end(
      isOver ? OK : { code: STATUS_CODE.UNAVAILABLE, message: "Envoy has left before the exchange was over" },
    );
  }

  release(): void {
    const { load, meter } = this.#options;
    this.#open.delete(this);
    load.open.delete(this);
    meter.open.delete(this.#progress);
    this.#hold(0);
    this.#inFlight.end(this);
  }

  closed(): void {
    this.#progress.end(!this.#isGranted ? "revoked" : this.#isStepping ? "failed" : "cancelled");
    this.#record(this.#isGranted ? CANCELLED : BROKEN);
    if (this.#opened?.profile.answers === "override" && isUnshown(this.#exchange))
      this.#options.onMisconfigured(UNSHOWN);
  }

  /** The caller of this one has taken it back. */
  cancel(id: Id): void {
    this.#exchange = cancelCall(this.#exchange, id);
  }

  /** Policies have changed. What they take back ends here and now: Envoy then cuts the answer off. */
  govern(policies: PolicySet): void {
    if (this.#opened?.duplex.isFinal(this.#exchange) === true) return;
    const { exchange, isGranted } = withPolicies(this.#exchange, policies);
    this.#exchange = exchange;
    this.#isGranted = isGranted;
    if (!isGranted) this.#rpc.end({ code: STATUS_CODE.PERMISSION_DENIED, message: "no rule grants this any more" });
  }

  #begin(request: ProcessingRequest): { readonly profile: Profile; readonly duplex: FullDuplex } {
    this.#requestId = requestId(request);
    this.#sourceAddress = sourceAddress(request);
    const profile = readProfile(request, this.#options.beliefs);
    if (!profile.ok) this.#reject(profile.error);
    const { requests, answers } = profile.value;
    const duplex = new FullDuplex({ request: requests === "duplex", answer: answers === "duplex" });
    return { profile: profile.value, duplex };
  }

  #step(request: ProcessingRequest, profile: Profile, duplex: FullDuplex): ReturnType<FullDuplex["step"]> {
    try {
      const isAnswerBegun = this.#isAnswerBegun;
      this.#isAnswerBegun ||= request.request?.startsWith("response") === true;
      const event = toEvent(request, { profile, isAnswerBegun }, this.#options);
      if (event === undefined) throw new StatusError(STATUS_CODE.UNIMPLEMENTED, "this kind of message is not known");
      switch (event.kind) {
        case "wholeRequest":
        case "answerStart":
          return alone(stepWithoutHeaders(this.#exchange, event));
        case "parsedRequest":
          return alone(stepParsed(this.#exchange, event));
        default:
          return duplex.step(this.#exchange, event);
      }
    } catch (error: unknown) {
      if (error instanceof ProtocolViolation) this.#reject(error.message);
      throw error;
    }
  }

  #follow(exchange: Exchange): void {
    if (exchange.request.at === "permitted") this.#decidedMs ??= performance.now() - this.#started;
    const open = openCalls(exchange);
    const cancelled = cancelledBy(exchange);
    const scope = open.length === 0 && cancelled.length === 0 ? undefined : scopeOf(exchange);
    if (scope === undefined) return;
    for (const { id } of open) if (id !== undefined) this.#inFlight.begin(this, scope, id);
    for (const id of cancelled) this.#inFlight.find(scope, id)?.cancel(id);
  }

  #hold(bytes: number): void {
    if (bytes === this.#heldBytes) return;
    this.#options.load.hold(bytes - this.#heldBytes);
    this.#heldBytes = bytes;
  }

  #reject(message: string): never {
    this.#options.onMisconfigured(message);
    throw new StatusError(STATUS_CODE.FAILED_PRECONDITION, message);
  }

  #record(unfinished?: Outcome): void {
    if (this.#isRecorded) return;
    const records = recordsOf(this.#exchange, unfinished);
    for (const [place, record] of records.entries()) {
      if (record === undefined || this.#recorded.has(place)) continue;
      this.#recorded.add(place);
      const durationMs = performance.now() - this.#started;
      const times = {
        requestId: this.#requestId,
        sourceAddress: this.#sourceAddress,
        startedAtMs: this.#startedAtMs,
        durationMs,
        decidedMs: this.#decidedMs,
      };
      const sizes = place === 0 ? this.#progress.sizes : undefined;
      this.#options.telemetry.record({ ...record, ...times, sizes });
    }
    this.#isRecorded = records.length > 0 && this.#recorded.size === records.length;
  }
}

const alone = ([next, reply]: readonly [Exchange, Reply]): ReturnType<FullDuplex["step"]> => [next, [reply]];

const UNSHOWN =
  "an answer ended before Envoy had shown any of it. If its client has not left early, lists reach callers unfiltered: set processing_mode.response_header_mode to SEND and response_body_mode to STREAMED (or allow_mode_override to true)";

function decode(bytes: Uint8Array): ProcessingRequest {
  try {
    return decodeProcessingRequest(bytes);
  } catch (error: unknown) {
    throw new StatusError(STATUS_CODE.INVALID_ARGUMENT, `not a ProcessingRequest: ${String(error)}`);
  }
}
