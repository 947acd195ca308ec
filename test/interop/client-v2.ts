/** The scenarios with the TypeScript SDK v2. The first argument is the era: `legacy`, or `auto` for what the server can. */
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { FIXTURE } from "./fixture.ts";
import type { Kind } from "./fixture.ts";
import { WATCHED } from "./fixture-server.ts";
import { Unsupported, runScenarios } from "./run-scenarios.ts";
import type { Heard, Session } from "./run-scenarios.ts";

const era = process.argv.splice(2, 1)[0] === "legacy" ? "legacy" : "auto";

async function connect(url: URL): Promise<Session> {
  const capabilities = { sampling: {}, elicitation: { form: {} }, roots: {} };
  const client = new Client({ name: "interop-v2", version: "1" }, { capabilities, versionNegotiation: { mode: era } });
  const heard: Heard[] = [];
  client.setRequestHandler("elicitation/create", () => FIXTURE.client.elicited as never);
  client.setRequestHandler("sampling/createMessage", () => FIXTURE.client.sampled as never);
  client.setNotificationHandler("notifications/message", ({ params }) => void heard.push({ kind: "log", params }));
  client.setNotificationHandler(
    "notifications/resources/updated",
    ({ params }) => void heard.push({ kind: "updated", params }),
  );
  client.setNotificationHandler(
    "notifications/tools/list_changed",
    ({ params = {} }) => void heard.push({ kind: "changed", params }),
  );
  const transport = new StreamableHTTPClientTransport(url);
  await client.connect(transport);

  const isModern = client.getProtocolEra() === "modern";
  const meta = isModern ? { _meta: { "io.modelcontextprotocol/logLevel": "debug" } } : {};
  const lists: Readonly<Record<Kind, () => Promise<Readonly<Record<string, unknown>>>>> = {
    tools: () => client.listTools(),
    prompts: () => client.listPrompts(),
    resources: () => client.listResources(),
    resourceTemplates: () => client.listResourceTemplates(),
  };
  return {
    heard,
    era: isModern ? "modern" : "legacy",
    describe: () => ({
      protocolVersion: client.getNegotiatedProtocolVersion(),
      serverInfo: client.getServerVersion(),
      capabilities: client.getServerCapabilities(),
      instructions: client.getInstructions(),
    }),
    // Without a cursor this SDK walks through the pages by itself.
    list: async (kind) => (await lists[kind]())[kind],
    callTool: (name, args, { onProgress, signal, timeoutMs } = {}) =>
      client.callTool(
        { name, arguments: args, ...meta },
        {
          onprogress: (params) => {
            heard.push({ kind: "progress", params });
            onProgress?.();
          },
          ...(signal === undefined ? {} : { signal }),
          ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
        },
      ),
    getPrompt: (name, args) => client.getPrompt({ name, arguments: args }),
    readResource: (uri) => client.readResource({ uri }),
    complete: (ref, argument) => client.complete({ ref: ref as never, argument }),
    setLevel: () => client.setLoggingLevel("debug"),
    ping: () => client.ping(),
    watch: async (kind) => {
      if (isModern) {
        const filter = kind === "changed" ? { toolsListChanged: true } : { resourceSubscriptions: [WATCHED] };
        const subscription = await client.listen(filter);
        return {
          granted: subscription.honoredFilter,
          stop: () => subscription.close().then(() => subscription.closed),
        };
      }
      if (kind === "changed") return { granted: "by the GET stream", stop: async () => undefined };
      await client.subscribeResource({ uri: WATCHED });
      return { granted: "by subscription", stop: () => client.unsubscribeResource({ uri: WATCHED }) };
    },
    runTask: () => {
      throw new Unsupported("SDK v2 has no tasks");
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
