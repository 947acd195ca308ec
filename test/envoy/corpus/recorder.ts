/**
 * The MCP server of the ring: it writes down everything that reaches it, by the case that its marker header names, and
 * answers what the case says. What is not written down here was never done on anybody's behalf.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { seededCut } from "../../fixtures/corpus.ts";
import type { ServerAnswer } from "../../fixtures/corpus.ts";
import { resultOf } from "./result.ts";

/** Says which case a request belongs to. Toolgate lets it pass, as any header that means nothing. */
export const MARKER = "x-case";
/** Says in an answer that it is the server's own, and to which case. */
export const EXECUTED = "x-executed";

/** A request that has reached the server, with its headers at least. */
export type Arrival = {
  readonly method: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly trailers: HeaderList;
  /** Whether it came to its end. */
  readonly isWhole: boolean;
};

const NO_REQUEST: Arrival = { method: "", headers: [], body: Buffer.alloc(0), trailers: [], isWhole: false };

export class Recorder implements AsyncDisposable {
  readonly #server: Server;
  readonly #arrivals = new Map<string, Arrival[]>();
  readonly #answers = new Map<string, ServerAnswer>();
  #count = 0;

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response));
    // A connection that Envoy reuses while it is closed has a request on it that is counted and never comes.
    this.#server.keepAliveTimeout = 0;
    // Bytes that are no request have arrived as well. A connection that is cut is nothing new.
    this.#server.on("clientError", ({ code = "" }: NodeJS.ErrnoException, socket) => {
      if (code.startsWith("HPE_") && code !== "HPE_INVALID_EOF_STATE") this.#note("", NO_REQUEST);
      socket.destroy();
    });
  }

  static async start(): Promise<Recorder> {
    const recorder = new Recorder();
    await once(recorder.#server.listen(0, "127.0.0.1"), "listening");
    return recorder;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many requests have arrived and are at their end, whole or not. */
  get count(): number {
    return this.#count;
  }

  /** The markers of everything that has arrived; empty text for what has none. */
  get markers(): readonly string[] {
    return [...this.#arrivals.keys()];
  }

  arrivals(marker: string): readonly Arrival[] {
    return this.#arrivals.get(marker) ?? [];
  }

  /** Answers the request with this marker byte for byte. */
  prepare(marker: string, answer: ServerAnswer): void {
    this.#answers.set(marker, answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = pairs(request.rawHeaders);
    const marker = headers.find(([name]) => name === MARKER)?.[1] ?? "";
    const { method = "" } = request;
    const body = await buffer(request).catch(() => undefined);
    const trailers = pairs(request.rawTrailers);
    this.#note(marker, { method, headers, body: body ?? Buffer.alloc(0), trailers, isWhole: body !== undefined });
    // An answer to a client that has left has nobody to read it.
    response.on("error", () => {});
    if (body === undefined) return;
    const prepared = this.#answers.get(marker);
    if (prepared === undefined) execute(marker, method, body, response);
    else await sendPieces(prepared, response);
  }

  #note(marker: string, arrival: Arrival): void {
    this.#count += 1;
    this.#arrivals.set(marker, [...this.arrivals(marker), arrival]);
  }
}

const pairs = (raw: readonly string[]): HeaderList =>
  Array.from({ length: raw.length / 2 }, (_, i) => [String(raw[2 * i]), String(raw[2 * i + 1])]);

/** As a server does that takes what it gets. */
function execute(marker: string, method: string, body: Buffer, response: ServerResponse): void {
  response.setHeader(EXECUTED, marker);
  if (method === "GET") {
    const headers = { "content-type": "text/event-stream" };
    response.writeHead(200, headers).end('data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n');
    return;
  }
  const message = parse(body.toString());
  if (message?.id === undefined) return void response.writeHead(202).end();
  const json = JSON.stringify({ jsonrpc: "2.0", id: message.id, result: resultOf(message, marker) });
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(json) }).end(json);
}

type Message = { readonly id?: unknown; readonly method?: string; readonly params?: Readonly<Record<string, unknown>> };

function parse(text: string): Message | undefined {
  try {
    return (JSON.parse(text) ?? undefined) as Message | undefined;
  } catch {
    return undefined; // What no server should have got: that it is here is what counts.
  }
}

async function sendPieces({ headers, body, stalls }: ServerAnswer, response: ServerResponse): Promise<void> {
  const [status, ...others] = headers;
  response.sendDate = false;
  response.writeHead(Number(status?.[1]), others.flat());
  for (const piece of seededCut(3, body.length <= 2_048 ? 100 : 65_536)(body)) {
    response.write(piece);
    // A write of its own; it is up to the system whether it is a packet of its own.
    await setImmediate();
  }
  if (!stalls) response.end();
}
