import { describe, expect, test } from "vitest";
import { readMessage } from "../../../src/core/jsonrpc/message.ts";
import { REQUEST_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import { DEFAULT_LIMITS } from "../../../src/core/limits.ts";
import { readCall } from "../../../src/core/mcp/call.ts";
import type { HeaderClaim } from "../../../src/core/mcp/classify.ts";
import { utf8 } from "../../fixtures/bytes.ts";
import { modernRequest, notification, REVISION } from "../../fixtures/messages.ts";

type Params = HeaderClaim["params"];
type Claimed = { readonly method?: string; readonly name?: string; readonly params?: Params };

/** How a body of the modern era goes with these headers: "accepted", or what is wrong. */
function reconciled(body: string, { method, name, params = [] }: Claimed): string {
  const json = scan(utf8(body), REQUEST_SCAN);
  if (json.kind === "fault") throw new Error(json.message);
  const message = readMessage(json);
  if (message.kind === "invalid") throw new Error(message.message);
  const call = readCall(
    json,
    message,
    { era: "modern", revision: REVISION, method, name, params, isModernPossible: true },
    DEFAULT_LIMITS,
  );
  return call.ok ? "accepted" : `${call.error.refusal.reason}: ${call.error.refusal.message}`;
}

/** A call of the tool `echo` with these arguments, given as JSON text, and headers `mcp-param-<name>`. */
function withParams(args: string, ...values: readonly string[]): string {
  const body = modernRequest("tools/call", { name: "echo", arguments: "ARGS" }).replace('"ARGS"', args);
  const params = values.map((value, i) => [`mcp-param-p${i}`, value] as const);
  return reconciled(body, { method: "tools/call", name: "echo", params });
}
const NOT_ONE = "header-mismatch: the header mcp-param-p0 is not one of the arguments";
const NOT_CANONICAL = "header-mismatch: the header mcp-param-p0 is not in canonical form";
const base64 = (text: string): string => `=?base64?${Buffer.from(text).toString("base64")}?=`;

describe("Mcp-Param-* of a tool call", () => {
  test.each([
    ['{"a":"eu-west"}', "eu-west"],
    ['{"a":"eu-west"}', " eu-west\t"],
    ['{"a":"eu-west"}', base64("eu-west")],
    ['{"a":"é"}', base64("é")],
    ['{"a":"é"}', "\xc3\xa9"],
    ['{"a":" x "}', base64(" x ")],
    ['{"a":"=?base64?eA==?="}', base64("=?base64?eA==?=")],
    ['{"a":""}', ""],
    ['{"a":""}', "=?base64??="],
    ['{"a":"\\u0065u"}', "eu"],
    ['{"\\u0061":"eu"}', "eu"],
    ['{"a":42}', "42"],
    ['{"a":42}', "42.0"],
    ['{"a":42.0}', "42"],
    ['{"a":4.2e1}', "42"],
    ['{"a":-7}', "-7"],
    ['{"a":0}', "0"],
    ['{"a":9007199254740991}', "9007199254740991"],
    ['{"a":-9007199254740991}', "-9007199254740991"],
    ['{"a":"42"}', "42"],
    ['{"a":true}', "true"],
    ['{"a":false}', "false"],
    ['{"a":"true"}', "true"],
  ])("with the arguments %s may say %j", (args, value) => {
    expect(withParams(args, value)).toBe("accepted");
  });

  test.each([
    ['{"a":"eu-west"}', "us-east"],
    ['{"a":"eu-west"}', "Eu-West"],
    ['{"a":"eu-west"}', "eu"],
    ['{"a":"eu-west"}', "a"],
    ['{"a":"eu-west"}', ""],
    ['{"a":" x "}', " x "],
    ['{"a":42}', "43"],
    ['{"a":42}', "42.5"],
    ['{"a":42}', "4.2e1"],
    ['{"a":42}', "0x2a"],
    ['{"a":42}', "+42"],
    ['{"a":42}', "42."],
    ['{"a":0}', ""],
    ['{"a":0}', "-"],
    ['{"a":1.5}', "1.5"],
    ['{"a":"42.0"}', "42"],
    ['{"a":true}', "True"],
    ['{"a":true}', "1"],
    ['{"a":true}', "false"],
    ['{"a":false}', "true"],
    ['{"a":null}', "null"],
    ['{"a":null}', ""],
    ["{}", ""],
    ['{"a":{}}', ""],
    ['{"a":["eu"]}', "eu"],
    ['{"a":[{"b":"eu"}]}', "eu"],
    ['{"a":{"b":["eu"]}}', "eu"],
  ])("with the arguments %s may not say %j", (args, value) => {
    expect(withParams(args, value)).toBe(NOT_ONE);
  });

  test("may repeat a property of an object among the arguments, at any depth", () => {
    expect(withParams('{"x":1,"a":{"b":{"c":"deep"},"d":2}}', "deep", "2", "1")).toBe("accepted");
    expect(withParams('{"a":{"b":{"c":"deep"}}}', "b")).toBe(NOT_ONE);
  });

  test.each(["=?base64?ZXU?=", "=?base64?ZXU=\n?=", "=?base64?/w==?=", "\xff"])("is refused as %j", (value) => {
    expect(withParams('{"a":"eu"}', value)).toBe(NOT_CANONICAL);
  });

  test("is held against the arguments one by one: one that is not true is enough", () => {
    expect(withParams('{"a":"x","b":"y"}', "x", "y")).toBe("accepted");
    expect(withParams('{"a":"x","b":"y"}', "x", "z")).toBe(NOT_ONE.replace("p0", "p1"));
  });

  test("is refused where there are no arguments", () => {
    const body = modernRequest("tools/call", { name: "echo" });
    expect(reconciled(body, { method: "tools/call", name: "echo", params: [["mcp-param-p0", "x"]] })).toBe(NOT_ONE);
  });

  test("does not repeat the tool's name, nor what stands beside the arguments", () => {
    const body = modernRequest("tools/call", { name: "echo", arguments: { a: 1 }, requestState: "s" });
    for (const value of ["echo", "s", REVISION, "tools/call"])
      expect(reconciled(body, { method: "tools/call", name: "echo", params: [["mcp-param-p0", value]] })).toBe(NOT_ONE);
  });

  // Specification: annotated integers are within +-(2^53-1). Beyond, two numbers that differ are equal as doubles, so that
  // the header may say what no argument does.
  test("does not say another integer than an argument that no double holds", () => {
    expect(withParams('{"a":9007199254740993}', "9007199254740992")).toBe(NOT_ONE);
  });
});

describe("Mcp-Param-* of anything else", () => {
  const params: Params = [["mcp-param-p0", "a"]];
  const unknown = "header-mismatch: the header mcp-param-p0 is not known for this method";

  test.each([
    ["prompts/get", { name: "p", arguments: { a: "a" } }, "p"],
    ["resources/read", { uri: "x:/a" }, "x:/a"],
    ["tools/list", {}, undefined],
    ["completion/complete", { ref: { type: "ref/prompt", name: "p" }, argument: { name: "a", value: "a" } }, undefined],
  ])("is refused: %s", (method, body, name) => {
    const more = name === undefined ? {} : { name };
    expect(reconciled(modernRequest(method, body), { method, ...more })).toBe("accepted");
    expect(reconciled(modernRequest(method, body), { method, params, ...more })).toBe(unknown);
  });

  test("is refused of a notification that says its method in a header", () => {
    const cancelled = notification("notifications/cancelled", { requestId: 1 });
    expect(reconciled(cancelled, { method: "notifications/cancelled", params })).toBe(unknown);
  });

  // Only the body is decided on; a header that nothing in the body says goes on to the server.
  test("is refused of a notification without Mcp-Method and Mcp-Name as well", () => {
    expect(reconciled(notification("notifications/cancelled", { requestId: 1 }), { params })).toBe(unknown);
  });
});

describe("Mcp-Name of a task", () => {
  const get = modernRequest("tasks/get", { taskId: "t-1" });

  test("may be left out, and has to be true when it is there", () => {
    expect(reconciled(get, { method: "tasks/get" })).toBe("accepted");
    expect(reconciled(get, { method: "tasks/get", name: "t-1" })).toBe("accepted");
    expect(reconciled(get, { method: "tasks/get", name: base64("t-1") })).toBe("accepted");
    for (const name of ["t-2", "T-1", ""])
      expect(reconciled(get, { method: "tasks/get", name })).toBe(
        "header-mismatch: the header Mcp-Name is not what the body names",
      );
  });

  test.each(["tasks/update", "tasks/cancel"])("of %s is that of its body", (method) => {
    const more = method === "tasks/update" ? { inputResponses: {} } : {};
    expect(reconciled(modernRequest(method, { taskId: "t", ...more }), { method, name: "t" })).toBe("accepted");
    expect(reconciled(modernRequest(method, { taskId: "t", ...more }), { method, name: "u" })).toMatch(/Mcp-Name/);
  });
});

describe("Mcp-Name of a subscription", () => {
  test("is refused: it names several things or none", () => {
    const listen = modernRequest("subscriptions/listen", { notifications: { resourceSubscriptions: ["x:/a"] } });
    expect(reconciled(listen, { method: "subscriptions/listen" })).toBe("accepted");
    expect(reconciled(listen, { method: "subscriptions/listen", name: "x:/a" })).toMatch(/^header-mismatch.*Mcp-Name/);
  });
});
