/** Messages to measure with: usual ones, and large ones. As Buffers, which is what the gRPC edge hands on. */

export const CALL = Buffer.from(
  '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get-weather","arguments":{"city":"Z\u00fcrich","unit":"C","days":3,"detail":false}}}',
);

/** The same with white space and long escapes, as some encoders write them. */
export const LOOSE_CALL = Buffer.from(
  JSON.stringify(JSON.parse(CALL.toString()), undefined, 2).replace("Zürich", "Z\\u00FCrich"),
);

export const LARGE_CALL = Buffer.from(
  JSON.stringify({
    jsonrpc: "2.0",
    id: 7,
    method: "tools/call",
    params: {
      name: "write-file",
      arguments: { path: "/srv/a", text: "All work and no play makes code dull.\n".repeat(1725) },
    },
  }),
);

/** `reader` of the end-to-end run may use `get-*`: every other one. */
export const toolName = (i: number): string => `${i % 2 === 0 ? "get" : "set"}-${i}`;

const tool = (i: number): object => ({
  name: toolName(i),
  title: `Tool ${i}`,
  description: "Finds entries by their text and their labels, newest first, at most as many as the limit says.",
  inputSchema: {
    type: "object",
    properties: { query: { type: "string", description: "What to look for" }, limit: { type: "integer", minimum: 1 } },
    required: ["query"],
  },
});

export const TOOLS = Array.from({ length: 500 }, (_, i) => tool(i));
const listOf = (tools: readonly object[]): Buffer =>
  Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 7, result: { tools } }));

/** An answer to `tools/list` with 500 tools. */
export const LIST = listOf(TOOLS);
/** What of it is left for a caller who may see every other tool. */
export const HALF_LIST = listOf(TOOLS.filter((_, i) => i % 2 === 0));

export const TOOL_RESULT =
  '{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"Echo: the quick brown fox"}],"isError":false}}';

const progress = (i: number): string =>
  `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"progress":${i},"total":1000}}`;

/** A call answered as an event stream: 999 notifications, then the result. */
export const EVENTS: readonly string[] = Array.from(
  { length: 1_000 },
  (_, i) => `event: message\ndata: ${i < 999 ? progress(i) : TOOL_RESULT}\n\n`,
);
