/**
 * An upstream of ours that records what reached it, and answers as a test wants: JSON, server-sent events, late, large,
 * broken. What is not in `executed` was never done on anybody's behalf.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export type Message = {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly [name: string]: unknown };
};

/** One HTTP request that arrived, whole or not. */
export type Seen = {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

export type Answer = (message: Message, response: ServerResponse) => void | Promise<void>;

export class Canary implements AsyncDisposable {
  readonly #server: Server;
  readonly #seen: Seen[] = [];
  readonly #arrived: IncomingHttpHeaders[] = [];
  /** What it answers with. To be changed by tests, which put it back. */
  answer: Answer = inJson;

  constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  static async start(): Promise<Canary> {
    const canary = new Canary();
    await canary.listen();
    return canary;
  }

  async listen(): Promise<void> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The requests that arrived to their end. */
  get seen(): readonly Seen[] {
    return this.#seen;
  }

  /** The headers of each request that arrived, whole or not. */
  get arrived(): readonly IncomingHttpHeaders[] {
    return this.#arrived;
  }

  /** How many requests arrived, their headers at least. */
  get touched(): number {
    return this.#arrived.length;
  }

  /** What was asked of it, by JSON-RPC method. */
  get executed(): readonly Message[] {
    return this.#seen.flatMap(({ method, body }) => (method === "POST" ? [JSON.parse(body) as Message] : []));
  }

  forget(): void {
    this.#seen.length = 0;
    this.#arrived.length = 0;
    this.answer = inJson;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#arrived.push(request.headers);
    const body = await text(request).catch(() => undefined);
    if (body === undefined) return; // Cut off before its end.
    const { method = "", headers } = request;
    this.#seen.push({ method, headers, body });
    if (method === "GET") return inEvents({ method: "GET" }, response);
    if (method === "DELETE") return void response.writeHead(204).end();
    const message = JSON.parse(body) as Message;
    // A notification, or a client's answer; a batch has neither member.
    if (!Array.isArray(message) && (message.id === undefined || message.method === undefined))
      return void response.writeHead(202).end();
    await this.answer(message, response);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

/** Pages of `tools/list`, by cursor. Only `allowed...` may be used in the policies of these tests. */
const PAGES: Readonly<Record<string, { readonly names: readonly string[]; readonly next?: string }>> = {
  first: { names: ["allowed-one", "hidden-one"], next: "second" },
  second: { names: ["hidden-two", "hidden-three"], next: "third" },
  third: { names: ["allowed-two"] },
};

/** A tool with this argument answers with a text of so many characters. */
export const SIZE_ARGUMENT = "characters";

function resultOf({ method, params = {} }: Message): object {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params["protocolVersion"],
        capabilities: { tools: {}, prompts: {}, resources: {} },
        serverInfo: { name: "canary", version: "1" },
      };
    case "server/discover":
      return {
        resultType: "complete",
        supportedVersions: ["2026-07-28"],
        capabilities: { tools: {} },
        serverInfo: { name: "canary", version: "1" },
        ttlMs: 0,
        cacheScope: "private",
      };
    case "tools/list":
      return page(params["cursor"]);
    case "tools/call": {
      const { [SIZE_ARGUMENT]: size = 0 } = (params["arguments"] ?? {}) as { characters?: number };
      const output = size === 0 ? `done: ${String(params["name"])}` : "x".repeat(size);
      return { resultType: "complete", content: [{ type: "text", text: output }] };
    }
    default:
      return {};
  }
}

function page(cursor: unknown): object {
  const { names = [], next } = PAGES[typeof cursor === "string" ? cursor : "first"] ?? {};
  return {
    resultType: "complete",
    tools: names.map((name) => ({ name, inputSchema: { type: "object" } })),
    ...(next === undefined ? {} : { nextCursor: next }),
    ttlMs: 60_000,
    cacheScope: "public",
  };
}

export const answerTo = (message: Message): string =>
  JSON.stringify({ jsonrpc: "2.0", id: message.id, result: resultOf(message) });

export function inJson(message: Message, response: ServerResponse): void {
  sendJson(response, answerTo(message));
}

export function sendJson(response: ServerResponse, json: string, status = 200): void {
  response
    .writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(json) })
    .end(json);
}

const NOTIFICATION = JSON.stringify({
  jsonrpc: "2.0",
  method: "notifications/progress",
  params: { progressToken: 1, progress: 1, message: "working" },
});

/** A notification, then the answer; on a GET the notification alone, and the stream stays open. */
export function inEvents(message: Message, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.write(`event: message\ndata: ${NOTIFICATION}\n\n`);
  if (message.method !== "GET") response.end(`event: message\ndata: ${answerTo(message)}\n\n`);
}
