/** The calls that every profile decides on, by callers of every kind, and a server that has something of each. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import { inEvents, inJson, sendJson } from "./canary.ts";
import type { Answer, Message } from "./canary.ts";
import { MODERN_META, modernHeaders } from "./http.ts";
import type { Ask } from "./http.ts";
import { ISSUER } from "./tokens.ts";

/** Of the demo, and one role more that may do a little of everything, but for what is denied. */
export const policies = async (): Promise<string> =>
  `${await readFile(join(PACKAGE_ROOT, "examples", "policies", "everything.yaml"), "utf8")}---
apiVersion: toolgate.dev/v1alpha1
kind: MCPAccessPolicy
metadata: { name: narrow, namespace: tools }
spec:
  targetRefs: [{ kind: MCPServer, name: everything }]
  rules:
    - name: little
      action: Allow
      from: [{ jwt: { issuer: "${ISSUER}", claims: [{ name: role, values: [narrow] }] } }]
      to: [{ tools: ["get-*"] }, { prompts: [args-prompt] }, { resources: ["demo://resource/*"] }]
    - name: less
      action: Deny
      from: [{ jwt: { issuer: "${ISSUER}", claims: [{ name: role, values: [narrow] }] } }]
      to: [{ tools: [get-sum] }, { resources: ["demo://resource/static/2"] }]
`;

const LISTS: Readonly<Record<string, object>> = {
  "tools/list": {
    tools: ["echo", "get-sum", "get-env", "get-time", "trigger-long-running-operation"].map((name) => ({
      name,
      inputSchema: { type: "object" },
    })),
  },
  "prompts/list": { prompts: [{ name: "simple-prompt" }, { name: "args-prompt" }] },
  "resources/list": {
    resources: ["static/1", "static/2", "dynamic/1"].map((name) => ({ name, uri: `demo://resource/${name}` })),
  },
  "prompts/get": { messages: [] },
  "resources/read": { contents: [] },
  "completion/complete": { completion: { values: [] } },
};

const resultOf = ({ id, method = "" }: Message): string | undefined => {
  const result = LISTS[method];
  return result && JSON.stringify({ jsonrpc: "2.0", id, result });
};

export const server: Answer = (message, response) => {
  const result = resultOf(message);
  if (result === undefined) return inJson(message, response);
  sendJson(response, result);
};

const serverInEvents: Answer = (message, response) => {
  const result = resultOf(message);
  if (result === undefined) return inEvents(message, response);
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end(`data: ${result}\n\n`);
};

export type Call = Ask & { readonly title: string; readonly answer?: Answer };

const message = (method: string, params?: object): string => JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
const tool = (name: string, more: object = {}): string =>
  message("tools/call", { name, arguments: { message: "m", n: 1 }, ...more });

export const CALLS: readonly Call[] = [
  {
    title: "initialize",
    body: message("initialize", {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "test", version: "1" },
    }),
  },
  { title: "notifications/initialized", body: '{"jsonrpc":"2.0","method":"notifications/initialized"}' },
  { title: "ping", body: message("ping") },
  ...["tools/list", "prompts/list", "resources/list"].map((method) => ({ title: method, body: message(method) })),
  { title: "tools/list in events", body: message("tools/list"), answer: serverInEvents },
  ...["echo", "get-sum", "get-env", "get-time", "trigger-long-running-operation", "none"].map((name) => ({
    title: `the tool ${name}`,
    body: tool(name),
  })),
  { title: "a tool in events", body: tool("echo"), answer: serverInEvents },
  { title: "a tool that answers questions", body: tool("echo", { inputResponses: { a: {} }, requestState: "s" }) },
  ...["simple-prompt", "args-prompt"].map((name) => ({
    title: `the prompt ${name}`,
    body: message("prompts/get", { name }),
  })),
  ...["static/1", "static/2", "dynamic/1", "static/../dynamic/1"].map((name) => ({
    title: `the resource ${name}`,
    body: message("resources/read", { uri: `demo://resource/${name}` }),
  })),
  { title: "resources/subscribe", body: message("resources/subscribe", { uri: "demo://resource/static/1" }) },
  {
    title: "completion/complete",
    body: message("completion/complete", {
      ref: { type: "ref/prompt", name: "simple-prompt" },
      argument: { name: "a", value: "b" },
    }),
  },
  { title: "logging/setLevel", body: message("logging/setLevel", { level: "info" }) },
  { title: "a method that nobody knows", body: message("tools/run", { name: "echo" }) },
  { title: "an answer", body: '{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}' },
  { title: "the answer to a ping", body: '{"jsonrpc":"2.0","id":1,"result":{}}' },
  { title: "a call that is not in canonical form", body: ` ${tool("echo").replace("{", "{ ")}` },
  ...["echo", "get-env"].map((name) => ({
    title: `the tool ${name}, modern`,
    body: tool(name, { _meta: MODERN_META }),
    headers: modernHeaders("tools/call", name),
  })),
  {
    title: "another tool in the header",
    body: tool("echo", { _meta: MODERN_META }),
    headers: modernHeaders("tools/call", "get-env"),
  },
  { title: "another revision in the header", body: tool("echo", { _meta: MODERN_META }) },
  {
    title: "an argument in a header, modern",
    body: tool("echo", { _meta: MODERN_META }),
    headers: { ...modernHeaders("tools/call", "echo"), "mcp-param-message": "m" },
  },
  {
    title: "another argument in a header, modern",
    body: tool("echo", { _meta: MODERN_META }),
    headers: { ...modernHeaders("tools/call", "echo"), "mcp-param-message": "other" },
  },
  { title: "a header that means nothing", body: tool("echo"), headers: { "mcp-name": "get-env" } },
  { title: "a session", body: tool("echo"), headers: { "mcp-session-id": "s" } },
  { title: "two names", body: tool("echo").replace('"name":', '"name":"get-env","name":') },
  { title: "no JSON", body: "{" },
  { title: "a batch", body: `[${tool("echo")}]` },
  { title: "another type", body: tool("echo"), headers: { "content-type": "text/plain" } },
  { title: "DELETE", method: "DELETE" },
  { title: "PUT", method: "PUT", body: tool("echo") },
];
