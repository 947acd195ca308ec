/**
 * The two official TypeScript SDKs behind one shape, so that each expectation is written once and holds for both. What the
 * SDKs throw and return is handed on as it is.
 */
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from "@modelcontextprotocol/client";
import type { ClientOptions as ClientOptionsV2 } from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js";

export type ListKind = "tools" | "prompts" | "resources";
export type Result = { readonly isError: boolean; readonly text: string };
export type Page = { readonly names: readonly string[]; readonly nextCursor: string | undefined };

export type Session = AsyncDisposable & {
  readonly sessionId: () => string | undefined;
  readonly page: (kind: ListKind, cursor?: string) => Promise<Page>;
  readonly callTool: (name: string, args?: Record<string, unknown>) => Promise<Result>;
  readonly getPrompt: (name: string) => Promise<string>;
  readonly readResource: (uri: string) => Promise<string>;
  /** DELETE. */
  readonly terminate: () => Promise<void>;
};

export type Connect = (url: URL, token?: string) => Promise<Session>;

const INFO = { name: "toolgate-e2e", version: "1" };

const requestInit = (token: string | undefined): { requestInit?: RequestInit } =>
  token === undefined ? {} : { requestInit: { headers: { authorization: `Bearer ${token}` } } };

export const connectV1: Connect = async (url, token) => {
  const transport = new TransportV1(url, requestInit(token));
  const client = new ClientV1(INFO);
  await client.connect(transport);
  return {
    sessionId: () => transport.sessionId,
    page: async (kind, cursor) => toPage(kind, await LIST[kind](client, cursor === undefined ? {} : { cursor })),
    callTool: async (name, args = {}) =>
      toResult(await client.request({ method: "tools/call", params: { name, arguments: args } }, CallToolResultSchema)),
    getPrompt: async (name) => textOf((await client.getPrompt({ name })).messages.map(({ content }) => content)),
    readResource: async (uri) => textOf((await client.readResource({ uri })).contents),
    terminate: () => transport.terminateSession(),
    [Symbol.asyncDispose]: () => client.close(),
  };
};

export const connectV2: Connect = async (url, token) => openV2(url, token, {});
/** The modern era, and no other. */
export const connectModern: Connect = async (url, token) =>
  openV2(url, token, { versionNegotiation: { mode: { pin: "2026-07-28" } } });

async function openV2(url: URL, token: string | undefined, options: ClientOptionsV2): Promise<Session> {
  const transport = new TransportV2(url, requestInit(token));
  const client = new ClientV2(INFO, options);
  await client.connect(transport);
  return {
    sessionId: () => transport.sessionId,
    // Without a cursor this SDK walks through all pages by itself.
    page: async (kind, cursor) => toPage(kind, await LIST[kind](client, cursor === undefined ? undefined : { cursor })),
    callTool: async (name, args = {}) => toResult(await client.callTool({ name, arguments: args })),
    getPrompt: async (name) => textOf((await client.getPrompt({ name })).messages.map(({ content }) => content)),
    readResource: async (uri) => textOf((await client.readResource({ uri })).contents),
    terminate: () => transport.terminateSession(),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

type Listing = { readonly nextCursor?: string | undefined; readonly [member: string]: unknown };
type Lister = (client: ClientV1 | ClientV2, params: { cursor?: string } | undefined) => Promise<Listing>;

const LIST: Readonly<Record<ListKind, Lister>> = {
  tools: (client, params) => client.listTools(params),
  prompts: (client, params) => client.listPrompts(params),
  resources: (client, params) => client.listResources(params),
};

function toPage(kind: ListKind, listing: Listing): Page {
  const entries = listing[kind] as readonly { readonly name: string; readonly uri?: string }[];
  return { names: entries.map(({ name, uri }) => uri ?? name), nextCursor: listing.nextCursor };
}

const toResult = ({ content, isError }: { content: readonly object[]; isError?: boolean | undefined }): Result => ({
  isError: isError === true,
  text: textOf(content),
});

const textOf = (parts: readonly object[]): string =>
  parts.map((part) => ("text" in part ? String(part.text) : "")).join("");
