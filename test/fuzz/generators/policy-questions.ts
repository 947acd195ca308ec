/** What is asked of generated policies (`fixtures/arbitraries.ts`): their names and URIs, in every place they can stand. */

const TOOLS = ["echo", "get-env", "get-sum", "e", "x"];
const URIS = ["x:/a", "x:/a/b", "x:/secret", "x:/a/../secret"];
const request = (method: string, params: object = {}): string =>
  JSON.stringify({ jsonrpc: "2.0", id: method.length, method, params });

const SINGLE: readonly string[] = [
  ...TOOLS.map((name) => request("tools/call", { name })),
  ...TOOLS.map((name) => request("prompts/get", { name })),
  ...URIS.map((uri) => request("resources/read", { uri })),
  ...URIS.map((uri) => request("resources/subscribe", { uri })),
  request("completion/complete", { ref: { type: "ref/resource", uri: "x:/a/{b}" } }),
  request("tools/call", { name: "echo", requestState: "s" }),
  request("logging/setLevel", { level: "info" }),
  request("tasks/get", { taskId: "t" }),
  request("tools/list"),
  request("ping"),
];
/** A message each, batches, and a stream, which has none. */
export const REQUESTS: readonly string[] = [
  ...SINGLE,
  ...SINGLE.slice(0, 8).map((one, i) => `[${one},${SINGLE.at(-i - 1)}]`),
  "",
];

let marks = 0;
/** Stands in the stream once: who sees it, sees what it stands beside. */
const mark = (): string => `<${marks++}>`;
const result = (value: object): object => ({ jsonrpc: "2.0", id: 1, result: value });
const MESSAGES: readonly object[] = [
  result({ tools: TOOLS.map((name) => ({ name, title: mark() })) }),
  result({ prompts: TOOLS.map((name) => ({ name, title: mark() })) }),
  result({ resources: URIS.map((uri) => ({ uri, title: mark() })) }),
  result({ resourceTemplates: ["x:/a/{b}", "x:/{+a}", "{+u}"].map((uriTemplate) => ({ uriTemplate, title: mark() })) }),
  result({ content: URIS.map((uri) => ({ type: "resource_link", uri, name: mark() })) }),
  result({
    messages: URIS.map((uri) => ({ role: "user", content: { type: "resource", resource: { uri, text: mark() } } })),
  }),
  ...URIS.map((uri) => result({ contents: [{ uri, text: mark() }] })),
  result({ capabilities: { logging: { a: mark() }, tasks: { a: mark() }, resources: { subscribe: mark() } } }),
  result({ resultType: "input_required", inputRequests: { k: { method: "roots/list", params: { a: mark() } } } }),
  result({ resultType: "input_required", requestState: mark() }),
  result({ task: { taskId: mark() } }),
  { jsonrpc: "2.0", id: 1, error: { code: 1, message: mark(), data: mark() } },
  ...["roots/list", "sampling/createMessage", "ping", "other"].map((method) => ({
    jsonrpc: "2.0",
    id: 9,
    method,
    params: { a: mark() },
  })),
  ...["message", "progress", "tasks/status", "resources/updated", "other"].map((what) => ({
    jsonrpc: "2.0",
    method: `notifications/${what}`,
    params: { uri: "x:/a", message: mark(), data: mark() },
  })),
];

/** Everything that a server may say, with a mark in each part of it. */
export const MARKED_STREAM: string = MESSAGES.map((message) => `data: ${JSON.stringify(message)}\n\n`).join("");
