/** Requests byte for byte, past any SDK: what an attacker or a stranger's client sends, and the answer as it came. */
import { Agent, request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { Agent as TlsAgent, request as requestOverTls } from "node:https";
import type { AgentOptions } from "node:https";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

export type Reply = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Whether the answer came to its end. When not, `text` is what came before the connection was cut. */
  readonly complete: boolean;
};

export type Ask = {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  /** In place of the URL's, and sent as it is. */
  readonly path?: string;
  readonly body?: string;
  /** Gets the text so far, whenever more of it has come. */
  readonly onText?: (text: string) => void;
  /** The caller's certificate, and whose to trust; for an https URL. */
  readonly tls?: AgentOptions;
};

const HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/** A connection of its own for each request: a cut one is nobody else's. */
const agent = new Agent({ keepAlive: false });

/** Resolves with whatever came; rejects only when nothing did. */
export function ask(url: URL, { token, headers, method = "POST", path, body, onText, tls }: Ask): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const options = { method, path: path ?? url.pathname, headers: { ...HEADERS, ...authorization, ...headers } };
  const outgoing =
    tls === undefined
      ? request(url, { ...options, agent })
      : requestOverTls(url, { ...options, agent: new TlsAgent({ ...tls, keepAlive: false }) });
  outgoing.on("response", (response) => {
    let soFar = "";
    const { statusCode: status = 0, headers: received } = response;
    const end = (): void => resolve({ status, headers: received, text: soFar, complete: response.complete });
    response.setEncoding("utf8").on("data", (chunk: string) => {
      soFar += chunk;
      onText?.(soFar);
    });
    response.on("end", end).on("error", end);
  });
  outgoing.on("error", reject).end(body);
  return promise;
}

/** The same over HTTP/2, on a session that may have many; what comes back is the test's to read. */
export function postOverHttp2(
  session: ClientHttp2Session,
  { token, headers, body }: Pick<Ask, "token" | "headers" | "body">,
): ClientHttp2Stream {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const stream = session.request({ ":method": "POST", ":path": "/mcp", ...HEADERS, ...authorization, ...headers });
  return stream.end(body);
}

let lastId = 0;

/** A JSON-RPC request with an id of its own. */
export const rpc = (method: string, params: object = {}): string =>
  JSON.stringify({ jsonrpc: "2.0", id: ++lastId, method, params });

export const callTool = (name: string, args: object = {}): string => rpc("tools/call", { name, arguments: args });

/** The `_meta` of a request of 2026-07-28, and the headers that have to say the same. */
export const MODERN_META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
export const modernHeaders = (method: string, name?: string): Readonly<Record<string, string>> => ({
  "mcp-protocol-version": "2026-07-28",
  "mcp-method": method,
  ...(name === undefined ? {} : { "mcp-name": name }),
});

/** Bytes as they are, and everything that comes back until the gateway closes: the last request must ask it to. */
export async function askRaw(port: number, ...requests: readonly string[]): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.write(requests.join(""));
  return text(socket);
}
