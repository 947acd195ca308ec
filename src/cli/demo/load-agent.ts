/**
 * One agent of `--load`: MCP by hand, since an official client neither leaves in the middle of an answer nor asks for
 * what must be refused. It reads every answer to its end, as agents do, and makes nothing of it.
 */
import { randomBytes } from "node:crypto";

const LEGACY = "2025-11-25";
const MODERN = "2026-07-28";

export type AgentOptions = {
  readonly url: URL;
  /** Undefined: a stranger. */
  readonly token: string | undefined;
  readonly name: string;
  /** Ends whatever it is doing. */
  readonly signal: AbortSignal;
};

/** How a request is made, where not as usual. */
export type Manner = {
  /** The caller has lost its patience by then, and cuts the connection. */
  readonly leaveAfterMs?: number;
  /** As of 2026-07-28: without a session, and with headers that say what the body says. */
  readonly modern?: boolean;
};

export class LoadAgent {
  readonly #options: AgentOptions;
  #sessionId: string | undefined;
  #stream: AbortController | undefined;
  readonly #underWay = new Set<Promise<void>>();
  #lastId = 0;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  /** Begins a session, and listens to what the server may send by itself. */
  async open(): Promise<void> {
    const clientInfo = { name: this.#options.name, version: "1.4.2" };
    const params = { protocolVersion: LEGACY, capabilities: {}, clientInfo };
    const answer = await this.#post({ id: ++this.#lastId, method: "initialize", params }, {});
    await answer.text();
    this.#sessionId = answer.headers.get("mcp-session-id") ?? undefined;
    if (this.#sessionId === undefined) return; // Refused, or the server keeps none.
    await this.#post({ method: "notifications/initialized" }, {}).then(async (accepted) => accepted.text());
    this.#stream = new AbortController();
    void this.#listen(this.#stream.signal).catch(() => undefined); // Ends with the session, whoever ends it.
  }

  /** Resolves when the answer has been read. */
  request(method: string, params: object = {}, manner: Manner = {}): Promise<void> {
    const doing = this.#ask(method, params, manner).finally(() => this.#underWay.delete(doing));
    this.#underWay.add(doing);
    return doing;
  }

  /** Ends the session when nothing is asked any more, and the stream in it. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    this.#stream?.abort();
    if (this.#sessionId === undefined) return;
    const { signal } = this.#options;
    const answer = await fetch(this.#options.url, { method: "DELETE", headers: this.#headers(), signal });
    await answer.text();
    this.#sessionId = undefined;
  }

  async #ask(method: string, params: object, manner: Manner): Promise<void> {
    const { name } = this.#options;
    const meta = manner.modern === true ? modernMeta(name) : { traceparent: newTraceparent() };
    const answer = await this.#post({ id: ++this.#lastId, method, params: { ...params, _meta: meta } }, manner);
    await answer.text();
  }

  #post(message: Readonly<Record<string, unknown>>, { leaveAfterMs, modern = false }: Manner): Promise<Response> {
    const { url, signal } = this.#options;
    return fetch(url, {
      method: "POST",
      headers: { ...this.#headers(), "content-type": "application/json", ...(modern ? modernHeaders(message) : {}) },
      body: JSON.stringify({ jsonrpc: "2.0", ...message }),
      signal: leaveAfterMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(leaveAfterMs)]),
    });
  }

  async #listen(left: AbortSignal): Promise<void> {
    const { url, signal } = this.#options;
    const answer = await fetch(url, { headers: this.#headers(), signal: AbortSignal.any([signal, left]) });
    await answer.text();
  }

  #headers(): Record<string, string> {
    const { token } = this.#options;
    return {
      accept: "application/json, text/event-stream",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(this.#sessionId === undefined ? {} : { "mcp-session-id": this.#sessionId, "mcp-protocol-version": LEGACY }),
    };
  }
}

/** A trace that an agent has begun. */
const newTraceparent = (): string => `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;

const modernMeta = (name: string): object => ({
  "io.modelcontextprotocol/protocolVersion": MODERN,
  "io.modelcontextprotocol/clientInfo": { name, version: "2.0.0" },
  "io.modelcontextprotocol/clientCapabilities": {},
  traceparent: newTraceparent(),
});

function modernHeaders(message: Readonly<Record<string, unknown>>): Record<string, string> {
  const { name } = message["params"] as { readonly name?: string };
  const ofName: Record<string, string> = name === undefined ? {} : { "mcp-name": name };
  return { "mcp-protocol-version": MODERN, "mcp-method": String(message["method"]), ...ofName };
}
