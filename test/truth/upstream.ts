/** An MCP server that ends each call as the name of the tool says: the ways of going wrong, each on its own. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

type Message = {
  readonly id?: unknown;
  readonly method: string;
  readonly params: { readonly [name: string]: unknown };
};

const FOR_EVER_MS = 24 * 3_600_000;

export class ScriptedServer implements AsyncDisposable {
  readonly #server: Server;
  /** Of calls that their callers are to leave: who waits for them, by request id. */
  readonly #arrivals = new Map<string, () => void>();
  /** Calls that are to be taken back: how to end them, by JSON-RPC id. */
  readonly #cancellable = new Map<unknown, () => void>();

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response));
    // Closing an idle connection would race with the next call on it.
    this.#server.keepAliveTimeout = FOR_EVER_MS;
  }

  static async start(): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    await once(server.#server.listen(0, "127.0.0.1"), "listening");
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when the request has arrived here. */
  arrival(requestId: string): Promise<void> {
    return new Promise((resolve) => void this.#arrivals.set(requestId, resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request).catch(() => undefined);
    if (body === undefined) return;
    const requestId = String(request.headers["x-request-id"]);
    this.#arrivals.get(requestId)?.();
    this.#arrivals.delete(requestId);
    if (request.method === "GET") return void beginEvents(response);
    if (request.method === "DELETE") return void response.writeHead(204).end();
    const parsed = JSON.parse(body) as Message | readonly Message[];
    if (Array.isArray(parsed)) {
      const answers = (parsed as readonly Message[]).filter(({ id }) => id !== undefined).map((one) => answerTo(one));
      return sendJson(response, `[${answers.join(",")}]`);
    }
    this.#answer(parsed as Message, response);
  }

  #answer(message: Message, response: ServerResponse): void {
    if (message.method === "notifications/cancelled") {
      this.#cancellable.get(message.params["requestId"])?.();
      return void response.writeHead(202).end();
    }
    if (message.id === undefined) return void response.writeHead(202).end();
    switch (message.method === "tools/call" ? message.params["name"] : "json-ok") {
      case "events-ok":
      case "events-error":
      case "events-rpc-error":
        return void beginEvents(response).end(event(answerTo(message)));
      case "status-500":
        return void response.writeHead(500, { "content-type": "text/plain" }).end("down");
      case "status-401":
        return void response.writeHead(401, { "www-authenticate": "Bearer" }).end();
      case "status-404":
        return sendJson(response, answerTo(message), 404);
      case "dies-at-once":
        return void response.socket?.destroy();
      case "dies-in-json":
        response.writeHead(200, { "content-type": "application/json", "content-length": 1_000 });
        return void response.write('{"jsonrpc":"2.0",', () => response.socket?.destroy());
      case "dies-in-events":
        return void beginEvents(response, () => response.socket?.destroy());
      case "ends-without-answer":
        return void beginEvents(response).end();
      case "ends-to-be-resumed":
        return void beginEvents(response).end(
          'id: 7\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n',
        );
      case "is-left-in-answer":
        return void beginEvents(response);
      case "is-left-before-answer":
      case "never-answers":
        return;
      case "is-taken-back":
        beginEvents(response);
        return void this.#cancellable.set(message.id, () => response.end());
      default:
        return sendJson(response, answerTo(message));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

const event = (data: string): string => `event: message\ndata: ${data}\n\n`;

const PROGRESS = event(
  JSON.stringify({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: 1 } }),
);

function beginEvents(response: ServerResponse, onWritten = (): void => {}): ServerResponse {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(PROGRESS, onWritten);
  return response;
}

function sendJson(response: ServerResponse, json: string, status = 200): void {
  response
    .writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(json) })
    .end(json);
}

const ERROR_CODES: Readonly<Record<string, number>> = {
  "json-rpc-error": -32_602,
  "events-rpc-error": -32_603,
  "status-404": -32_001,
};

function answerTo({ id, method, params }: Message): string {
  const name = String(params["name"]);
  const code = method === "tools/call" ? ERROR_CODES[name] : undefined;
  if (code !== undefined) return JSON.stringify({ jsonrpc: "2.0", id, error: { code, message: "as the name says" } });
  return JSON.stringify({ jsonrpc: "2.0", id, result: { resultType: "complete", ...resultOf(method, name) } });
}

const QUESTION = {
  method: "elicitation/create",
  params: { mode: "form", message: "Which one?", requestedSchema: { type: "object", properties: {} } },
};

function resultOf(method: string, name: string): object {
  switch (method) {
    case "initialize":
      return { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: { name: "scripted", version: "1" } };
    case "tools/list":
      return { tools: ["json-ok", "forbidden"].map((tool) => ({ name: tool, inputSchema: { type: "object" } })) };
    case "prompts/get":
      return { messages: [] };
    case "resources/read":
      return { contents: [{ uri: "demo://one", text: "one" }] };
    case "tools/call":
      return {
        content: [{ type: "text", text: name }],
        ...(name.endsWith("-error") ? { isError: true } : {}),
        ...(name === "asks-for-input" ? { resultType: "input_required", inputRequests: { one: QUESTION } } : {}),
      };
    default:
      return {};
  }
}
