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

export const toolName = (i: number): string => `tool-${i}`;

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

/** An answer to `tools/list` with 500 tools. */
export const LIST = Buffer.from(
  JSON.stringify({ jsonrpc: "2.0", id: 7, result: { tools: Array.from({ length: 500 }, (_, i) => tool(i)) } }),
);
