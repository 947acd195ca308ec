/** What can be asked: each method of MCP with parameters as the specification has them, before it is written down. */
import * as fc from "fast-check";
import { jsonText } from "../../fixtures/arbitraries.ts";
import { arrayText, bracesAround, memberText, objectText } from "./json.ts";
import { promptNames, templates, toolNames, uris } from "./names.ts";

/** A method with its parameters as JSON text, and what the header `Mcp-Name` says of it in the modern era. */
export type Sketch = {
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
  readonly name: string | undefined;
  /** What `Mcp-Param-*` repeats of its arguments there. */
  readonly repeated: readonly (readonly [header: string, value: string])[];
  readonly kind: "request" | "notification" | "answer";
};

const text = (value: string): string => JSON.stringify(value);
/** What clients send as arguments, with the numbers and keys that careless readers change; at times it is not JSON at all. */
const argument = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom("1.0", "-0", "1E2", "9007199254740993", "0.10", "1e-7", '{"2":1,"1":2}', '"\\u00e9\\/"'),
  },
  { weight: 1, arbitrary: jsonText },
);
const argumentsText = fc
  .uniqueArray(fc.tuple(fc.constantFrom("message", "a", "b", "10", "2", "\u00e9", ""), argument), {
    maxLength: 4,
    selector: ([key]) => key,
  })
  .map((members) => bracesAround(members.map(([key, value]) => memberText(key, value))));
const sketch = (
  method: string,
  params: Sketch["params"] = {},
  name?: string,
  kind: Sketch["kind"] = "request",
): Sketch => ({
  method,
  params,
  name,
  repeated: [],
  kind,
});
const inputs = fc.constantFrom<Sketch["params"]>(
  {},
  {},
  {},
  {},
  { inputResponses: "{}" },
  { requestState: '"x"' },
  { task: '{"ttl":1.0}' },
);

const called = fc
  .tuple(toolNames, argumentsText, inputs)
  .map(([name, args, more]) => sketch("tools/call", { name: text(name), arguments: args, ...more }, name));
const REPEATED: readonly Sketch["repeated"][] = [
  [["mcp-param-region", "eu west"]],
  [
    ["mcp-param-region", "=?base64?ZXUgd2VzdA==?="],
    ["mcp-param-count", "42.0"],
  ],
  [["mcp-param-deep", "true"]],
  [["mcp-param-region", "us"]],
];
const repeated = fc.tuple(toolNames, fc.constantFrom(...REPEATED)).map(([name, headers]) => ({
  ...sketch(
    "tools/call",
    { name: text(name), arguments: '{"region":"eu west","count":42,"o":{"deep":true,"no":null},"list":["us"]}' },
    name,
  ),
  repeated: headers,
}));
const prompted = fc
  .tuple(promptNames, argumentsText)
  .map(([name, args]) => sketch("prompts/get", { name: text(name), arguments: args }, name));
const read = fc
  .tuple(
    fc.constantFrom("resources/read", "resources/read", "resources/subscribe", "resources/unsubscribe", "skills/get"),
    uris,
  )
  .map(([method, uri]) => sketch(method, { uri: text(uri) }, method === "resources/read" ? uri : undefined));
const listened = fc
  .record(
    {
      toolsListChanged: fc.constantFrom("true", "false"),
      resourceSubscriptions: fc.array(uris, { maxLength: 3 }).map((all) => arrayText(all.map(text))),
      taskIds: fc.constantFrom("[]", '["t"]'),
    },
    { requiredKeys: [] },
  )
  .map((filter) => sketch("subscriptions/listen", { notifications: objectText(filter) }));
const completed = fc
  .oneof(
    promptNames.map((name) => objectText({ type: '"ref/prompt"', name: text(name) })),
    fc.oneof(uris, templates).map((uri) => objectText({ type: '"ref/resource"', uri: text(uri) })),
  )
  .map((ref) => sketch("completion/complete", { ref, argument: '{"name":"a","value":""}' }));
const CAPABILITIES = '{"sampling":{},"roots":{"listChanged":true},"experimental":{"a":1.0}}';
const INFO = '{"name":"c","version":"1"}';
const plain = fc.constantFrom(
  sketch("ping"),
  sketch("tools/list"),
  sketch("tools/list", { cursor: '"x"' }),
  sketch("prompts/list"),
  sketch("resources/list"),
  sketch("resources/templates/list"),
  sketch("server/discover"),
  sketch("initialize", { protocolVersion: '"2025-06-18"', capabilities: CAPABILITIES, clientInfo: INFO }),
  sketch("logging/setLevel", { level: '"debug"' }),
  sketch("resources/directory/read", { uri: '"demo://resource/static/a"' }),
  sketch("skills/list"),
  sketch("tasks/get", { taskId: '"t"' }, "t"),
  sketch("tasks/result", { taskId: '"t"' }),
  sketch("tasks/update", { taskId: '"t"', inputResponses: "{}" }, "t"),
  sketch("tasks/cancel", { taskId: '"t\u0000"' }),
  sketch("tasks/list"),
  sketch("tools/Call", { name: '"echo"' }),
  sketch("sampling/createMessage", { messages: "[]" }),
);
const notified = fc.constantFrom(
  sketch("notifications/initialized", {}, undefined, "notification"),
  sketch("notifications/cancelled", { requestId: "1" }, undefined, "notification"),
  sketch("notifications/progress", { progressToken: "1", progress: "0.5" }, undefined, "notification"),
  sketch("notifications/roots/list_changed", {}, undefined, "notification"),
  sketch("notifications/elicitation/complete", {}, undefined, "notification"),
);
const answered = fc.constantFrom(
  sketch("result", { roots: "[]" }, undefined, "answer"),
  sketch("result", {}, undefined, "answer"),
  sketch("error", { code: "-1", message: '"no"' }, undefined, "answer"),
);
/** Every method of MCP, and some that it does not have. */
export const sketches = fc.oneof(
  { weight: 8, arbitrary: called },
  { weight: 1, arbitrary: repeated },
  { weight: 3, arbitrary: prompted },
  { weight: 3, arbitrary: read },
  { weight: 3, arbitrary: completed },
  { weight: 1, arbitrary: listened },
  { weight: 4, arbitrary: plain },
  { weight: 1, arbitrary: notified },
  { weight: 1, arbitrary: answered },
);
