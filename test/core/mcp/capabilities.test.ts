import { describe, expect, test } from "vitest";
import { REQUEST_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import { trimInitialize } from "../../../src/core/mcp/capabilities.ts";
import { askedWith } from "../../fixtures/asked.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";
import { AS_IT_CAME, deliveredTo } from "../../fixtures/deliveries.ts";
import { request, result } from "../../fixtures/messages.ts";

const TASKS = ["get", "result", "list", "update", "cancel"].map((name) => `tasks/${name}`);
/** Where a capability stands, and the methods of which any one is enough. */
const NEEDS: readonly (readonly [path: readonly string[], methods: readonly string[]])[] = [
  [["logging"], ["logging/setLevel"]],
  [["completions"], ["completion/complete"]],
  [["tasks"], TASKS],
  [
    ["resources", "subscribe"],
    ["resources/subscribe", "subscriptions/listen"],
  ],
  [["extensions", "io.modelcontextprotocol/tasks"], ["tasks/get"]],
  [
    ["extensions", "io.modelcontextprotocol/skills"],
    ["skills/list", "skills/get"],
  ],
];

/** `{ <path>: value }` beside members that need nothing. */
const nested = (path: readonly string[], value: object): object =>
  path.toReversed().reduce<object>((inner, key) => ({ before: { x: 1 }, [key]: inner, after: true }), value);
/** The same without what the path leads to. */
const without = (path: readonly string[]): object =>
  JSON.parse(JSON.stringify(nested(path, GONE)).replaceAll(/"[^"]*":\{"gone":1\},/g, "")) as object;
const GONE = { gone: 1 };

const capable = (capabilities: unknown): string =>
  result({ protocolVersion: "2025-11-25", capabilities, instructions: "free text", serverInfo: { name: "s" } });

describe.each(NEEDS)("the capability %j", (path, methods) => {
  test("goes with its value when none of its methods is granted, and leaves what stands beside it", () => {
    const others = NEEDS.flatMap(([, all]) => all).filter((method) => !methods.includes(method));
    const granted = others.map((method) => `method ${method}`);
    expect(deliveredTo(capable(nested(path, GONE)), granted)).toBe(capable(without(path)));
  });

  test.each(methods)("stays with %s alone", (method) => {
    expect(deliveredTo(capable(nested(path, GONE)), [`method ${method}`])).toBe(AS_IT_CAME);
  });
});

describe("the capabilities of a server", () => {
  test("that need no rule stay", () => {
    const plain = {
      tools: { listChanged: true },
      prompts: {},
      resources: { listChanged: true },
      experimental: { logging: {} },
      extensions: { "com.example/x": {} },
    };
    expect(deliveredTo(capable(plain))).toBe(AS_IT_CAME);
  });

  test("that are no object name none", () => {
    for (const value of [["logging", {}, "resources", { subscribe: true }], { resources: ["subscribe", true] }])
      expect(deliveredTo(capable(value))).toBe(AS_IT_CAME);
  });

  test("may all go", () => {
    const all = { logging: {}, completions: {}, tasks: {}, resources: { subscribe: true }, extensions: {} };
    expect(deliveredTo(capable(all))).toBe(capable({ resources: {}, extensions: {} }));
  });

  test("of the extensions are named by their whole names", () => {
    const extensions = { tasks: {}, "io.modelcontextprotocol/tasks/x": {}, "IO.modelcontextprotocol/tasks": {} };
    expect(deliveredTo(capable({ extensions }))).toBe(AS_IT_CAME);
  });

  test.each([null, "x", 1, [], {}, { resources: true, extensions: ["x"] }])(
    "are as they came when they are %j",
    (value) => {
      expect(deliveredTo(capable(value))).toBe(AS_IT_CAME);
    },
  );

  test("are filtered whatever was asked for, and in what a task has come to", () => {
    expect(deliveredTo(result({ capabilities: { logging: {} } }), [], { method: "server/discover" })).toBe(
      result({ capabilities: {} }),
    );
    expect(deliveredTo(result({ result: { capabilities: { logging: {} } } }), [], { method: "tasks/get" })).toBe(
      result({ result: { capabilities: {} } }),
    );
  });
});

describe("trimInitialize()", () => {
  const CLIENT = {
    sampling: ["sampling/createMessage"],
    elicitation: ["elicitation/create"],
    roots: ["roots/list"],
    tasks: ["tasks/get", "tasks/result", "tasks/list", "tasks/cancel"],
  };
  const initialize = (capabilities: unknown): string =>
    request("initialize", { protocolVersion: "2025-11-25", capabilities, clientInfo: { name: "c", version: "1" } });
  const trimmed = (text: string, ...granted: readonly string[]): string => {
    const json = scan(utf8(text), REQUEST_SCAN);
    if (json.kind === "fault") throw new Error(json.message);
    return textOf(trimInitialize(json, askedWith(granted.map((method) => `method ${method}`))));
  };

  test.each(Object.entries(CLIENT))("takes the client's %s out, of which nothing is granted", (name, methods) => {
    const others = Object.values(CLIENT)
      .flat()
      .filter((method) => !methods.includes(method));
    const offers = { experimental: { x: 1 }, [name]: { listChanged: true }, more: {} };
    expect(trimmed(initialize(offers), ...others)).toBe(initialize({ experimental: { x: 1 }, more: {} }));
    for (const method of methods) expect(trimmed(initialize(offers), method), method).toBe(initialize(offers));
  });

  test("leaves nothing where nothing is granted, and all else of the request", () => {
    expect(trimmed(initialize(Object.fromEntries(Object.keys(CLIENT).map((name) => [name, {}]))))).toBe(initialize({}));
  });

  test("answers it in canonical form, and the very bytes when they are that", () => {
    expect(trimmed(` ${initialize({ sampling: {}, x: 1 })}`)).toBe(initialize({ x: 1 }));
    const json = scan(utf8(initialize({ x: 1 })), REQUEST_SCAN);
    if (json.kind === "fault") throw new Error(json.message);
    expect(trimInitialize(json, askedWith([]))).toBe(json.bytes);
  });

  test.each([undefined, null, [], "x", {}])("leaves capabilities that are %j alone", (capabilities) => {
    expect(trimmed(initialize(capabilities))).toBe(initialize(capabilities));
    expect(trimmed(request("initialize"))).toBe(request("initialize"));
  });
});
