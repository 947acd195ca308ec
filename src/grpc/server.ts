/**
 * Our gRPC server on `node:http2`: who listens, who is let in, and how it stops. One RPC is in `rpc.ts`.
 *
 * It is our own because of one limit. Envoy ends nearly every ext_proc stream with RST_STREAM, and nghttp2 takes that for
 * the rapid reset attack (CVE-2023-44487): after 1,000 in a burst, and then 33 a second, it closes the connection, and
 * every call in flight on it fails. `@grpc/grpc-js` does not pass on the two options that lift the limit.
 */
import { once } from "node:events";
import { lstat, rm } from "node:fs/promises";
import { constants, createSecureServer, createServer } from "node:http2";
import type {
  Http2SecureServer,
  Http2Server,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import { connect } from "node:net";
import type { TLSSocket } from "node:tls";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { RpcStream } from "./rpc.ts";
import type { Handler, RpcOptions } from "./rpc.ts";
import { STATUS_CODE } from "./status.ts";
import type { Status } from "./status.ts";
import type { Certificates, Tls } from "./tls.ts";

export type GrpcAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export type GrpcServerOptions = RpcOptions & {
  /** By path, `/package.Service/Method`. */
  readonly handlers: ReadonlyMap<string, Handler>;
  /** Undefined: without TLS. */
  readonly tls?: Tls | undefined;
  /** Told of a client that was not let in, and why. */
  readonly onStranger?: (why: string) => void;
};

export type GrpcServer = {
  /** Starts to listen, and says where: with port 0 the port is the system's choice. */
  listen(address: GrpcAddress): Promise<GrpcAddress>;
  /** Takes no more streams, waits for the open ones, and ends what is left after `graceMs` with UNAVAILABLE. */
  drain(graceMs: number): Promise<void>;
  /** Ends every stream with UNAVAILABLE, now. */
  close(): Promise<void>;
};

/**
 * Far above what one Envoy can do (some 10,000 streams a second), so that the limit never trips. It guards servers of
 * strangers; our peer is the proxy in front of us, and a stream costs it as much as us.
 */
const STREAM_RESETS = { streamResetBurst: 1_000_000, streamResetRate: 1_000_000 };

const LIMITS = {
  settings: {
    /** How much of a body is on its way, or held for a stream that is paused: 4 MiB come in four turns. */
    initialWindowSize: 2 ** 20,
    /** One per exchange in flight. Envoy opens another connection beyond it. */
    maxConcurrentStreams: 65_536,
  },
  /** In MB, for one connection. Node's 10 would refuse new streams as soon as a few large bodies are on their way. */
  maxSessionMemory: 1_024,
};

/** For all streams of a connection together. Node grants it anew as bytes arrive, read or not: it only sets the pace. */
const CONNECTION_WINDOW_BYTES = 16 * 2 ** 20;

/** How long the stream of a client stays that has its answer and forgets to close its half: once to twice this. */
const FORGOTTEN_MS = 10_000;

/** For the last trailers to leave, before connections are cut. */
const LAST_WORDS_MS = 1_000;

/** Of the event loop, for handlers to hear that their streams are closed: far more than it takes. */
const LAST_TURNS = 1_000;

const STOPPING: Status = { code: STATUS_CODE.UNAVAILABLE, message: "the server is stopping" };

/**
 * Envoy resets nearly every stream, and Node makes an Error with a stack of each reset that has a code. Nobody reads the
 * code here, so Node finds none: 9 to 19 us less a call, of 143.
 */
const NO_ERROR = { value: constants.NGHTTP2_NO_ERROR };

/** Makes a server that does not listen yet. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const server = createHttp2Server(options);
  const sessions = new Set<ServerHttp2Session>();
  const open = new Set<RpcStream>();
  const closed = new Promise<void>((resolve) => void server.once("close", resolve));

  server.on("session", (session) => {
    if (!isWelcome(session, options)) return session.destroy();
    sessions.add(session);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    session.on("close", () => sessions.delete(session));
  });

  server.on("stream", (stream, headers) => serve(stream, headers, options, open));

  const sweep = setInterval(() => {
    for (const rpc of open) rpc.releaseIfForgotten();
  }, FORGOTTEN_MS).unref();
  void closed.then(() => clearInterval(sweep));

  const refuseNewStreams = (): void => {
    if (server.listening) server.close();
    for (const session of sessions) session.close();
  };

  const cut = async (): Promise<void> => {
    refuseNewStreams();
    for (const rpc of open) rpc.abort(STOPPING);
    await within(LAST_WORDS_MS, closed);
    for (const session of sessions) session.destroy();
    await closed;
  };

  const isUp = (): boolean => server.listening || sessions.size > 0;

  const close = async (): Promise<void> => {
    if (isUp()) await cut();
    // A stream can outlive its session by some turns, and its handler has last words too: what becomes of its call. One
    // whose end got lost in an error would be waited for for ever.
    for (let turn = 0; open.size > 0 && turn < LAST_TURNS; turn++) await nextTurn();
  };

  const drain = async (graceMs: number): Promise<void> => {
    if (isUp()) {
      refuseNewStreams();
      await within(graceMs, closed);
    }
    await close();
  };

  return { listen: (address) => listen(server, address, options.onFault), drain, close };
}

type AnyServer = Http2Server | Http2SecureServer;

/** With TLS a client has to have a certificate of the CA, where one is named, before anything is read of it. */
function createHttp2Server({ tls, onStranger }: GrpcServerOptions): AnyServer {
  if (tls === undefined) return createServer({ ...STREAM_RESETS, ...LIMITS });
  const first = tls.current();
  const asks = first.ca !== undefined;
  const clients = { requestCert: asks, rejectUnauthorized: asks, minVersion: "TLSv1.2" } as const;
  const server = createSecureServer({ ...STREAM_RESETS, ...LIMITS, ...clients, ...contextOf(first) });
  tls.subscribe((certificates) => server.setSecureContext(contextOf(certificates)));
  server.on("tlsClientError", (error) => onStranger?.(error.message));
  server.on("unknownProtocol", () => onStranger?.("it does not speak HTTP/2"));
  return server;
}

const contextOf = ({ cert, key, ca }: Certificates) => ({ cert, key, ...(ca === undefined ? {} : { ca }) });

function isWelcome({ socket }: ServerHttp2Session, { tls, onStranger }: GrpcServerOptions): boolean {
  if (tls === undefined || tls.isNamed((socket as TLSSocket).getPeerX509Certificate())) return true;
  onStranger?.("its certificate has none of the names that may ask");
  return false;
}

function serve(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  options: GrpcServerOptions,
  open: Set<RpcStream>,
): void {
  // Nobody to tell: a reset or a lost connection reaches the handler as `closed`.
  stream.on("error", () => {});
  Object.defineProperty(stream, "rstCode", NO_ERROR);
  const refusal = whyNoRpc(headers);
  if (refusal !== undefined) return stream.respond(refusal, { endStream: true });
  const rpc = new RpcStream(stream, headers, options);
  open.add(rpc);
  stream.on("close", () => {
    open.delete(rpc);
    rpc.closed();
  });
  rpc.run(options.handlers.get(rpc.path) ?? unknownMethod, headers);
}

/** The HTTP answer for a request that is no gRPC, undefined for one that is. */
function whyNoRpc(headers: IncomingHttpHeaders): OutgoingHttpHeaders | undefined {
  if (headers[":method"] !== "POST") return { ":status": constants.HTTP_STATUS_METHOD_NOT_ALLOWED, allow: "POST" };
  const type = headers["content-type"];
  // application/grpc-web is another protocol.
  if (type === "application/grpc" || type?.startsWith("application/grpc+") || type?.startsWith("application/grpc;")) {
    return undefined;
  }
  return { ":status": constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE };
}

const unknownMethod: Handler = (rpc) =>
  rpc.end({ code: STATUS_CODE.UNIMPLEMENTED, message: `this server has no method ${rpc.path}` });

async function listen(
  server: AnyServer,
  address: GrpcAddress,
  onFault: GrpcServerOptions["onFault"],
): Promise<GrpcAddress> {
  if ("path" in address) await removeStaleSocket(address.path);
  server.listen(address);
  await once(server, "listening"); // Throws what `error` says until then.
  // Later ones are connections that could not be accepted: too many open files, say. The others go on.
  server.on("error", (error) => onFault(error, "listener"));
  const bound = server.address();
  if (typeof bound === "string" || bound === null) return address;
  return { host: bound.address, port: bound.port };
}

/** The socket file of a server that was killed stays, and would keep every later one from listening. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true) return; // Nothing there, or something that is not ours to remove: listen() says what.
  const probe = connect(path);
  const isServed = await once(probe, "connect").then(
    () => true,
    () => false,
  );
  probe.destroy();
  if (!isServed) await rm(path, { force: true });
}

async function within(limitMs: number, event: Promise<void>): Promise<void> {
  const timer = new AbortController();
  const limit = sleep(limitMs, undefined, { signal: timer.signal }).catch(() => {}); // Aborted: the event came first.
  await Promise.race([event, limit]);
  timer.abort();
}
