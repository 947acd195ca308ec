/** One caller's MCP session, with the official SDK's client: what an agent would do, and nothing that knows Toolgate. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CallToolResultSchema, McpError } from "@modelcontextprotocol/sdk/types.js";

/** What a call got: the answer's first text, or why it was refused. */
export type Answer = { readonly refused: boolean; readonly text: string };

export type ListKind = "tools" | "prompts" | "resources";
export const LIST_KINDS: readonly ListKind[] = ["tools", "prompts", "resources"];

/** The server, or what is in front of it, did not take the caller in at all. */
export class SessionRefused extends Error {
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string, cause: unknown) {
    super(`the session was refused with HTTP ${status}`, { cause });
    this.status = status;
    this.body = body;
  }
}

type Page = { readonly names: readonly string[]; readonly nextCursor: string | undefined };

export class Session {
  readonly #client: Client;
  readonly #transport: StreamableHTTPClientTransport;

  private constructor(client: Client, transport: StreamableHTTPClientTransport) {
    this.#client = client;
    this.#transport = transport;
  }

  static async open(url: URL, token?: string): Promise<Session> {
    let failed: Response | undefined;
    const transport = new StreamableHTTPClientTransport(url, {
      requestInit: token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
      fetch: async (target, init) => {
        const response = await fetch(target, init);
        if (!response.ok) failed ??= response.clone();
        return response;
      },
    });
    const client = new Client({ name: "toolgate-demo", version: "1" });
    try {
      await client.connect(transport);
    } catch (error: unknown) {
      if (failed === undefined) throw error;
      throw new SessionRefused(failed.status, await failed.text(), error);
    }
    return new Session(client, transport);
  }

  /** Undefined with a server that keeps no sessions. */
  get id(): string | undefined {
    return this.#transport.sessionId;
  }

  /** All names of all pages; undefined when the server has no such thing. */
  async list(kind: ListKind): Promise<readonly string[] | undefined> {
    if (this.#client.getServerCapabilities()?.[kind] === undefined) return undefined;
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#page(kind, cursor === undefined ? {} : { cursor });
      names.push(...page.names);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return names;
  }

  async #page(kind: ListKind, params: { cursor?: string }): Promise<Page> {
    switch (kind) {
      case "tools": {
        const { tools, nextCursor } = await this.#client.listTools(params);
        return { names: tools.map(({ name }) => name), nextCursor };
      }
      case "prompts": {
        const { prompts, nextCursor } = await this.#client.listPrompts(params);
        return { names: prompts.map(({ name }) => name), nextCursor };
      }
      default: {
        kind satisfies "resources";
        const { resources, nextCursor } = await this.#client.listResources(params);
        return { names: resources.map(({ uri }) => uri), nextCursor };
      }
    }
  }

  async callTool(name: string, args: Record<string, unknown> = {}): Promise<Answer> {
    return refusalOr(async () => {
      const result = await this.#client.request(
        { method: "tools/call", params: { name, arguments: args } },
        CallToolResultSchema,
      );
      return { refused: result.isError === true, text: firstText(result.content) };
    });
  }

  async getPrompt(name: string): Promise<Answer> {
    return refusalOr(async () => {
      const { messages } = await this.#client.getPrompt({ name });
      return { refused: false, text: firstText(messages.map(({ content }) => content)) };
    });
  }

  async readResource(uri: string): Promise<Answer> {
    return refusalOr(async () => {
      const { contents } = await this.#client.readResource({ uri });
      return { refused: false, text: firstText(contents) };
    });
  }

  /** Leaves the session on the server as it is: its id goes on to work in the `curl` lines. */
  async close(): Promise<void> {
    await this.#client.close();
  }
}

async function refusalOr(call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error: unknown) {
    if (error instanceof McpError) return { refused: true, text: error.message };
    throw error;
  }
}

/** The first line of the first text, which is enough to see that the server has answered. */
function firstText(parts: readonly object[]): string {
  const text = parts.map((part) => ("text" in part ? String(part.text) : "")).find((line) => line !== "") ?? "";
  return text.split("\n", 1)[0] ?? "";
}
