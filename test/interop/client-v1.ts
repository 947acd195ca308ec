/** The scenarios with the TypeScript SDK v1. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { FIXTURE } from "./fixture.ts";
import type { Kind } from "./fixture.ts";
import { WATCHED } from "./fixture-server.ts";
import { Unsupported, runScenarios } from "./run-scenarios.ts";
import type { Heard, Session } from "./run-scenarios.ts";

type Page = { readonly nextCursor?: string | undefined; readonly [member: string]: unknown };

async function connect(url: URL): Promise<Session> {
  const capabilities = { sampling: {}, elicitation: { form: {} }, roots: {} };
  const client = new Client({ name: "interop-v1", version: "1" }, { capabilities });
  const heard: Heard[] = [];
  client.setRequestHandler(ElicitRequestSchema, () => FIXTURE.client.elicited as never);
  client.setRequestHandler(CreateMessageRequestSchema, () => FIXTURE.client.sampled as never);
  client.setNotificationHandler(
    LoggingMessageNotificationSchema,
    ({ params }) => void heard.push({ kind: "log", params }),
  );
  client.setNotificationHandler(
    ResourceUpdatedNotificationSchema,
    ({ params }) => void heard.push({ kind: "updated", params }),
  );
  client.setNotificationHandler(
    ToolListChangedNotificationSchema,
    ({ params = {} }) => void heard.push({ kind: "changed", params }),
  );
  const transport = new StreamableHTTPClientTransport(url);
  await client.connect(transport);

  const pages: Readonly<Record<Kind, (params: { cursor?: string }) => Promise<Page>>> = {
    tools: (params) => client.listTools(params),
    prompts: (params) => client.listPrompts(params),
    resources: (params) => client.listResources(params),
    resourceTemplates: (params) => client.listResourceTemplates(params),
  };
  return {
    heard,
    era: "legacy",
    describe: () => ({
      protocolVersion: transport.protocolVersion,
      serverInfo: client.getServerVersion(),
      capabilities: client.getServerCapabilities(),
      instructions: client.getInstructions(),
    }),
    list: async (kind) => {
      const entries: unknown[] = [];
      let cursor: string | undefined;
      do {
        const page = await pages[kind](cursor === undefined ? {} : { cursor });
        entries.push(...(page[kind] as unknown[]));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return entries;
    },
    callTool: (name, args, { onProgress, signal, timeoutMs } = {}) =>
      client.callTool({ name, arguments: args }, undefined, {
        onprogress: (params) => {
          heard.push({ kind: "progress", params });
          onProgress?.();
        },
        ...(signal === undefined ? {} : { signal }),
        ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
      }),
    getPrompt: (name, args) => client.getPrompt({ name, arguments: args }),
    readResource: (uri) => client.readResource({ uri }),
    complete: (ref, argument) => client.complete({ ref: ref as never, argument }),
    setLevel: () => client.setLoggingLevel("debug"),
    ping: () => client.ping(),
    watch: async (kind) => {
      if (kind === "changed") return { granted: "by the GET stream", stop: async () => undefined };
      await client.subscribeResource({ uri: WATCHED });
      return { granted: "by subscription", stop: () => client.unsubscribeResource({ uri: WATCHED }) };
    },
    runTask: async (name) => {
      if (client.getServerCapabilities()?.tasks === undefined) throw new Unsupported("the server has no tasks");
      const messages = client.experimental.tasks.callToolStream({ name }, undefined, { task: { ttl: 60_000 } });
      let taskId = "";
      for await (const message of messages) {
        if (message.type === "error") throw message.error;
        if (message.type === "taskCreated") ({ taskId } = message.task);
        if (message.type !== "result") continue;
        const { status } = await client.experimental.tasks.getTask(taskId);
        const { tasks } = await client.experimental.tasks.listTasks();
        return { status, result: message.result, isListed: tasks.some((task) => task.taskId === taskId) };
      }
      throw new Error("the stream of the task has ended without a result");
    },
    terminate: async () => {
      const { sessionId = "" } = transport;
      await transport.terminateSession();
      return sessionId;
    },
    close: () => client.close(),
  };
}

await runScenarios(connect);
