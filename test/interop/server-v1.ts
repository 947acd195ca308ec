/** The fixture on the TypeScript SDK v1: one `Server` for each session, on the loopback interface. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { InMemoryTaskStore } from "@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  CreateMessageResultSchema,
  ElicitResultSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListResourcesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { JSONRPCMessage, Result, ServerNotification, ServerRequest } from "@modelcontextprotocol/sdk/types.js";
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js";
import { EventStore } from "./event-store.ts";
import { FixtureServer, WATCHED } from "./fixture-server.ts";
import type { Caller } from "./fixture-server.ts";
import { FIXTURE } from "./fixture.ts";
import { serveFixture } from "./http-server.ts";

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

const RESOURCE_NOT_FOUND = -32_002;

const fixture = new FixtureServer((code, message, data) => new McpError(code, message, data));

function createFixture(): Server {
  const server = new Server(FIXTURE.serverInfo, {
    instructions: FIXTURE.instructions,
    capabilities: {
      tools: { listChanged: true },
      prompts: {},
      resources: { subscribe: true },
      completions: {},
      logging: {},
      tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
    },
    taskStore: new InMemoryTaskStore(),
  });
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => listing("tools", params?.cursor));
  server.setRequestHandler(ListPromptsRequestSchema, ({ params }) => listing("prompts", params?.cursor));
  server.setRequestHandler(ListResourcesRequestSchema, ({ params }) => listing("resources", params?.cursor));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, ({ params }) =>
    listing("resourceTemplates", params?.cursor),
  );
  server.setRequestHandler(
    GetPromptRequestSchema,
    ({ params }) => fixture.getPrompt(params.name, params.arguments ?? {}) as Result,
  );
  server.setRequestHandler(
    ReadResourceRequestSchema,
    ({ params }) => fixture.readResource(params.uri, RESOURCE_NOT_FOUND) as Result,
  );
  server.setRequestHandler(
    CompleteRequestSchema,
    ({ params }) => fixture.complete(params.argument.name, params.argument.value) as Result,
  );
  server.setRequestHandler(SubscribeRequestSchema, () => ({}));
  server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const { name, arguments: args = {} } = params;
    if (name === "elicit") return elicit(extra);
    if (name === "sample") return sample(extra);
    if (params.task !== undefined && extra.taskStore !== undefined) return startTask(name, extra);
    return (await fixture.callTool(name, args, callerOf(server, extra))) as Result;
  });
  return server;
}

function listing(kind: "tools" | "prompts" | "resources" | "resourceTemplates", cursor: string | undefined): Result {
  const { entries, nextCursor } = fixture.list(kind, cursor);
  return { [kind]: entries, ...(nextCursor === undefined ? {} : { nextCursor }) };
}

function callerOf(server: Server, extra: Extra): Caller {
  const { _meta: meta } = extra;
  return {
    signal: extra.signal,
    report: async (progress) => {
      if (meta?.progressToken === undefined) return;
      const params = { progressToken: meta.progressToken, progress, total: 3, message: `step ${progress}` };
      await extra.sendNotification({ method: "notifications/progress", params });
    },
    log: (level, data) =>
      extra.sendNotification({ method: "notifications/message", params: { level, logger: "fixture", data } }),
    announce: (what) =>
      what === "tools" ? server.sendToolListChanged() : server.sendResourceUpdated({ uri: WATCHED }),
    ...(extra.closeSSEStream === undefined ? {} : { hangUp: extra.closeSSEStream }),
  };
}

async function elicit(extra: Extra): Promise<Result> {
  const params = { mode: "form", ...FIXTURE.elicitation };
  const answer = await extra.sendRequest({ method: "elicitation/create", params } as ServerRequest, ElicitResultSchema);
  return { content: [{ type: "text", text: `${answer.action}: ${JSON.stringify(answer.content)}` }] };
}

async function sample(extra: Extra): Promise<Result> {
  const request = { method: "sampling/createMessage", params: FIXTURE.sampling } as ServerRequest;
  const { role, content, model } = await extra.sendRequest(request, CreateMessageResultSchema);
  return { content: [{ type: "text", text: `${role} of ${model}: ${JSON.stringify(content)}` }] };
}

async function startTask(name: string, { taskStore }: Extra): Promise<Result> {
  if (taskStore === undefined) throw new Error("the server has no tasks");
  const task = await taskStore.createTask({ ttl: 60_000, pollInterval: 10 });
  await taskStore.storeTaskResult(task.taskId, "completed", FIXTURE.answers[name] as Result);
  return { task };
}

const sessions = new Map<string, StreamableHTTPServerTransport>();

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const sessionId = request.headers["mcp-session-id"];
  const known = typeof sessionId === "string" ? sessions.get(sessionId) : undefined;
  if (known !== undefined) return known.handleRequest(request, response);
  if (sessionId !== undefined) return void response.writeHead(404).end();
  const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: new EventStore<JSONRPCMessage>(),
    retryInterval: 20,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await createFixture().connect(transport);
  await transport.handleRequest(request, response);
}

await serveFixture((request, response) => void serve(request, response));
