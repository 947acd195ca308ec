/** What the load says and hears: a usual tool call with its answer, and a message that nobody answers. */
export type Load = { readonly name: "call" | "notification"; readonly body: string; readonly status: number };

/** Its answer is read: four messages between Envoy and the external processor. */
export const CALL: Load = {
  name: "call",
  body: '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"message":"the quick brown fox","language":"en"}}}',
  status: 200,
};

/** Decided only: the stream ends with the decision, after two messages. */
export const NOTIFICATION: Load = {
  name: "notification",
  body: '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"7","progress":0.5,"message":"half of it is done"}}',
  status: 202,
};

export const TOOL_RESULT =
  '{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"Echo: the quick brown fox"}],"isError":false}}';

/** As the SDK clients on Node send them. */
export const requestHeaders = (token: string): Readonly<Record<string, string>> => ({
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
  "accept-encoding": "gzip, deflate",
  "accept-language": "*",
  "user-agent": "node",
  "mcp-protocol-version": "2025-11-25",
  "mcp-session-id": "2f1c9f0e-6d3b-4b1e-9a57-0c2f4f9a1b77",
  authorization: `Bearer ${token}`,
});
