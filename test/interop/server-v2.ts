/**
 * The fixture on the TypeScript SDK v2, in both eras at one URL: requests of 2026-07-28 one by one, sessions for the rest,
 * as its documentation shows it.
 */
import { randomUUID } from "node:crypto";
import {
  ProtocolError,
  Server,
  WebStandardStreamableHTTPServerTransport,
  createMcpHandler,
  inputRequired,
  isLegacyRequest,
} from "@modelcontextprotocol/server";
import type {
  InputRequiredResult,
  JSONRPCMessage,
  McpHttpHandler,
  Result,
  ServerContext,
} from "@modelcontextprotocol/server";
import { toNodeHandler } from "@modelcontextprotocol/node";
import type { NodeIncomingMessageLike } from "@modelcontextprotocol/node";
import { EventStore } from "./event-store.ts";
import { FixtureServer, WATCHED } from "./fixture-server.ts";
import type { Caller } from "./fixture-server.ts";
import { FIXTURE } from "./fixture.ts";
import { serveFixture } from "./http-server.ts";
import type { Era } from "./scenario.ts";

const RESOURCE_NOT_FOUND = { legacy: -32_002, modern: -32_602 };

const fixture = new FixtureServer((code, message, data) => new ProtocolError(code, message, data));

function createFixture(era: Era): Server {
  const server = new Server(FIXTURE.serverInfo, {
    instructions: FIXTURE.instructions,
    capabilities: {
      tools: { listChanged: true },
      prompts: {},
      resources: { subscribe: true },
      completions: {},
      logging: {},
    },
  });
  server.setRequestHandler("tools/list", ({ params }) => listing("tools", params?.cursor) as never);
  server.setRequestHandler("prompts/list", ({ params }) => listing("prompts", params?.cursor) as never);
  server.setRequestHandler("resources/list", ({ params }) => listing("resources", params?.cursor) as never);
  server.setRequestHandler(
    "resources/templates/list",
    ({ params }) => listing("resourceTemplates", params?.cursor) as never,
  );
  server.setRequestHandler(
    "prompts/get",
    ({ params }) => fixture.getPrompt(params.name, params.arguments ?? {}) as never,
  );
  server.setRequestHandler(
    "resources/read",
    ({ params }) => fixture.readResource(params.uri, RESOURCE_NOT_FOUND[era]) as never,
  );
  server.setRequestHandler(
    "completion/complete",
    ({ params }) => fixture.complete(params.argument.name, params.argument.value) as never,
  );
  if (era === "legacy") {
    server.setRequestHandler("resources/subscribe", () => ({}));
    server.setRequestHandler("resources/unsubscribe", () => ({}));
  }
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    const { name, arguments: args = {} } = params;
    if (name === "elicit" || name === "sample") return ask(name, context) as never;
    return (await fixture.callTool(name, args, callerOf(server, era, context))) as never;
  });
  return server;
}

function listing(kind: "tools" | "prompts" | "resources" | "resourceTemplates", cursor: string | undefined): Result {
  const { entries, nextCursor } = fixture.list(kind, cursor);
  return { [kind]: entries, ...(nextCursor === undefined ? {} : { nextCursor }) };
}

function callerOf(server: Server, era: Era, { mcpReq, http }: ServerContext): Caller {
  const { _meta: meta } = mcpReq;
  return {
    signal: mcpReq.signal,
    report: async (progress) => {
      if (meta?.progressToken === undefined) return;
      const params = { progressToken: meta.progressToken, progress, total: 3, message: `step ${progress}` };
      await mcpReq.notify({ method: "notifications/progress", params });
    },
    log: (level, data) => mcpReq.log(level, data, "fixture"),
    announce: async (what) => {
      if (era === "modern")
        return what === "tools" ? modern.notify.toolsChanged() : modern.notify.resourceUpdated(WATCHED);
      await (what === "tools" ? server.sendToolListChanged() : server.sendResourceUpdated({ uri: WATCHED }));
    },
    ...(http?.closeSSE === undefined ? {} : { hangUp: http.closeSSE }),
  };
}

/** One way to ask for both eras: the SDK turns the result into a request of its own where the client knows no other. */
function ask(tool: "elicit" | "sample", { mcpReq }: ServerContext): Result | InputRequiredResult {
  const answer = mcpReq.inputResponses?.["answer"] as Readonly<Record<string, unknown>> | undefined;
  if (answer === undefined) {
    const request =
      tool === "elicit"
        ? inputRequired.elicit(FIXTURE.elicitation as never)
        : inputRequired.createMessage(FIXTURE.sampling as never);
    return inputRequired({ inputRequests: { answer: request } });
  }
  const text =
    tool === "elicit"
      ? `${String(answer["action"])}: ${JSON.stringify(answer["content"])}`
      : `${String(answer["role"])} of ${String(answer["model"])}: ${JSON.stringify(answer["content"])}`;
  return { content: [{ type: "text", text }] };
}

const modern: McpHttpHandler = createMcpHandler(({ era }) => createFixture(era), { legacy: "reject" });
const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();

async function serveSession(request: Request): Promise<Response> {
  const sessionId = request.headers.get("mcp-session-id");
  const known = sessionId === null ? undefined : sessions.get(sessionId);
  if (known !== undefined) return known.handleRequest(request);
  if (sessionId !== null) return new Response(null, { status: 404 });
  const transport: WebStandardStreamableHTTPServerTransport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: new EventStore<JSONRPCMessage>(),
    retryInterval: 20,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await createFixture("legacy").connect(transport);
  return transport.handleRequest(request);
}

const handler = toNodeHandler({
  fetch: async (request, options) =>
    (await isLegacyRequest(request)) ? serveSession(request) : modern.fetch(request, options),
});
await serveFixture((request, response) => void handler(request as NodeIncomingMessageLike, response));
