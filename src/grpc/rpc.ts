/**
 * One RPC over one HTTP/2 stream, as three verbs: `frames` to be told what comes, `write`, and `end` with a status.
 *
 * HOT: it runs for every call, so it is callbacks only. What has to hold whatever a handler or a peer does:
 * the stream ends with one status, OK only where a handler said so; and `closed` is called once, last.
 */
import { constants } from "node:http2";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { FrameReader, toFrame } from "./frame.ts";
import { STATUS_CODE, StatusError, statusTrailers, toStatus } from "./status.ts";
import type { Status } from "./status.ts";

/** One RPC as its handler sees it. */
export type Rpc = {
  /** `/package.Service/Method` */
  readonly path: string;
  /** Starts reading. To be called once, before the handler returns. */
  frames(on: FrameHandler): void;
  /** Sends one message. Does nothing once the RPC has ended. */
  write(message: Uint8Array): void;
  /** Ends the RPC. Only the first call counts. */
  end(status: Status): void;
};

export type FrameHandler = {
  message(bytes: Uint8Array): void;
  /** The client will send no more. Not called when it aborted. */
  end(): void;
  /**
   * Before `closed`: gives back the place that it takes up. What this throws nobody catches, as that place would stay taken
   * for as long as the process runs.
   */
  release?(): void;
  /** The stream is over for whatever reason. Called exactly once, and always last. */
  closed(): void;
};

/** Runs an RPC. What it or one of its callbacks throws ends the RPC, never with OK. */
export type Handler = (rpc: Rpc) => void;

export type RpcOptions = {
  readonly maxMessageBytes: number;
  /** Gets what a handler threw, unless it threw a StatusError: the peer is told INTERNAL and nothing more. */
  readonly onFault: (fault: unknown, path: string) => void;
  /** Told how many bytes more, or fewer, are held of messages that are not whole. */
  readonly onHeld?: (bytes: number) => void;
};

const RESPONSE_HEADERS = { ":status": 200, "content-type": "application/grpc" };
/** gRPC has no use for a date, and each costs a header. */
const WITH_TRAILERS = { waitForTrailers: true, sendDate: false };
const TRAILERS_ONLY = { endStream: true, sendDate: false };

/** A timer of Node's cannot run longer. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const MS_PER_UNIT: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

export class RpcStream implements Rpc {
  readonly path: string;
  readonly #stream: ServerHttp2Stream;
  readonly #options: RpcOptions;
  #on: FrameHandler | undefined;
  #deadline: NodeJS.Timeout | undefined;
  /** Set once by `end`: from then on nothing more is read or written. */
  #hasEnded = false;
  #heldBytes = 0;
  #isForgotten = false;
  #isClosed = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, options: RpcOptions) {
    this.path = headers[":path"] ?? "";
    this.#stream = stream;
    this.#options = options;
  }

  /** Gives the RPC to its handler. */
  run(handler: Handler, headers: IncomingHttpHeaders): void {
    const timeout = headers["grpc-timeout"];
    this.#guard(() => {
      if (typeof timeout === "string") this.#startDeadline(timeout);
      handler(this);
    });
  }

  frames(on: FrameHandler): void {
    this.#on = on;
    if (this.#isClosed) return this.#reportClosed(on);
    const reader = new FrameReader(this.#options.maxMessageBytes, (message) => {
      if (!this.#hasEnded) on.message(message);
    });
    this.#stream.on("data", (chunk: Buffer) => {
      if (this.#hasEnded) return;
      // Not #guard: a closure per chunk for nothing.
      try {
        reader.feed(chunk);
      } catch (thrown) {
        this.#fail(thrown);
      }
      this.#hold(reader.heldBytes);
    });
    this.#stream.on("end", () => {
      // An aborted stream is ended too, by Node.
      if (this.#hasEnded || this.#stream.aborted) return;
      this.#guard(() => {
        if (!reader.isBetweenFrames)
          throw new StatusError(STATUS_CODE.INTERNAL, "the client's stream ends within a message");
        on.end();
      });
    });
  }

  write(message: Uint8Array): void {
    const stream = this.#stream;
    if (this.#hasEnded || stream.closed || stream.destroyed) return;
    if (!stream.headersSent) stream.respond(RESPONSE_HEADERS, WITH_TRAILERS);
    if (!stream.write(toFrame(message)) && !stream.isPaused()) this.#pauseReading();
  }

  end(status: Status): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const stream = this.#stream;
    if (stream.closed || stream.destroyed) return;
    // After OK the client closes its half by itself, and saves us 7 us a call; see `releaseIfForgotten`.
    const isUrgent = status.code !== STATUS_CODE.OK;
    if (!stream.headersSent) {
      stream.respond({ ...RESPONSE_HEADERS, ...statusTrailers(status) }, TRAILERS_ONLY);
      if (isUrgent) setImmediate(release, stream);
      return;
    }
    stream.once("wantTrailers", () => {
      if (stream.closed || stream.destroyed) return; // Reset meanwhile, by `abort` or by the client.
      stream.sendTrailers(statusTrailers(status));
      // sendTrailers() itself waits for the next turn, so this comes right after it.
      if (isUrgent) setImmediate(release, stream);
    });
    stream.end();
  }

  /** Ends the RPC from outside its handler, and does not wait for a peer that does not read. */
  abort(status: Status): void {
    const isStuck = this.#hasEnded || this.#stream.writableLength > 0;
    this.end(status);
    if (isStuck) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  /** To be called now and then: frees the stream of a client that has its status and never closed its half. */
  releaseIfForgotten(): void {
    if (this.#isForgotten && this.#stream.writableLength === 0) release(this.#stream);
    this.#isForgotten = this.#hasEnded;
  }

  /** To be called once, when the stream is over. */
  closed(): void {
    this.#isClosed = true;
    this.#hasEnded = true;
    clearTimeout(this.#deadline);
    this.#hold(0);
    if (this.#on !== undefined) this.#reportClosed(this.#on);
  }

  /**
   * Back-pressure: who does not read our answers is not read either. Envoy asks one question per answer, so a client has
   * at most the questions of one more chunk (16 KiB) answered into memory.
   */
  #pauseReading(): void {
    this.#stream.pause();
    // After a reset too: Node then gives up what is not written, and that drains the stream.
    this.#stream.once("drain", () => void this.#stream.resume());
  }

  #startDeadline(grpcTimeout: string): void {
    const [, digits = "", unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(grpcTimeout) ?? [];
    const unitMs = MS_PER_UNIT[unit];
    if (unitMs === undefined) {
      const message = `grpc-timeout is "${grpcTimeout}", and 1 to 8 digits with one of H M S m u n were expected`;
      throw new StatusError(STATUS_CODE.INVALID_ARGUMENT, message);
    }
    const timeoutMs = Math.min(Number(digits) * unitMs, MAX_TIMER_MS);
    const message = `not done within the client's deadline, ${grpcTimeout}`;
    this.#deadline = setTimeout(() => this.abort({ code: STATUS_CODE.DEADLINE_EXCEEDED, message }), timeoutMs);
  }

  #hold(bytes: number): void {
    if (bytes === this.#heldBytes) return;
    this.#options.onHeld?.(bytes - this.#heldBytes);
    this.#heldBytes = bytes;
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #fail(thrown: unknown): void {
    if (!(thrown instanceof StatusError)) this.#options.onFault(thrown, this.path);
    this.end(toStatus(thrown));
  }

  #reportClosed(on: FrameHandler): void {
    on.release?.();
    this.#guard(() => on.closed());
  }
}

/** Tells a client that has the status, and has not closed its half, that nobody listens any more (RFC 9113, 8.1). */
function release(stream: ServerHttp2Stream): void {
  if (!stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
}
