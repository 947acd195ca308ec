/**
 * An exception at the n-th call of every function of src/ that takes part in an exchange, for every n (row F27 of
 * docs/failure-modes.md). For each exchange n goes up until a run ends without having come to its n-th call, so that no
 * call is left out. All runs are of one process: after each
 * fault the same exchange is asked for again, of the same server unless it has ended.
 *
 * What Envoy may hear with a fault is what it hears without, as far as it goes: the rest is an error, or a denial in its
 * place. So nothing passes that would not have passed, and OK is heard with the last answer only. Afterwards nothing counts
 * as open or as held, unless the process has ended.
 */
import { connect } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { Writable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import type { HeaderList } from "../../src/core/mcp/headers.ts";
import { createExtAuthz, EXT_AUTHZ_PATH } from "../../src/grpc/ext-authz.ts";
import { createExtProc, EXT_PROC_PATH } from "../../src/grpc/ext-proc.ts";
import { toFrame } from "../../src/grpc/frame.ts";
import {
  decodeCheckResponse,
  decodeProcessingResponse,
  encodeCheckRequest,
  encodeProcessingRequest,
} from "../../src/grpc/protos.ts";
import type { SentRequest } from "../../src/grpc/protos.ts";
import { createGrpcServer } from "../../src/grpc/server.ts";
import type { GrpcServer } from "../../src/grpc/server.ts";
import { STATUS_CODE } from "../../src/grpc/status.ts";
import { createLatest } from "../../src/policies/latest.ts";
import { createDecisionLog } from "../../src/telemetry/decision-log.ts";
import { fanOut } from "../../src/telemetry/telemetry.ts";
import { utf8 } from "../fixtures/bytes.ts";
import { requestHeaders } from "../fixtures/corpus/wire-peer.ts";
import type { Mode } from "../fixtures/corpus/wire-peer.ts";
import { ISSUER } from "../fixtures/identities.ts";
import { loadOf } from "../fixtures/load.ts";
import { batch, modernHeaders, modernRequest, notification, request, result, toolsCall } from "../fixtures/messages.ts";
import { allow, compiled, FROM_READER, policyDocument, serverDocument } from "../fixtures/policies.ts";
import { create } from "../telemetry/samples.ts";
import { ask } from "./envoy.ts";
import type { Heard, Turn } from "./envoy.ts";
import { callingSeams } from "./seams.ts";

const READER = "spiffe://cluster.local/ns/agents/sa/reader";
const FROM_USER = { jwt: { issuer: ISSUER } };
const { policies } = compiled([
  serverDocument("everything", [{ path: "/mcp" }], { batches: "judge" }),
  policyDocument("p", [
    allow("readers", FROM_READER, { tools: ["echo"] }),
    allow("users", FROM_USER, { tools: ["echo"] }),
  ]),
]);

const OK = String(STATUS_CODE.OK);

const decisionLog = createDecisionLog({ out: new Writable({ write: (_chunk, _encoding, done) => done() }) });

/** As `serve` wires it. */
function service() {
  const load = loadOf();
  const metrics = create({ isNamed: policies.isNamed, inForce: () => policies, load: () => load });
  const shared = {
    policies: createLatest(policies),
    telemetry: fanOut([metrics, decisionLog]),
    meter: metrics.meter,
    load,
    unmatched: "refuse",
    limits: DEFAULT_LIMITS,
    jwtPayloadKey: "payload",
    trust: { workload: "peer", trustDomain: "cluster.local" },
  } as const;
  const handlers = new Map([
    [EXT_PROC_PATH, createExtProc({ ...shared, beliefs: [], onMisconfigured: () => {} })],
    [EXT_AUTHZ_PATH, createExtAuthz({ ...shared, lists: "refuse", unseen: "refuse" })],
  ]);
  const held = () => ({ streams: load.streams, bytes: load.heldBytes, open: metrics.meter.open.size });
  const onHeld = (bytes: number): void => load.hold(bytes);
  return { open: load.open, held, options: { handlers, onHeld, maxMessageBytes: 2 ** 22, onFault: () => {} } };
}
type Service = ReturnType<typeof service>;
const NOTHING: ReturnType<Service["held"]> = { streams: 0, bytes: 0, open: 0 };

/** A server that ends when nobody catches what is thrown, as `serve` does; here without last words. */
class Server implements AsyncDisposable {
  readonly session: ClientHttp2Session;
  /** Read without a call of a seam. */
  readonly open: Service["open"];
  readonly held: Service["held"];
  readonly #server: GrpcServer;
  readonly #end = (): void => {
    this.session.destroy();
    void this.#server.close();
  };

  private constructor(server: GrpcServer, session: ClientHttp2Session, { open, held }: Service) {
    this.session = session;
    this.open = open;
    this.held = held;
    this.#server = server;
    process.once("uncaughtException", this.#end);
  }

  static async start(): Promise<Server> {
    const wired = service();
    const server = createGrpcServer(wired.options);
    const address = await server.listen({ host: "127.0.0.1", port: 0 });
    if (!("port" in address)) throw new Error("not a TCP address");
    const session = connect(`http://127.0.0.1:${address.port}`);
    session.on("error", () => {});
    return new Server(server, session, wired);
  }

  get hasEnded(): boolean {
    return !process.listeners("uncaughtException").includes(this.#end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off("uncaughtException", this.#end);
    this.session.destroy();
    await this.#server.close();
  }
}

// Vitest's own would count each of them as a failure. That of rejections stays: there are to be none.
const listeners = process.listeners("uncaughtException");
beforeAll(() => void process.removeAllListeners("uncaughtException"));
afterAll(() => {
  for (const listener of listeners) process.on("uncaughtException", listener);
});

type Exchange = {
  readonly path: string;
  readonly turns: readonly Turn[];
  /** Envoy leaves after them, and waits for no status. */
  readonly isLeft?: boolean;
  /** Whether it is an answer that refuses. */
  readonly isDenial: (message: Uint8Array) => boolean;
};

const extProc = (...turns: readonly (readonly Turn[])[]): Exchange => ({
  path: EXT_PROC_PATH,
  turns: turns.flat(),
  isDenial: (message) => "immediateResponse" in decodeProcessingResponse(message),
});

/** These messages at once, to which so many answers come. */
const turn = (answers: number, ...messages: readonly SentRequest[]): Turn => ({
  frames: messages.map((message) => toFrame(encodeProcessingRequest(message))),
  answers,
});

type Asking = { readonly headers?: HeaderList; readonly mode?: Mode; readonly isUser?: boolean };

function asked(body: string, { headers = [], mode = "streamed", isUser = false }: Asking = {}): readonly Turn[] {
  const first = requestHeaders(
    {
      headers: [[":method", "POST"], [":path", "/mcp"], ["content-type", "application/json"], ...headers],
      body: utf8(body),
      trailers: undefined,
      stalls: false,
      conflict: undefined,
      uriSans: isUser ? undefined : [READER],
      jwtPayload: isUser ? { iss: ISSUER, sub: "ada" } : undefined,
      policies,
    },
    mode,
  );
  if (mode !== "duplex") return [turn(1, first), turn(1, requestBody(body, true))];
  // What it is answered is known when it is whole: with the headers and the body, or with a denial.
  return [turn(1, first, ...halves(body).map((half, i) => requestBody(half, i === 1)))];
}

const requestBody = (text: string, endOfStream: boolean): SentRequest => ({
  request: "requestBody",
  requestBody: { body: utf8(text), endOfStream },
});

/** A body in two pieces, of which the first is not answered in full duplex while nothing of it goes on. */
function answered(type: string, body: string, mode: Mode = "streamed"): readonly Turn[] {
  const headers = {
    headers: [
      { key: ":status", rawValue: utf8("200") },
      { key: "content-type", rawValue: utf8(type) },
    ],
  };
  const [one, two] = halves(body).map((half, i): SentRequest => ({
    request: "responseBody",
    responseBody: { body: utf8(half), endOfStream: i === 1 },
  })) as [SentRequest, SentRequest];
  const first = turn(1, { request: "responseHeaders", responseHeaders: { headers, endOfStream: false } });
  return mode === "duplex" ? [first, turn(1, one, two)] : [first, turn(1, one), turn(1, two)];
}

function halves(text: string): readonly [string, string] {
  const middle = Math.floor(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}

function extAuthz(body: string): Exchange {
  const http = { method: "POST", path: "/mcp", host: "mcp.example", scheme: "http", size: -1, id: "r-1" };
  const sent = { ...http, headers: { "content-type": "application/json" }, rawBody: utf8(body) };
  const bytes = encodeCheckRequest({ attributes: { source: { principal: READER }, request: { http: sent } } });
  return {
    path: EXT_AUTHZ_PATH,
    turns: [{ frames: [toFrame(bytes)], answers: 1 }],
    isDenial: (message) => decodeCheckResponse(message).status.code !== STATUS_CODE.OK,
  };
}

const JSON_TYPE = "application/json";
const CALLED = result({ content: [{ type: "text", text: "hello" }] });
const LIST = request("tools/list");
const LISTED = result({ tools: ["echo", "hidden"].map((name) => ({ name, inputSchema: { type: "object" } })) });
const EVENTS_TYPE = "text/event-stream";
const LOGGED = notification("notifications/message", { level: "info", data: "working" });
const inEvents = (answer: string): string => `data: ${LOGGED}\n\ndata: ${answer}\n\n`;
const MODERN: Asking = { headers: modernHeaders("tools/call", "echo"), mode: "override", isUser: true };

/** Envoy leaves before the last turn. `more`: what has come of it by then. */
function left({ turns, ...exchange }: Exchange, more = new Uint8Array()): Exchange {
  const kept = turns.slice(0, -1);
  const { frames = [], answers = 0 } = kept.pop() ?? {};
  return { ...exchange, turns: [...kept, { frames: [Buffer.concat([...frames, more])], answers }], isLeft: true };
}

const EXCHANGES: Readonly<Record<string, Exchange>> = {
  "an allowed call": extProc(asked(toolsCall("echo")), answered(JSON_TYPE, CALLED)),
  "an allowed call of 2026-07-28, whose answer is asked for": extProc(
    asked(modernRequest("tools/call", { name: "echo" }), MODERN),
    answered(JSON_TYPE, CALLED),
  ),
  "a list": extProc(asked(LIST), answered(JSON_TYPE, LISTED)),
  "a list in an event stream": extProc(asked(LIST), answered(EVENTS_TYPE, inEvents(LISTED))),
  "a denied call": extProc(asked(toolsCall("hidden"))),
  "a batch of which a part is denied": extProc(
    asked(batch(toolsCall("hidden"), request("tools/list", {}, 2))),
    answered(JSON_TYPE, batch(LISTED.replace('"id":1', '"id":2'))),
  ),
  "what is no JSON": extProc(asked("{")),
  "an allowed call that is left within an event of its answer": left(
    extProc(asked(toolsCall("echo")), answered(EVENTS_TYPE, `data: ${CALLED}\n\n`)),
  ),
  "an allowed call that is left within a message of Envoy's": left(
    extProc(asked(toolsCall("echo")), answered(JSON_TYPE, CALLED)),
    Uint8Array.of(0, 0, 0, 0, 9, 1),
  ),
  "an allowed call in full duplex": extProc(
    asked(toolsCall("echo"), { mode: "duplex" }),
    answered(EVENTS_TYPE, inEvents(CALLED), "duplex"),
  ),
  "a list in full duplex": extProc(asked(LIST, { mode: "duplex" }), answered(JSON_TYPE, LISTED, "duplex")),
  "a denied call in full duplex": extProc(asked(toolsCall("hidden"), { mode: "duplex" })),
  "an allowed call through ext_authz": extAuthz(toolsCall("echo")),
  "a denied call through ext_authz": extAuthz(toolsCall("hidden")),
  "a list through ext_authz": extAuthz(LIST),
};

/** The exchange, and what the server does when it is over. */
async function play(server: Server, { path, turns, isLeft = false }: Exchange): Promise<Heard> {
  const heard = await ask(server.session, path, turns, isLeft);
  for (let i = 0; i < TURNS_TO_CLOSE && server.open.size > 0 && !server.hasEnded; i++) await nextTurn();
  for (let i = 0; i < TURNS_AFTER; i++) await nextTurn();
  return heard;
}

/** Of the event loop, for the server to hear that the stream is closed: far more than it takes. */
const TURNS_TO_CLOSE = 1_000;
/** For the decision log's write. */
const TURNS_AFTER = 3;

/** No more than without the fault, and OK for all of it only; or, in place of what had to come, a denial. */
function isContained({ messages, status }: Heard, whole: Heard, { isDenial }: Exchange): boolean {
  const at = messages.findIndex((message, i) => whole.messages[i]?.equals(message) !== true);
  if (at === -1) return status !== OK || messages.length === whole.messages.length;
  return messages.slice(at).every(isDenial) && at === messages.length - 1;
}

const sayings = ({ messages, status }: Heard) => ({ messages: messages.map(String), status });

test.each(Object.entries(EXCHANGES))(
  "%s: what fails within it lets nothing pass, and no place stays taken",
  async (_title, exchange) => {
    let server = await Server.start();
    try {
      const whole = await play(server, exchange);
      expect(whole.status).toBe(exchange.isLeft ? undefined : OK);
      expect(whole.messages.join()).not.toContain('hidden"');
      for (let n = 1; ; n++) {
        let heard = whole;
        const { count, last } = await callingSeams(async () => void (heard = await play(server, exchange)), n);
        if (!isContained(heard, whole, exchange))
          expect({ n, last, ...sayings(heard) }).toEqual({ n, last, ...sayings(whole) });
        if (count < n) break;
        // What a process that ends has held is gone with it.
        if (!server.hasEnded) expect({ n, last, held: server.held() }).toEqual({ n, last, held: NOTHING });
        if (server.hasEnded) {
          await server[Symbol.asyncDispose]();
          server = await Server.start();
        }
        expect({ n, last, ...sayings(await play(server, exchange)) }).toEqual({ n, last, ...sayings(whole) });
      }
    } finally {
      await server[Symbol.asyncDispose]();
    }
  },
);
