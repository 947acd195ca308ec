import { describe, expect, test } from "vitest";
import { NO_ID, readMessage } from "../../../src/core/jsonrpc/message.ts";
import { REQUEST_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import { DEFAULT_LIMITS } from "../../../src/core/limits.ts";
import { readCall, sessionCall } from "../../../src/core/mcp/call.ts";
import type { Call, CallFault } from "../../../src/core/mcp/call.ts";
import type { HeaderClaim } from "../../../src/core/mcp/classify.ts";
import { METHODS } from "../../../src/core/mcp/methods.ts";
import type { KnownMethod, Method } from "../../../src/core/mcp/methods.ts";
import type { Result } from "../../../src/core/result.ts";
import { utf8 } from "../../fixtures/bytes.ts";
import { modernRequest, notification, request, result, REVISION, rpcError } from "../../fixtures/messages.ts";

const LEGACY: HeaderClaim = {
  era: "legacy",
  revision: undefined,
  method: undefined,
  name: undefined,
  params: [],
  isModernPossible: true,
};
const modern = (method: string | undefined, name?: string): HeaderClaim => ({
  era: "modern",
  revision: REVISION,
  method,
  name,
  params: [],
  isModernPossible: true,
});

function read(body: string, claim: HeaderClaim = LEGACY): Result<Call, CallFault> {
  const json = scan(utf8(body), REQUEST_SCAN);
  if (json.kind === "fault") throw new Error(json.message);
  const message = readMessage(json);
  if (message.kind === "invalid") throw new Error(message.message);
  return readCall(json, message, claim, DEFAULT_LIMITS);
}
const subjectsOf = (body: string, claim: HeaderClaim = LEGACY): string[] | string => {
  const call = read(body, claim);
  return call.ok
    ? call.value.subjects.map(({ kind, name }) => `${kind} ${name}`)
    : `${call.error.refusal.reason}: ${call.error.refusal.message}`;
};
const faultOf = (body: string, claim: HeaderClaim = LEGACY): string => String(subjectsOf(body, claim));

/** Params that are complete, for methods that need some. */
const PARAMS: { readonly [method: string]: object } = {
  "tools/call": { name: "echo" },
  "prompts/get": { name: "p" },
  "resources/read": { uri: "x:/a" },
  "resources/subscribe": { uri: "x:/a" },
  "resources/unsubscribe": { uri: "x:/a" },
  "resources/directory/read": { uri: "x:/a", cursor: "c" },
  "skills/get": { uri: "x:/a" },
  "subscriptions/listen": { notifications: { toolsListChanged: true, resourceSubscriptions: ["x:/a"], taskIds: [] } },
  "completion/complete": { ref: { type: "ref/prompt", name: "p" }, argument: { name: "a", value: "" } },
  "tasks/get": { taskId: "t" },
  "tasks/result": { taskId: "t" },
  "tasks/cancel": { taskId: "t" },
  "tasks/update": { taskId: "t", inputResponses: {} },
};
const ALL: readonly (readonly [name: string, method: Method])[] = Object.entries(METHODS);
const legacyOf = (name: string, { kind }: Method): string =>
  kind === "request" ? request(name, PARAMS[name]) : notification(name);

describe("readCall() of what a client says of itself", () => {
  const clientOf = (body: string, claim?: HeaderClaim): unknown => {
    const call = read(body, claim);
    return call.ok ? call.value.client : call.error;
  };
  const INFO = { name: "inspector", version: "2.12.0" };
  const initialize = (clientInfo: unknown): string =>
    request("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
  const modernCall = (clientInfo: unknown): string =>
    request("tools/call", {
      name: "echo",
      _meta: {
        "io.modelcontextprotocol/protocolVersion": REVISION,
        "io.modelcontextprotocol/clientInfo": clientInfo,
      },
    });

  test("is in initialize, and in any request since 2026-07-28", () => {
    expect(clientOf(initialize(INFO))).toEqual(INFO);
    expect(clientOf(modernCall(INFO), modern("tools/call", "echo"))).toEqual(INFO);
  });

  test("is nothing without a name, and need not have a version", () => {
    for (const info of [undefined, null, "inspector", [], {}, { name: 7 }, { version: "1" }])
      expect(clientOf(initialize(info)), JSON.stringify(info)).toBeUndefined();
    expect(clientOf(initialize({ name: "a", version: 1 }))).toEqual({ name: "a", version: undefined });
    expect(clientOf(request("initialize"))).toBeUndefined();
    expect(clientOf(request("tools/list", { clientInfo: INFO }))).toBeUndefined();
  });
});

describe("readCall() by the method table", () => {
  test.each(ALL)("%s is known in its eras only", (name, method) => {
    expect(read(legacyOf(name, method)).ok).toBe(method.era !== "modern");
    const params = { ...PARAMS[name], _meta: { "io.modelcontextprotocol/protocolVersion": REVISION } };
    const body = method.kind === "request" ? request(name, params) : notification(name, params);
    const named = { "tools/call": "echo", "prompts/get": "p", "resources/read": "x:/a" }[name];
    expect(read(body, modern(name, named)).ok).toBe(method.era !== "legacy");
  });

  test.each(ALL.filter(([, method]) => method.era !== "modern"))("%s is of one kind only", (name, method) => {
    const other = method.kind === "request" ? notification(name, PARAMS[name]) : request(name);
    expect(faultOf(other)).toBe(`malformed-request: ${name} is a ${method.kind}`);
  });

  test.each(ALL.filter(([, method]) => method.grant === "method"))(
    "%s asks for the method, and for what it names",
    (name, method) => {
      const params = { ...PARAMS[name], _meta: { "io.modelcontextprotocol/protocolVersion": REVISION } };
      const isModern = method.era === "modern";
      const body = method.kind === "request" ? request(name, isModern ? params : PARAMS[name]) : notification(name);
      const target = { resource: ["resource x:/a"], reference: ["prompt p"] }[method.names as string] ?? [];
      const answers = name === "tasks/update" ? ["method answer"] : [];
      expect(subjectsOf(body, isModern ? modern(name) : LEGACY)).toEqual([...target, `method ${name}`, ...answers]);
    },
  );

  test.each(ALL.filter(([, method]) => method.grant === "base" && method.era !== "modern"))(
    "%s needs base access, and can be denied by its name",
    (name, method) => {
      expect(read(legacyOf(name, method))).toMatchObject({
        ok: true,
        value: { method: name, base: true, target: undefined, subjects: [{ kind: "method", name }] },
      });
    },
  );

  test.each([
    "tools/callx",
    "Tools/Call",
    "tools/call ",
    " tools/call",
    "tools//call",
    "tools",
    "",
    "constructor",
    "__proto__",
    "toString",
    "sampling/createMessage",
    "elicitation/create",
    "roots/list",
    "subscriptions/listen",
    "tasks/update",
    "answer",
    "GET",
    "unknown",
    "*",
  ])("refuses the method %j", (name) => {
    expect(faultOf(request(name))).toBe(`unknown-method: the method ${JSON.stringify(name)} is not known`);
  });

  test("says no more than the beginning of a method that is not known", () => {
    expect(faultOf(request("x".repeat(5000))).length).toBeLessThan(150);
    expect(faultOf(request("tools/call", { name: "echo", ["x".repeat(5000)]: 1 })).length).toBeLessThan(150);
  });
});

describe("readCall() of a tool", () => {
  test("asks for the tool alone", () => {
    const call = read(request("tools/call", { name: "echo", arguments: { a: 1 }, _meta: { progressToken: 1 } }, "r"));
    expect(call).toMatchObject({
      ok: true,
      value: {
        method: "tools/call",
        era: "legacy",
        id: '"r"',
        target: { kind: "tool", name: "echo" },
        subjects: [{ kind: "tool", name: "echo" }],
        base: false,
      },
    });
  });

  test("reads the name as decoded text", () => {
    expect(subjectsOf('{"jsonrpc":"2.0","id":1,"method":"tools\\/call","params":{"n\\u0061me":"\\u0065cho"}}')).toEqual(
      ["tool echo"],
    );
  });

  test.each([
    [undefined, "tools/call needs params"],
    [{}, '"name" must be a string'],
    [{ name: 1 }, '"name" must be a string'],
    [{ name: null }, '"name" must be a string'],
    [{ name: ["echo"] }, '"name" must be a string'],
    [{ name: { toString: "echo" } }, '"name" must be a string'],
    [{ uri: "x:/a" }, 'tools/call has no parameter "uri"'],
    [{ name: "" }, "the tool's name is empty"],
    [{ name: "a\0" }, "the tool's name holds a control character"],
    [{ name: "echo", Name: "get-env" }, 'tools/call has no parameter "Name"'],
    [{ name: "echo", "name ": "get-env" }, 'tools/call has no parameter "name "'],
    [{ name: "echo", "params.name": "get-env" }, 'tools/call has no parameter "params.name"'],
    [{ name: "echo", arguments: [] }, '"arguments" must be an object'],
    [{ name: "echo", arguments: "{}" }, '"arguments" must be an object'],
    [{ name: "echo", arguments: 0 }, '"arguments" must be an object'],
    [{ name: "echo", _meta: [] }, '"_meta" must be an object'],
    [{ name: "echo", _meta: null }, '"_meta" must be an object'],
  ])("refuses the params %j", (params, message) => {
    expect(faultOf(request("tools/call", params))).toBe(`invalid-params: ${message}`);
  });

  test("takes null for no arguments", () => {
    expect(faultOf(request("tools/call", { name: "echo", arguments: null }))).toBe("tool echo");
  });

  test("refuses a name over the limit by a reason of its own", () => {
    expect(faultOf(request("tools/call", { name: "x".repeat(257) }))).toBe(
      "name-too-long: the tool's name is longer than 256 bytes",
    );
  });

  test("as a task also asks for the call by which its result comes, while there were such tasks", () => {
    const params = { name: "echo", task: { ttl: 1 } };
    expect(subjectsOf(request("tools/call", params))).toEqual(["tool echo", "method tasks/get"]);
    expect(subjectsOf(modernRequest("tools/call", params), modern("tools/call", "echo"))).toEqual(["tool echo"]);
  });

  test.each(["inputResponses", "requestState"])("with %s also asks to answer the server's requests", (key) => {
    expect(subjectsOf(request("tools/call", { name: "echo", [key]: {} }))).toEqual(["tool echo", "method answer"]);
  });
});

describe("readCall() of prompts, resources and completions", () => {
  test("asks for what they name", () => {
    expect(subjectsOf(request("prompts/get", { name: "p", arguments: { a: "b" } }))).toEqual(["prompt p"]);
    expect(subjectsOf(request("resources/read", { uri: "x:/a" }))).toEqual(["resource x:/a"]);
  });

  test("leaves a URI that is not in normal form to policy, and says what is odd", () => {
    const call = read(request("resources/read", { uri: "x:/a/../b" }));
    expect(call).toMatchObject({ ok: true, value: { target: { name: "x:/a/../b", odd: "has dot segments" } } });
  });

  test("refuses what names no resource", () => {
    expect(faultOf(request("resources/read", { name: "x:/a" }))).toBe(
      'invalid-params: resources/read has no parameter "name"',
    );
    expect(faultOf(request("resources/read", {}))).toBe('invalid-params: "uri" must be a string');
  });

  const complete = (ref: unknown): string =>
    request("completion/complete", { ref, argument: { name: "a", value: "b" } });

  test("asks for the method and for what a completion is about", () => {
    expect(subjectsOf(complete({ type: "ref/prompt", name: "p" }))).toEqual(["prompt p", "method completion/complete"]);
    expect(subjectsOf(complete({ type: "ref/resource", uri: "x:/a" }))).toEqual([
      "resource x:/a",
      "method completion/complete",
    ]);
    expect(subjectsOf(complete({ type: "ref/resource", uri: "x:/{a}" }))).toEqual([
      "template x:/{a}",
      "method completion/complete",
    ]);
  });

  test.each([
    [undefined, '"ref" must be an object'],
    ["ref/prompt", '"ref" must be an object'],
    [{ name: "p" }, '"ref.type" must be "ref/prompt" or "ref/resource"'],
    [{ type: "ref/tool", name: "p" }, '"ref.type" must be "ref/prompt" or "ref/resource"'],
    [{ type: "ref/prompt" }, '"name" must be a string'],
    [{ type: "ref/resource" }, '"ref.uri" must be a string'],
    [{ type: "ref/resource", uri: "" }, "the resource's uri is empty"],
    [{ type: "ref/resource", uri: "x:/{a}\u007f" }, "the resource's uri holds a control character"],
  ])("refuses the reference %j", (ref, message) => {
    expect(faultOf(complete(ref))).toBe(`invalid-params: ${message}`);
  });

  test.each([
    { type: "ref/prompt", uri: "x:/a" },
    { type: "ref/resource", name: "p" },
    { type: "ref/prompt", name: "p", Name: "other" },
    { type: "ref/prompt", name: "p", Type: "ref/resource", uri: "x:/a" },
  ])("refuses the reference %j, which another reader could take for another", (ref) => {
    expect(faultOf(complete(ref))).toBe('invalid-params: "ref" has a member of another kind of reference');
  });

  test("asks for the method where nothing is named", () => {
    expect(subjectsOf(request("logging/setLevel", { level: "debug" }))).toEqual(["method logging/setLevel"]);
  });
});

describe("readCall() of a subscription", () => {
  const listen = (notifications: unknown, more: object = {}): string =>
    faultOf(modernRequest("subscriptions/listen", { notifications, ...more }), modern("subscriptions/listen"));

  test("leaves what it is about to be judged one by one", () => {
    for (const filter of [{}, { toolsListChanged: true }, { resourceSubscriptions: [], taskIds: [] }])
      expect(listen(filter)).toBe("method subscriptions/listen");
    expect(listen({ resourceSubscriptions: ["", "x:/a/../b", "x:/b"], taskIds: [""] })).toBe(
      "method subscriptions/listen",
    );
  });

  test.each([
    [undefined, '"notifications" must be an object'],
    [null, '"notifications" must be an object'],
    [["x:/a"], '"notifications" must be an object'],
    [{ ResourceSubscriptions: ["x:/a"] }, 'there is no subscription "ResourceSubscriptions"'],
    [{ resourceSubscriptions: ["x:/a"], uris: [] }, 'there is no subscription "uris"'],
    [{ resourceSubscriptions: "x:/a" }, '"resourceSubscriptions" must be a list of strings'],
    [{ resourceSubscriptions: { 0: "x:/a" } }, '"resourceSubscriptions" must be a list of strings'],
    [{ resourceSubscriptions: ["x:/a", 1] }, '"resourceSubscriptions" must be a list of strings'],
    [{ resourceSubscriptions: [["x:/a"]] }, '"resourceSubscriptions" must be a list of strings'],
    [{ taskIds: "t" }, '"taskIds" must be a list of strings'],
    [{ taskIds: [null] }, '"taskIds" must be a list of strings'],
  ])("refuses the filter %j", (filter, message) => {
    expect(listen(filter)).toBe(`invalid-params: ${message}`);
  });

  test("is about at most 1,000 resources and as many tasks", () => {
    const uris = (count: number): string[] => Array.from({ length: count }, (_, i) => `x:/${i}`);
    expect(listen({ resourceSubscriptions: uris(1_000), taskIds: uris(1_000) })).toBe("method subscriptions/listen");
    for (const key of ["resourceSubscriptions", "taskIds"])
      expect(listen({ [key]: uris(1_001) })).toBe(`invalid-params: "${key}" has more than 1000 entries`);
  });

  test("has a closed set of params", () => {
    expect(listen({}, { resourceSubscriptions: ["x:/a"] })).toBe(
      'invalid-params: subscriptions/listen has no parameter "resourceSubscriptions"',
    );
  });
});

describe("readCall() of a task", () => {
  test("needs no more for `task`, which a client repeats and which means nothing there", () => {
    for (const method of ["tasks/get", "tasks/result", "tasks/cancel"])
      expect(subjectsOf(request(method, { taskId: "t", task: { ttl: 1 } }))).toEqual([`method ${method}`]);
  });

  test.each([
    [{}, 'invalid-params: "taskId" must be a string'],
    [{ taskId: 1 }, 'invalid-params: "taskId" must be a string'],
    [{ taskId: "" }, "invalid-params: the task's id is empty"],
    [{ taskId: "t\n" }, "invalid-params: the task's id holds a control character"],
    [{ taskId: "t".repeat(257) }, "name-too-long: the task's id is longer than 256 bytes"],
    [{ taskId: "t", TaskId: "u" }, 'invalid-params: tasks/get has no parameter "TaskId"'],
    [{ taskId: "t", inputResponses: {} }, 'invalid-params: tasks/get has no parameter "inputResponses"'],
  ])("refuses the params %j", (params, fault) => {
    expect(faultOf(request("tasks/get", params))).toBe(fault);
  });
});

describe("readCall() of what takes a request back", () => {
  const cancels = (params?: object): unknown => {
    const call = read(notification("notifications/cancelled", params));
    return call.ok ? call.value.cancels : call.error;
  };

  test("tells which request that is, where it can be told", () => {
    expect([cancels({ requestId: 7 }), cancels({ requestId: "7" })]).toEqual(["7", '"7"']);
    for (const params of [undefined, {}, { requestId: 1.5 }, { requestId: {} }, { RequestId: 7 }])
      expect(cancels(params), JSON.stringify(params)).toBeUndefined();
  });

  test("and of nothing else", () => {
    const progress = read(notification("notifications/progress", { requestId: 7 }));
    expect(progress.ok && progress.value.cancels).toBeUndefined();
  });
});

describe("readCall() of an answer", () => {
  test("asks for the right to answer, unless it is the empty answer to a ping", () => {
    expect(read(result({ roots: [] }))).toMatchObject({
      ok: true,
      value: { method: "answer", id: undefined, base: false, subjects: [{ kind: "method", name: "answer" }] },
    });
    expect(read(rpcError(-1))).toMatchObject({ ok: true, value: { base: false, subjects: [{ name: "answer" }] } });
    expect(read(result({}))).toMatchObject({ ok: true, value: { method: "answer", base: true, subjects: [] } });
  });

  test("refuses one in the modern era, which has none", () => {
    expect(faultOf(result({}), modern(undefined))).toBe(
      "malformed-request: this revision of MCP has no answers from clients",
    );
  });

  test("refuses one that answers nobody", () => {
    expect(faultOf(rpcError(-1, null))).toBe("malformed-request: an answer has the id of what it answers");
  });
});

test("readCall() refuses an id that begins like one of Toolgate's own, or a caller could write the answers of others", () => {
  const own = "malformed-request: the id begins like one of Toolgate's own";
  expect(faultOf(request("ping", {}, "toolgate-denied {}"))).toBe(own);
  expect(faultOf(result({}, "toolgate-denied x"))).toBe(own);
  expect(read(request("ping", {}, "toolgate-denie")).ok).toBe(true);
});

test("readCall() refuses a revision that is not known, with the id of who asks", () => {
  const claim: HeaderClaim = { ...modern("tools/list"), revision: "2099-01-01" };
  const body = request("tools/list", { _meta: { "io.modelcontextprotocol/protocolVersion": "2099-01-01" } }, 7);
  expect(read(body, claim)).toMatchObject({
    error: { id: "7", refusal: { reason: "unsupported-version" } },
  });
});

describe("readCall() holds headers against the body", () => {
  const call = modernRequest("tools/call", { name: "echo" });

  test("when all agree", () => {
    expect(subjectsOf(call, modern("tools/call", "echo"))).toEqual(["tool echo"]);
    expect(subjectsOf(call, modern("tools/call", "=?base64?ZWNobw==?="))).toEqual(["tool echo"]);
    expect(subjectsOf(call, modern("tools/call", " echo\t"))).toEqual(["tool echo"]);
    expect(subjectsOf(modernRequest("tools/list"), modern("tools/list"))).toEqual(["method tools/list"]);
    expect(subjectsOf(modernRequest("resources/read", { uri: "x:/a" }), modern("resources/read", "x:/a"))).toEqual([
      "resource x:/a",
    ]);
  });

  test.each([
    [modern("tools/list", "echo"), "Mcp-Method is not the method"],
    [modern("Tools/Call", "echo"), "Mcp-Method is not the method"],
    [modern(undefined, "echo"), "Mcp-Method is not the method"],
    [modern(undefined), "Mcp-Method is not the method"],
    [modern("tools/call"), "Mcp-Name is not what the body names"],
    [modern("tools/call", ""), "Mcp-Name is not what the body names"],
    [modern("tools/call", "Echo"), "Mcp-Name is not what the body names"],
    [modern("tools/call", "echo,echo"), "Mcp-Name is not what the body names"],
    [modern("tools/call", "=?base64?ZWNobw?="), "Mcp-Name is not a name in canonical form"],
    [modern("tools/call", "\xff"), "Mcp-Name is not a name in canonical form"],
  ])("and refuses the claim %j", (claim, message) => {
    expect(faultOf(call, claim)).toBe(`header-mismatch: the header ${message}`);
  });

  test("takes a name header for another method only when it is true", () => {
    const complete = modernRequest("completion/complete", PARAMS["completion/complete"]);
    expect(read(complete, modern("completion/complete")).ok).toBe(true);
    expect(read(complete, modern("completion/complete", "p")).ok).toBe(true);
    expect(faultOf(complete, modern("completion/complete", "q"))).toMatch(/^header-mismatch/);
    expect(faultOf(modernRequest("tools/list"), modern("tools/list", "echo"))).toMatch(/^header-mismatch/);
  });

  test("takes a notification without headers, and refuses one whose headers are not true", () => {
    const cancelled = notification("notifications/cancelled", { requestId: 1 });
    expect(read(cancelled, modern(undefined)).ok).toBe(true);
    expect(read(cancelled, modern("notifications/cancelled")).ok).toBe(true);
    expect(faultOf(cancelled, modern("tools/call"))).toMatch(/^header-mismatch/);
    expect(faultOf(cancelled, modern("notifications/cancelled", "echo"))).toMatch(/^header-mismatch/);
    expect(faultOf(cancelled, modern(undefined, "echo"))).toMatch(/^header-mismatch/);
  });

  test("ignores both headers in the legacy era, where they mean nothing", () => {
    expect(subjectsOf(request("tools/call", { name: "echo" }), { ...LEGACY, method: "ping", name: "x" })).toEqual([
      "tool echo",
    ]);
  });
});

describe("readCall() holds the era of the headers against that of the body", () => {
  const withVersion = (version: unknown): string =>
    request("tools/list", { _meta: { "io.modelcontextprotocol/protocolVersion": version } });
  const MISMATCH = "header-mismatch: the header MCP-Protocol-Version is not the version in _meta";

  test.each([REVISION, "2026-07-29", "9999-12-31", ""])("and refuses the version %j in a legacy request", (version) => {
    expect(faultOf(withVersion(version))).toBe(MISMATCH);
  });

  test("takes an older version, or none, in a legacy request", () => {
    expect(read(withVersion("2025-11-25")).ok).toBe(true);
    expect(read(request("tools/list", {})).ok).toBe(true);
  });

  test.each(["2025-11-25", "2026-07-28 ", 20260728, null])(
    "and refuses the version %j in a modern request",
    (version) => {
      expect(faultOf(withVersion(version), modern("tools/list"))).toBe(MISMATCH);
    },
  );

  test("and refuses a modern request without params, or with the version in the wrong place", () => {
    const missing = 'invalid-params: "_meta" must have "io.modelcontextprotocol/protocolVersion"';
    expect(faultOf(request("tools/list"), modern("tools/list"))).toBe(missing);
    expect(faultOf(request("tools/list", { _meta: {} }), modern("tools/list"))).toBe(missing);
    expect(
      faultOf(request("tools/list", { "io.modelcontextprotocol/protocolVersion": REVISION }), modern("tools/list")),
    ).toBe(missing);
  });

  test("but not over HTTP with SSE, whose clients know no other era", () => {
    const claim: HeaderClaim = { ...LEGACY, isModernPossible: false };
    expect(read(withVersion(REVISION), claim).ok).toBe(true);
    expect(faultOf(request("server/discover"), claim)).toMatch(/^unknown-method/);
    expect(faultOf(request("server/discover"))).toMatch(/^unsupported-version/);
  });

  test("and refuses a version in a notification's _meta that is not the header's", () => {
    const cancelled = (version: string): string =>
      notification("notifications/cancelled", { _meta: { "io.modelcontextprotocol/protocolVersion": version } });
    expect(read(cancelled(REVISION), modern(undefined)).ok).toBe(true);
    expect(faultOf(cancelled("2025-11-25"), modern(undefined))).toBe(MISMATCH);
  });
});

describe("readCall() refuses keys of _meta that a server could read as one", () => {
  const FOLD = 'invalid-params: two keys of "_meta" differ only in case';
  const withKeys = (...keys: readonly string[]): string =>
    faultOf(request("tools/list", { _meta: Object.fromEntries(keys.map((key) => [key, 1])) }));

  test.each([
    ["progressToken", "progresstoken"],
    ["progressToken", "progressTo\u212aen"],
    ["progressToken", "progre\u017fsToken"],
    ["\u00e5", "\u212b"],
    ["\u03c9", "\u2126"],
    ["\u03c3", "\u03c2"],
    ["\u00df", "\u1e9e"],
    ["\u00b5", "\u03bc"],
  ])("%j and %j", (one, other) => {
    expect(withKeys(one, other)).toBe(FOLD);
  });

  test("but not keys that differ in more", () => {
    expect(withKeys("progressToken", "progressToken2", "a/b", "a.b")).toEqual("method tools/list");
  });
});

describe("a fault of readCall()", () => {
  test("carries the id that it is to be answered with", () => {
    const idOf = (body: string): unknown => {
      const call = read(body);
      return call.ok ? "accepted" : call.error.id;
    };
    expect(idOf(request("nope", {}, "x"))).toBe('"x"');
    expect(idOf(request("tools/call", {}, 7))).toBe("7");
    expect(idOf(notification("nope"))).toBe(NO_ID);
  });
});

describe("sessionCall()", () => {
  test("needs base access alone, and has no id to answer", () => {
    for (const method of ["GET", "DELETE"] as const) {
      expect(sessionCall(method, "2025-11-25")).toEqual({
        method,
        era: "legacy",
        revision: "2025-11-25",
        id: undefined,
        target: undefined,
        subjects: [],
        base: true,
        cancels: undefined,
        trace: undefined,
      });
    }
  });
});

test("each method that names something says so in the table", () => {
  const naming = ALL.filter(([, method]) => method.names !== undefined).map(([name]) => name as KnownMethod);
  expect(naming.toSorted()).toEqual(Object.keys(PARAMS).toSorted());
});
