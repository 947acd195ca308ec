import { describe, expect, test } from "vitest";
import { foldsToMember } from "../../../src/core/mcp/result-filter.ts";
import { AS_IT_CAME, deliveredTo } from "../../fixtures/deliveries.ts";
import { result } from "../../fixtures/messages.ts";

/** All that a result is filtered by. */
const MEMBERS = [
  "tools",
  "prompts",
  "resources",
  "resourceTemplates",
  "skills",
  "tasks",
  "content",
  "contents",
  "messages",
  "capabilities",
  "inputRequests",
  "cacheScope",
  "result",
  "error",
];

describe.each(MEMBERS)("the member %s of a result", (name) => {
  const value = { inputRequests: {}, cacheScope: "private", capabilities: {}, result: {}, error: {} }[name] ?? [];

  test("is delivered under its own name", () => {
    expect(deliveredTo(result({ [name]: value }))).toBe(AS_IT_CAME);
  });

  test("is not delivered under another that a reader who ignores case takes for it", () => {
    const variants = [
      name.toUpperCase(),
      name.charAt(0).toUpperCase() + name.slice(1),
      name.replace("s", "\u017f"),
      name.replace("k", "\u212a"),
    ];
    for (const key of new Set(variants)) {
      if (key === name) continue;
      const fault = `withheld: it has ${JSON.stringify(key)}, which some read as another member`;
      expect(deliveredTo(result({ [key]: value })), key).toBe(fault);
      expect(deliveredTo(result({ [name]: value, [key]: value })), key).toBe(fault);
      expect(foldsToMember(key)).toBe(true);
    }
  });

  test("may stand beside what only resembles it", () => {
    for (const key of [`${name}x`, `${name} `, ` ${name}`, `_${name}`, name.slice(1)]) {
      expect(foldsToMember(key), key).toBe(false);
      expect(deliveredTo(result({ [key]: [{ name: "a", uri: "x:/b" }] })), key).toBe(AS_IT_CAME);
    }
  });
});

describe("a result with several members", () => {
  test("has each of them filtered, and the first fault of any told", () => {
    const value = {
      tools: [{ name: "a" }, { name: "b" }],
      content: [{ type: "resource_link", uri: "x:/b" }],
      structuredContent: { tools: [{ name: "b" }] },
      _meta: { tools: [{ name: "b" }] },
      capabilities: { logging: {} },
      cacheScope: "public",
    };
    expect(deliveredTo(result(value), ["tool a"])).toBe(
      result({ ...value, tools: [{ name: "a" }], content: [], capabilities: {}, cacheScope: "private" }),
    );
    expect(deliveredTo(result({ ...value, contents: 1 }), ["tool a"])).toBe(
      'withheld: it has "contents" that is not a list',
    );
  });

  test("inside another, as a task has one, is filtered to its last level", () => {
    const inner = (tools: readonly object[]) => ({ status: "completed", result: { result: { tools }, x: 1 } });
    const eyes = { method: "tasks/get" } as const;
    expect(deliveredTo(result(inner([{ name: "a" }, { name: "b" }])), ["tool a"], eyes)).toBe(
      result(inner([{ name: "a" }])),
    );
    expect(deliveredTo(result({ result: { Tools: [] } }), [], eyes)).toMatch(/^withheld/);
    expect(deliveredTo(result({ result: { inputRequests: { a: { method: "roots/list" } } } }), [], eyes)).toMatch(
      /^withheld/,
    );
  });

  test.each([1, "x", null, [{ tools: [] }], true])("has nothing in it when result or error is %j", (value) => {
    expect(deliveredTo(result({ result: value }))).toBe(AS_IT_CAME);
    expect(deliveredTo(result({ error: value }))).toBe(AS_IT_CAME);
  });
});

describe("what a result asks the client for", () => {
  const asks = (inputRequests: unknown): string => result({ resultType: "input_required", inputRequests });
  const ONE = { method: "elicitation/create", params: { message: "m" } };
  const refused = "withheld: it asks the client for input that no rule allows";
  const to = (inputRequests: unknown, ...granted: readonly string[]): string =>
    deliveredTo(
      asks(inputRequests),
      granted.map((method) => `method ${method}`),
      { era: "modern" },
    );

  test.each(["sampling/createMessage", "elicitation/create", "roots/list"])("needs a rule that allows %s", (method) => {
    expect(to({ a: { method } }, method, "answer")).toBe(AS_IT_CAME);
    expect(to({ a: { method } }, "answer", "tasks/get", "ping")).toBe(refused);
  });

  test("is granted as a whole, or not", () => {
    expect(to({ a: ONE, b: { method: "roots/list" } }, "elicitation/create", "roots/list")).toBe(AS_IT_CAME);
    expect(to({ a: ONE, b: { method: "roots/list" } }, "elicitation/create")).toBe(refused);
  });

  test.each([
    ["a method that is no request of a server", { a: { method: "tools/call" } }],
    ["a request for tasks, which only a stream has", { a: { method: "tasks/get" } }],
    ["a ping", { a: { method: "ping" } }],
    ["no method", { a: {} }],
    ["a method that is no text", { a: { method: 1 } }],
    ["no request", { a: null }],
    ["a list", [ONE]],
    ["text", "elicitation/create"],
    ["null", null],
  ])("is not %s", (_, requests) => {
    expect(to(requests, "elicitation/create", "tools/call", "tasks/get", "ping", "answer")).toBe(refused);
  });

  test("is held against the rules also where the result is not of that type", () => {
    const plain = result({ content: [], inputRequests: { a: ONE } });
    expect(deliveredTo(plain)).toBe(refused);
    expect(deliveredTo(plain, ["method elicitation/create"])).toBe(AS_IT_CAME);
  });

  test("is not two methods at once in different case, nor two params", () => {
    expect(to({ a: { method: "roots/list", Method: "sampling/createMessage" } }, "roots/list")).toBe(refused);
    expect(to({ a: { Method: "roots/list" } }, "roots/list")).toBe(refused);
    expect(to({ a: { method: "roots/list", Params: {} } }, "roots/list")).toBe(refused);
  });

  test("shows a model no resource that its user could not read", () => {
    const sampling = (...content: readonly object[]) => ({
      method: "sampling/createMessage",
      params: { messages: content.map((one) => ({ role: "user", content: one })), maxTokens: 9 },
    });
    const [open, secret] = ["x:/a", "x:/b"].map((uri) => ({ type: "resource", resource: { uri, text: "t" } })) as [
      object,
      object,
    ];
    const granted = ["method sampling/createMessage", "resource x:/a"];
    expect(deliveredTo(asks({ a: sampling(open) }), granted)).toBe(AS_IT_CAME);
    expect(deliveredTo(asks({ a: sampling(open, secret) }), granted)).toBe(asks({ a: sampling(open) }));
    expect(deliveredTo(asks({ a: { ...sampling(), params: { Messages: [secret] } } }), granted)).toBe(
      'withheld: it has "Messages", which some read as another member',
    );
  });
});

describe("cacheScope", () => {
  test.each([null, 1, ["public"], { scope: "public" }, true])(
    "is nothing that a cache goes by when it is %j",
    (cacheScope) => {
      expect(deliveredTo(result({ cacheScope }))).toBe(AS_IT_CAME);
    },
  );

  test("becomes private in whatever case, and in what a task has come to", () => {
    for (const scope of ["Private", "PRIVATE", "private "])
      expect(deliveredTo(result({ cacheScope: scope }))).toBe(result({ cacheScope: "private" }));
    expect(deliveredTo(result({ result: { cacheScope: "public" } }), [], { method: "tasks/get" })).toBe(
      result({ result: { cacheScope: "private" } }),
    );
  });

  test("written with escapes is private already", () => {
    const text = result({ cacheScope: "privat_" }).replace("_", "\\u0065");
    expect(deliveredTo(text)).toBe(AS_IT_CAME);
  });
});
