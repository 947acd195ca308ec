import { describe, expect, test } from "vitest";
import { AS_IT_CAME, deliveredTo } from "../../fixtures/deliveries.ts";
import { result } from "../../fixtures/messages.ts";

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
