/**
 * The corpus on the wire: clients with certificates and tokens, a real Envoy with `envoy-config/mtls.yaml`, Toolgate as a
 * process, and the recorder behind them. Many cases are played at a time, each with a marker that tells it from the others.
 */
import { answerOf, askOf, precedingAsk } from "../../fixtures/corpus.ts";
import type { Ask, RequestCase, ResponseCase } from "../../fixtures/corpus.ts";
import { MAX_BODY_BYTES } from "../../fixtures/corpus/core-peer.ts";
import { Authority } from "../certificates.ts";
import type { Certificate } from "../certificates.ts";
import { mutualTls } from "../mutual-tls.ts";
import { startStack } from "../stack.ts";
import type { Stack } from "../stack.ts";
import { authorityOf, POLICIES } from "./authorities.ts";
import type { Client, Received } from "./client.ts";
import { coreDelivers } from "./core-delivers.ts";
import { addRoutes, bodiesAlone, logMarkers } from "./gateway-changes.ts";
import { MARKER, Recorder } from "./recorder.ts";
import type { Arrival } from "./recorder.ts";

/** What became of a case. */
export type Outcome = {
  readonly arrivals: readonly Arrival[];
  /** Undefined: the connection was closed without an answer. */
  readonly received: Received | undefined;
  /** Who has answered, as Envoy's access log calls it. Undefined: Envoy has seen no request, or could not read it. */
  readonly details: string | undefined;
};

/** A way to the server. Two ways of the same case have markers of their own. */
export type Way = {
  readonly name: string;
  readonly client: Client;
  /** Where any will do: the one that has the route. */
  readonly authority?: string;
};

/** So many at once keep two cores busy. */
const AT_ONCE = 12;

/** Envoy's count of the requests to the server. */
const SENT_ON = "cluster.mcp_server.upstream_rq_total";

/** openssl takes no empty name as text: a sequence of one URI without a character. */
const EMPTY_URI_SAN = "DER:30:02:86:00";

export const markerOf = (one: RequestCase | ResponseCase, way: Way): string => `${one.id} ${way.name}`;

export class Ring implements AsyncDisposable {
  readonly recorder: Recorder;
  readonly #stack: Stack;
  readonly #authority: Authority;
  readonly #certificates = new Map<string, Promise<Certificate>>();
  readonly #running: AsyncDisposableStack;

  private constructor(recorder: Recorder, stack: Stack, authority: Authority, running: AsyncDisposableStack) {
    this.recorder = recorder;
    this.#stack = stack;
    this.#authority = authority;
    this.#running = running;
  }

  static async start(): Promise<Ring> {
    await using started = new AsyncDisposableStack();
    const recorder = started.use(await Recorder.start());
    const authority = started.use(await Authority.create());
    const addBodiesAlone = await bodiesAlone();
    const secure = await mutualTls(await authority.issue("IP:127.0.0.1"), authority.cert);
    const stack = started.use(
      await startStack({
        policies: POLICIES,
        flags: ["--max-body-bytes", String(MAX_BODY_BYTES), "--profiles", "lean"],
        upstreamPort: recorder.port,
        change: (config) => {
          secure(config);
          logMarkers(config);
          addRoutes(config);
          addBodiesAlone(config);
        },
      }),
    );
    const inForce = stack.toolgate.log.find(({ msg }) => msg === "policies are in force");
    if (inForce?.["problems"] !== 0) throw new Error("the policies of the ring have problems");
    return new Ring(recorder, stack, authority, started.move());
  }

  /** Plays all the cases this way, and waits until everything that they have set in motion is over. */
  async play(cases: readonly (RequestCase | ResponseCase)[], way: Way): Promise<ReadonlyMap<string, Outcome>> {
    const received = new Map<string, Received | undefined>();
    const play = async (one: RequestCase | ResponseCase): Promise<void> => {
      received.set(one.id, await this.#play(one, way));
    };
    const isUnfinished = (one: RequestCase | ResponseCase): boolean =>
      one.phase === "request" && one.stall_after === true;
    const queue = cases.filter((one) => !isUnfinished(one)).values();
    const worker = async (): Promise<void> => {
      for (const one of queue) await play(one);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    // Alone, and when all before is over: what it waits for is counted by Envoy over all requests.
    for (const one of cases.filter(isUnfinished)) {
      await this.#settle();
      await play(one);
    }
    const details = await this.#settle();
    return new Map(
      cases.map((one) => {
        const marker = markerOf(one, way);
        const outcome = {
          arrivals: this.recorder.arrivals(marker),
          received: received.get(one.id),
          details: details.get(marker),
        };
        return [one.id, outcome];
      }),
    );
  }

  async #play(one: RequestCase | ResponseCase, way: Way): Promise<Received | undefined> {
    const marker = markerOf(one, way);
    const ask = one.phase === "request" ? askOf(one) : precedingAsk(one);
    if (one.phase === "response") this.recorder.prepare(marker, answerOf(one));
    const authority = authorityOf(one) ?? way.authority;
    const isEndless = one.phase === "response" && one.stall_after === true;
    return way.client(
      { port: this.#stack.gateway.port, tls: { ca: this.#authority.cert, ...(await this.#certificateOf(ask)) } },
      {
        headers: [
          ...ask.headers
            .filter(([name]) => name.startsWith(":"))
            .map(([name, value]) => [name, name === ":authority" ? (authority ?? value) : value] as const),
          [MARKER, marker],
          ...ask.headers.filter(([name]) => !name.startsWith(":")),
          ...(await this.#tokenOf(ask)),
        ],
        body: ask.body,
        chunkBytes: one.chunk_every,
        trailers: ask.trailers,
        leaveAfter: ask.stalls ? await this.#untilAsked() : undefined,
        enoughBytes: isEndless ? (await coreDelivers(one)).body.length : undefined,
      },
    );
  }

  async #certificateOf({ uriSans }: Ask): Promise<Certificate | undefined> {
    if (uriSans === undefined) return undefined;
    const names = uriSans.map((san) => (san === "" ? EMPTY_URI_SAN : `URI:${san}`));
    const key = names.join();
    // One after the other: the authority has one set of files.
    const issued = this.#certificates.get(key) ?? this.#issued().then(() => this.#authority.issue(...names));
    this.#certificates.set(key, issued);
    return issued;
  }

  async #issued(): Promise<void> {
    await Promise.all(this.#certificates.values());
  }

  async #tokenOf({ jwtPayload }: Ask) {
    if (jwtPayload === undefined) return [];
    const { sub } = jwtPayload;
    if (typeof sub !== "string") throw new Error("the corpus has a token without a subject");
    return [["authorization", `Bearer ${await this.#stack.token(sub)}`] as const];
  }

  /**
   * Until there have been two messages about a request whose body is under way: its headers and their answer, or, where
   * Toolgate keeps that back, its headers and the body so far. Or Envoy has sent it on.
   */
  async #untilAsked(): Promise<() => Promise<unknown>> {
    const { gateway } = this.#stack;
    const progress = async (): Promise<number> =>
      (await gateway.stat("http.mcp.ext_proc.stream_msgs_sent")) +
      (await gateway.stat("http.mcp.ext_proc.stream_msgs_received")) +
      (await gateway.stat(SENT_ON)) * 2;
    const before = await progress();
    return () =>
      gateway.program.until("two messages", async () => ((await progress()) >= before + 2 ? true : undefined));
  }

  /** Envoy's own count of what it has sent is what the recorder has; its access log has a line for each request. */
  async #settle(): Promise<ReadonlyMap<string, string>> {
    const { gateway } = this.#stack;
    await gateway.program.until("the end of every request to the server", async () =>
      (await gateway.stat(SENT_ON)) === this.recorder.count ? true : undefined,
    );
    const log = await gateway.program.until("a line for each request", async () => {
      const lines = gateway.accessLog;
      return lines.length === (await gateway.stat("http.mcp.downstream_rq_total")) ? lines : undefined;
    });
    return new Map(log.map(({ case: marker, details }) => [String(marker), String(details)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.disposeAsync();
  }
}
