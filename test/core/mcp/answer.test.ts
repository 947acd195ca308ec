import { describe, expect, test } from "vitest";
import { deliver } from "../../../src/core/mcp/answer.ts";
import type { Delivery } from "../../../src/core/mcp/answer.ts";
import type { Asked } from "../../../src/core/mcp/asked.ts";
import { CLIENT_TASK_REQUESTS, METHODS, SERVER_REQUESTS } from "../../../src/core/mcp/methods.ts";
import type { KnownMethod, Method } from "../../../src/core/mcp/methods.ts";
import { askedWith } from "../../fixtures/asked.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";
import { AS_IT_CAME, deliveredTo } from "../../fixtures/deliveries.ts";
import { notification, request, result, rpcError } from "../../fixtures/messages.ts";

/** A delivery, with its fault as the sentence that it is. */
const told = ({ fault, ...rest }: Delivery) => ({ ...rest, fault: fault?.message, reason: fault?.reason });
type Told = ReturnType<typeof told>;
const answer = (text: string, granted: readonly string[] = [], id = "1"): Told =>
  told(deliver(utf8(text), askedWith(granted, { id })));
const textAfter = (delivery: Pick<Delivery, "bytes">): string | undefined =>
  delivery.bytes === undefined ? undefined : textOf(delivery.bytes);

/** Delivered as it came: the same bytes, not equal ones. */
function isUntouched(text: string, granted: readonly string[] = [], id = "1"): boolean {
  const bytes = utf8(text);
  return deliver(bytes, askedWith(granted, { id })).bytes === bytes;
}

describe("deliver() an answer", () => {
  test.each([
    [result({}), { kind: "ok" }],
    [result({ content: [] }), { kind: "ok" }],
    [result({ content: [], isError: false }), { kind: "ok" }],
    [result({ content: [], isError: true }), { kind: "tool_error" }],
    [result({ content: [], isError: "true" }), { kind: "ok" }],
    [result({ resultType: "complete", content: [] }), { kind: "ok" }],
    [result({ resultType: "complete", content: [], isError: true }), { kind: "tool_error" }],
    [rpcError(-32602), { kind: "rpc_error", code: -32602 }],
    [rpcError(0), { kind: "rpc_error", code: 0 }],
    ['{"jsonrpc":"2.0","id":1,"error":{"code":"x"}}', { kind: "rpc_error", code: 0 }],
    ['{"jsonrpc":"2.0","id":1,"error":{"code":1.5}}', { kind: "rpc_error", code: 0 }],
    ['{"jsonrpc":"2.0","id":1,"error":{"code":9007199254740993}}', { kind: "rpc_error", code: 0 }],
    ['{"jsonrpc":"2.0","id":1,"error":{}}', { kind: "rpc_error", code: 0 }],
    [rpcError(-32700, null), { kind: "rpc_error", code: -32700 }],
  ])("%s as it came, and knows how the call ended", (text, outcome) => {
    expect(isUntouched(text)).toBe(true);
    expect(answer(text)).toMatchObject({ outcome, hiddenItems: 0, fault: undefined });
  });

  test.each([
    [result({}, 2), "1"],
    [result({}, "1"), "1"],
    [result({}, 1), '"1"'],
    [rpcError(-1, 2), "1"],
  ])("%s not to a request with the id %s", (text, id) => {
    expect(answer(text, [], id)).toMatchObject({
      bytes: undefined,
      outcome: undefined,
      fault: "answers another request",
    });
  });

  test("with any id where nobody's request opened the stream", () => {
    const bytes = utf8(result({}, 2));
    expect(deliver(bytes, askedWith([], { pending: undefined })).bytes).toBe(bytes);
  });

  test.each([
    ["{", "is not acceptable JSON: the document ends: expected ',' or '}'"],
    [
      '{"jsonrpc":"2.0","id":1,"result":{},"result":{}}',
      "is not acceptable JSON: a key stands twice in one object at byte 37",
    ],
    [`${result({})}{}`, "is not acceptable JSON: byte 36 is unexpected: expected the end of the document"],
    [`[${result({})}]`, "is not a JSON-RPC message: a message must be one JSON object"],
    [
      '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}',
      'is not a JSON-RPC message: a message has a "method", a "result" or an "error"',
    ],
    [
      '{"jsonrpc":"2.0","id":1,"method":"x","result":{}}',
      "is not a JSON-RPC message: a message with a method has no result and no error",
    ],
    ['{"jsonrpc":"2.0","id":1,"Result":{}}', 'is not a JSON-RPC message: a message has no member "Result"'],
    ['{"jsonrpc":"2.0","id":1.0,"result":{}}', 'is not a JSON-RPC message: "id" must be a string or an integer'],
    ['{"jsonrpc":"2.0","result":{}}', 'is not a JSON-RPC message: "id" must be a string or an integer'],
    ["null", "is not a JSON-RPC message: a message must be one JSON object"],
  ])("%s not: it %s", (text, fault) => {
    expect(answer(text)).toEqual({
      bytes: undefined,
      outcome: undefined,
      answers: undefined,
      hiddenItems: 0,
      listed: [],
      changedTools: [],
      isAcknowledgement: false,
      fault,
      reason: "unreadable",
    });
  });
});

describe("deliver() a result that asks the client for more", () => {
  const INPUT = { resultType: "input_required", inputRequests: { a: { method: "elicitation/create" } } };
  const TASK = { resultType: "task", taskId: "t" };
  const LEGACY_TASK = { task: { taskId: "t", status: "working" } };
  const asks = "asks the client for input that no rule allows";
  const isTask = "is a task, which needs a rule that allows tasks/get";

  test.each([
    [INPUT, asks],
    [TASK, isTask],
    [LEGACY_TASK, isTask],
    [{ isError: true, ...INPUT }, asks],
    [{ isError: true, ...TASK }, isTask],
    [{ isError: true, ...LEGACY_TASK }, isTask],
  ])("not without a grant: %j", (value, fault) => {
    expect(answer(result(value))).toMatchObject({ bytes: undefined, outcome: { kind: "transport_error" }, fault });
  });

  test("with one, and knows that the call is not at its end", () => {
    const granted = ["method answer", "method elicitation/create"];
    expect(isUntouched(result(INPUT), granted)).toBe(true);
    expect(answer(result(INPUT), granted).outcome).toEqual({ kind: "input_required" });
  });

  test("not with one for another request of the server than it asks for", () => {
    expect(answer(result(INPUT), ["method answer", "method roots/list"])).toMatchObject({
      bytes: undefined,
      fault: asks,
    });
    const two = { ...INPUT, inputRequests: { ...INPUT.inputRequests, b: { method: "sampling/createMessage" } } };
    expect(answer(result(two), ["method answer", "method elicitation/create"])).toMatchObject({
      bytes: undefined,
      fault: asks,
    });
  });

  test.each(["unknown", "Complete", "", 1, null, ["complete"], {}])("not of the type %j", (resultType) => {
    for (const more of [{}, { isError: true }]) {
      expect(answer(result({ resultType, ...more }), ["method answer"])).toMatchObject({
        bytes: undefined,
        fault: "has a result of a type that is not known",
      });
    }
  });
});

const REQUESTS = (Object.entries(METHODS) as [KnownMethod, Method][]).filter(([, { kind }]) => kind === "request");

describe.each(REQUESTS)("deliver() to a request of %s", (method) => {
  const outcomeOf = (value: object, granted: readonly string[], more: Partial<Asked> = {}) =>
    deliver(utf8(result(value)), askedWith(granted, { method, ...more })).outcome;
  const of = (value: object, ...granted: readonly string[]): string => deliveredTo(result(value), granted, { method });
  const isTasks = method.startsWith("tasks/");

  test("a task in place of the result only where MCP has that, and with a rule that allows to get it", () => {
    for (const task of [
      { resultType: "task", taskId: "t" },
      { task: { taskId: "t", status: "working" } },
      { content: [], task: { taskId: "t" } },
    ]) {
      if (isTasks) {
        // What a task is about is said as a task there, and the method itself was granted.
        expect([of(task), outcomeOf(task, [])]).toEqual([AS_IT_CAME, { kind: "ok" }]);
        continue;
      }
      const has = method === "tools/call";
      expect(of(task, "method tasks/get")).toBe(has ? AS_IT_CAME : "withheld: it is a task, which this method has not");
      expect(outcomeOf(task, ["method tasks/get"])).toEqual({ kind: has ? "task" : "transport_error" });
      expect(of(task, "method tasks/result", "method tasks/list")).toMatch(/^withheld: it is a task, which /);
    }
  });

  test("a request for input only where MCP has that, and with a rule that allows it", () => {
    const asks = { resultType: "input_required", inputRequests: { a: { method: "roots/list" } } };
    const state = { resultType: "input_required", requestState: "s" };
    const may = ["tools/call", "prompts/get", "resources/read"].includes(method);
    const mayNot = "withheld: it asks the client for input, which this method may not";
    const refused = may ? "withheld: it asks the client for input that no rule allows" : mayNot;
    expect(of(asks, "method roots/list")).toBe(may ? AS_IT_CAME : mayNot);
    expect(outcomeOf(asks, ["method roots/list"])).toEqual({ kind: may ? "input_required" : "transport_error" });
    expect(of(asks, "method elicitation/create")).toBe(refused);
    // It hands out its state alone, which comes back as an answer.
    expect(of(state, "method answer")).toBe(may ? AS_IT_CAME : mayNot);
    expect(of(state, "method roots/list")).toBe(refused);
  });
});

describe("deliver() on a stream that nobody's request opened", () => {
  const of = (value: object, ...granted: readonly string[]): string =>
    deliveredTo(result(value, 99), granted, { pending: undefined });

  test("a task and a request for input with their rules, whatever they answer", () => {
    const task = { task: { taskId: "t" } };
    expect(of(task, "method tasks/get")).toBe(AS_IT_CAME);
    expect(of(task)).toBe("withheld: it is a task, which needs a rule that allows tasks/get");
    const asks = { resultType: "input_required", inputRequests: { a: { method: "roots/list" } } };
    expect(of(asks, "method roots/list")).toBe(AS_IT_CAME);
    expect(of(asks)).toBe("withheld: it asks the client for input that no rule allows");
  });
});

describe("deliver() what could be a task or a request for input to another reader", () => {
  test.each([{ task: "t" }, { task: {} }, { task: { taskId: 1 } }, { task: null }, { task: [{ taskId: "t" }] }])(
    "as a plain result when it is none: %j",
    (value) => {
      expect(answer(result(value)).outcome).toEqual({ kind: "ok" });
      expect(isUntouched(result(value))).toBe(true);
    },
  );

  // An empty list of requests asks for nothing and hands out the state all the same, which needs a rule that allows
  // answers; without the member it is refused.
  test("not with an empty list of requests beside its state", () => {
    expect(answer(result({ resultType: "input_required", inputRequests: {}, requestState: "s" }))).toMatchObject({
      bytes: undefined,
    });
  });

  test.each([
    { ResultType: "task", taskId: "t" },
    { resultType: "complete", ResultType: "task", taskId: "t" },
    { Task: { taskId: "t" } },
    { task: {}, TASK: { taskId: "t" } },
    { RequestState: "s" },
    { isError: false, IsError: true },
  ])("not in another case: %j", (value) => {
    expect(answer(result(value))).toMatchObject({ bytes: undefined });
  });

  // A reader who ignores case sees a task here that no rule allows.
  test("not as a task whose id is in another case", () => {
    expect(answer(result({ task: { TaskId: "t" } }))).toMatchObject({ bytes: undefined });
  });
});

describe("deliver() what is no answer", () => {
  test("notifications and pings as they came", () => {
    for (const text of [
      notification("notifications/progress", { progressToken: 1, progress: 2, _meta: {} }),
      request("ping"),
      request("ping", {}, "x"),
    ]) {
      expect(isUntouched(text)).toBe(true);
      expect(answer(text).outcome).toBeUndefined();
    }
  });

  test.each(["sampling/createMessage", "elicitation/create", "roots/list"])("%s only when it is granted", (method) => {
    const text = request(method, {}, 99);
    expect(answer(text)).toMatchObject({
      bytes: undefined,
      outcome: undefined,
      fault: `asks the client for ${method}, which no rule allows`,
    });
    expect(answer(text, ["method answer"]).bytes).toBeUndefined();
    expect(isUntouched(text, [`method ${method}`])).toBe(true);
  });

  test.each(CLIENT_TASK_REQUESTS)("%s, of tasks that the client owns, only when it is granted", (method) => {
    expect(deliveredTo(request(method, { taskId: "t" }, 99))).toBe(
      `withheld: it asks the client for ${method}, which no rule allows`,
    );
    expect(deliveredTo(request(method, { taskId: "t" }, 99), [`method ${method}`])).toBe(AS_IT_CAME);
  });

  test("no request at all in the modern era, which has none: not even a ping", () => {
    for (const method of ["ping", ...SERVER_REQUESTS, ...CLIENT_TASK_REQUESTS]) {
      const text = request(method, {}, 99);
      expect(deliveredTo(text, [`method ${method}`], { era: "modern" }), method).toMatch(/^withheld: it asks/);
      expect(deliveredTo(text, [`method ${method}`]), method).toBe(AS_IT_CAME);
    }
  });

  test("sampling without the resources in its messages that the caller could not read", () => {
    const resource = (uri: string) => ({ role: "user", content: { type: "resource", resource: { uri, text: "t" } } });
    const ask = (...uris: readonly string[]): string =>
      request("sampling/createMessage", { messages: uris.map(resource), maxTokens: 9 }, 99);
    const granted = ["method sampling/createMessage", "resource x:/a"];
    expect(deliveredTo(ask("x:/a"), granted)).toBe(AS_IT_CAME);
    expect(deliveredTo(ask("x:/b", "x:/a"), granted)).toBe(ask("x:/a"));
    expect(deliveredTo(request("sampling/createMessage", { MESSAGES: [] }, 99), granted)).toMatch(/^withheld/);
    expect(deliveredTo(request("sampling/createMessage", undefined, 99), granted)).toBe(AS_IT_CAME);
    const elicitation = request("elicitation/create", { messages: [resource("x:/b")] }, 99);
    expect(deliveredTo(elicitation, ["method elicitation/create"])).toBe(AS_IT_CAME);
  });

  test("no request that MCP does not know, whatever is granted", () => {
    for (const method of ["tools/call", "x", "Ping", "constructor"])
      expect(answer(request(method), [`method ${method}`]).bytes, method).toBeUndefined();
  });
});

describe("deliver() a list", () => {
  const tools = (...names: readonly unknown[]) => names.map((name) => ({ name, inputSchema: { type: "object" } }));

  test("without what the caller may not use: order, cursor, unknown fields and numbers stay", () => {
    const text =
      '{"jsonrpc":"2.0","id":1,"result":{ "nextCursor":"c\\u0031", "tools":[{"name":"a","n":1.0} , {"name":"b"},\n{"x":9007199254740993,"name":"c"}],"z":1e2}}';
    const delivery = answer(text, ["tool a", "tool c"]);
    expect(textAfter(delivery)).toBe(
      '{"jsonrpc":"2.0","id":1,"result":{ "nextCursor":"c\\u0031", "tools":[{"name":"a","n":1.0},\n{"x":9007199254740993,"name":"c"}],"z":1e2}}',
    );
    expect(delivery).toMatchObject({ hiddenItems: 1, outcome: { kind: "ok" } });
  });

  test("as it came when nothing is hidden, spaces and all", () => {
    const text = '{"jsonrpc":"2.0","id":1,"result":{"tools":[ {"name":"a"} , {"name":"b"} ]}}';
    expect(isUntouched(text, ["tool a", "tool b"])).toBe(true);
    expect(isUntouched(result({ tools: [] }))).toBe(true);
  });

  test("that is empty when nothing may be used", () => {
    const delivery = answer(result({ tools: tools("a", "b"), nextCursor: "x" }));
    expect(textAfter(delivery)).toBe(result({ tools: [], nextCursor: "x" }));
    expect(delivery.hiddenItems).toBe(2);
  });

  test.each([
    [["a"], ["a"]],
    [["b"], ["b"]],
    [["c"], ["c"]],
    [
      ["a", "b"],
      ["a", "b"],
    ],
    [
      ["a", "c"],
      ["a", "c"],
    ],
    [
      ["b", "c"],
      ["b", "c"],
    ],
  ])("of which %j are granted", (granted, expected) => {
    const delivery = answer(
      result({ tools: tools("a", "b", "c") }),
      granted.map((name) => `tool ${name}`),
    );
    expect(textAfter(delivery)).toBe(result({ tools: tools(...expected) }));
    expect(delivery.hiddenItems).toBe(3 - expected.length);
  });

  test.each([
    ["prompts", "name", "prompt"],
    ["resources", "uri", "resource"],
    ["resourceTemplates", "uriTemplate", "template"],
  ])("of %s by their %s", (list, key, kind) => {
    const text = result({ [list]: [{ [key]: "x:/a" }, { [key]: "x:/b" }] });
    expect(textAfter(answer(text, [`${kind} x:/b`, "tool x:/a"]))).toBe(result({ [list]: [{ [key]: "x:/b" }] }));
  });

  test("without entries that have no name, or none that a call could use", () => {
    const odd: readonly unknown[] = [
      {},
      { name: 1 },
      { name: "" },
      { name: "a\0" },
      { Name: "a" },
      "a",
      null,
      [],
      ["a"],
      1,
    ];
    const delivery = deliver(
      utf8(result({ tools: [...odd, { name: "a" }] })),
      askedWith([], { isVisible: () => true }),
    );
    expect(textAfter(delivery)).toBe(result({ tools: [{ name: "a" }] }));
    expect(delivery.hiddenItems).toBe(odd.length);
  });

  test("without resources whose URI is not in normal form", () => {
    const text = result({
      resources: [{ uri: "x:/a/../b" }, { uri: "x:/b" }],
      resourceTemplates: [{ uriTemplate: "{+u}" }],
    });
    const delivery = deliver(utf8(text), askedWith([], { isVisible: ({ odd }) => odd === undefined }));
    expect(textAfter(delivery)).toBe(result({ resources: [{ uri: "x:/b" }], resourceTemplates: [] }));
  });

  test("by the decoded name", () => {
    const text = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"\\u0061"},{"n\\u0061me":"b"},{"name":"c"}]}}';
    expect(textAfter(answer(text, ["tool a", "tool b"]))).toBe(
      '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"\\u0061"},{"n\\u0061me":"b"}]}}',
    );
  });

  test("without an entry that a reader who ignores case could take for another", () => {
    const text = result({ tools: [{ name: "a", Name: "hidden" }, { NAME: "hidden", name: "a" }, { name: "a" }] });
    expect(textAfter(answer(text, ["tool a"]))).not.toContain("hidden");
  });

  test("wherever it stands: not only where lists are asked for, and several at once", () => {
    const text = result({ content: [], tools: tools("a", "b"), prompts: [{ name: "p" }], cacheScope: "public" });
    expect(textAfter(answer(text, ["tool b"]))).toBe(
      result({ content: [], tools: tools("b"), prompts: [], cacheScope: "private" }),
    );
    const onAnyStream = deliver(utf8(text), askedWith([], { pending: undefined }));
    expect(textAfter(onAnyStream)).toBe(result({ content: [], tools: [], prompts: [], cacheScope: "private" }));
  });

  test("not as something else than a list, and not under a key in another case", () => {
    for (const value of [{}, "x", null, 1]) {
      expect(answer(result({ tools: value })).fault).toBe('has "tools" that is not a list');
      expect(answer(result({ resourceTemplates: value })).fault).toBe('has "resourceTemplates" that is not a list');
    }
    for (const key of [
      "Tools",
      "TOOLS",
      "tool\u017f",
      "Prompts",
      "re\u017fources",
      "resourcetemplates",
      "ResourceTemplates",
    ]) {
      expect(answer(result({ [key]: [] })), key).toMatchObject({
        bytes: undefined,
        fault: `has ${JSON.stringify(key)}, which some read as another member`,
      });
    }
  });

  test.each(["public", "shared", ""])("for no cache that others share: %j becomes private", (cacheScope) => {
    const text = result({ cacheScope, tools: tools("a"), ttlMs: 5 });
    expect(textAfter(answer(text, ["tool a"]))).toBe(result({ cacheScope: "private", tools: tools("a"), ttlMs: 5 }));
    expect(textAfter(answer(text))).toBe(result({ cacheScope: "private", tools: [], ttlMs: 5 }));
  });

  test("as it came when it is private already", () => {
    expect(isUntouched(result({ tools: tools("a"), cacheScope: "private" }), ["tool a"])).toBe(true);
  });

  test("and tells the names of tools and prompts, hidden ones too, for labels", () => {
    expect(answer(result({ tools: tools("a", 1, "b") }), ["tool a"]).listed).toEqual([
      { kind: "tool", names: ["a", "b"] },
    ]);
    expect(answer(result({ prompts: [{ name: "p" }] })).listed).toEqual([{ kind: "prompt", names: ["p"] }]);
    expect(answer(result({ resources: [{ uri: "x:/a" }] })).listed).toEqual([]);
  });
});
