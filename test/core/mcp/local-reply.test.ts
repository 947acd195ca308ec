import { describe, expect, test } from "vitest";
import type { Id } from "../../../src/core/jsonrpc/message.ts";
import { DENIED, errorBody, localReply } from "../../../src/core/mcp/local-reply.ts";
import type { Refused } from "../../../src/core/mcp/local-reply.ts";
import type { MethodLabel } from "../../../src/core/mcp/methods.ts";
import type { Reason } from "../../../src/core/mcp/refusal.ts";
import { textOf } from "../../fixtures/bytes.ts";

const MESSAGE = 'Blocked "by" policy:\n\u2028é';
const DEFAULTS: Refused = { id: "7" as Id, era: "legacy", method: "tools/call", revision: undefined, needsUser: false };

function reply(reason: Reason, more: Partial<Refused> = {}) {
  const refusal = { reason, rule: { policy: "toolgate", rule: reason }, message: MESSAGE };
  const { status, headers, body } = localReply(refusal, { ...DEFAULTS, ...more });
  const text = textOf(body);
  return {
    status,
    headers: Object.fromEntries(headers),
    json: text === "" ? undefined : (JSON.parse(text) as unknown),
  };
}
const rpcError = (code: number, id: unknown = 7) => ({ jsonrpc: "2.0", id, error: { code, message: MESSAGE } });

const DENIALS: readonly Reason[] = ["no-rule-allows", "denied-by-rule", "invalid-policy"];

describe.each(DENIALS)("a denial because of %s", (reason) => {
  test("of a tool call is a result that the model reads", () => {
    const content = [{ type: "text", text: MESSAGE }];
    expect(reply(reason)).toEqual({
      status: 200,
      headers: { "content-type": "application/json" },
      json: { jsonrpc: "2.0", id: 7, result: { content, isError: true } },
    });
    expect(reply(reason, { era: "modern" }).json).toEqual({
      jsonrpc: "2.0",
      id: 7,
      result: { resultType: "complete", content, isError: true },
    });
  });

  test.each<MethodLabel>([
    "prompts/get",
    "resources/read",
    "completion/complete",
    "logging/setLevel",
    "tools/list",
    "ping",
  ])("of %s is an error with its id", (method) => {
    expect(reply(reason, { method })).toMatchObject({ status: 200, json: rpcError(DENIED) });
  });

  test.each<MethodLabel>(["initialize", "server/discover"])("of %s is never a 200", (method) => {
    expect(reply(reason, { method })).toMatchObject({ status: 403, json: rpcError(DENIED) });
  });

  test.each<MethodLabel>(["notifications/initialized", "notifications/cancelled", "answer"])(
    "of %s, which gets no answer, is taken and dropped",
    (method) => {
      expect(reply(reason, { method, id: undefined })).toEqual({ status: 202, headers: {}, json: undefined });
    },
  );

  test.each<MethodLabel>(["GET", "DELETE"])("of a %s is a 403 with a body that clients can read", (method) => {
    expect(reply(reason, { method, id: undefined })).toMatchObject({ status: 403, json: rpcError(DENIED, null) });
  });
});

describe("localReply()", () => {
  test("asks for a token only where one would help", () => {
    expect(reply("no-access")).toMatchObject({ status: 403, json: rpcError(DENIED) });
    expect(reply("no-access").headers).not.toHaveProperty("www-authenticate");
    expect(reply("no-access", { needsUser: true })).toMatchObject({
      status: 401,
      headers: { "www-authenticate": "Bearer" },
      json: rpcError(DENIED),
    });
  });

  test.each<readonly [Reason, number, number]>([
    ["unknown-server", 403, DENIED],
    ["unknown-method", 200, -32601],
    ["method-not-allowed", 405, -32600],
    ["unsupported-media-type", 415, -32600],
    ["header-mismatch", 400, -32020],
    ["malformed-request", 400, -32600],
    ["malformed-json", 400, -32700],
    ["too-large", 413, -32600],
    ["too-deep", 400, -32600],
    ["too-many-keys", 400, -32600],
    ["too-many-messages", 400, -32600],
    ["name-too-long", 200, -32602],
    ["uri-too-long", 200, -32602],
    ["unsafe-answer", 200, -32603],
  ])("answers %s with %i and the code %i", (reason, status, code) => {
    expect(reply(reason)).toMatchObject({ status, json: rpcError(code) });
  });

  test("answers null as the id where none could be read", () => {
    expect(reply("malformed-json", { id: undefined }).json).toEqual(rpcError(-32700, null));
  });

  test("tells a client of another revision which ones a request can be of", () => {
    expect(reply("unsupported-version").json).toMatchObject({
      error: { code: -32022, data: { supported: ["2026-07-28"] } },
    });
    expect(reply("unsupported-version").status).toBe(400);
  });

  test("answers an unknown method with 404 in the modern era", () => {
    expect(reply("unknown-method", { era: "modern" }).status).toBe(404);
  });

  test.each(["invalid-params", "name-too-long", "uri-too-long"] as const)("answers %s with 400 there", (reason) => {
    expect(reply(reason, { era: "modern" })).toMatchObject({ status: 400, json: rpcError(-32602) });
  });

  test("answers what cannot be enforced with its id, or with 403 where it has none", () => {
    expect(reply("not-enforceable")).toMatchObject({ status: 200, json: rpcError(DENIED) });
    expect(reply("not-enforceable", { id: undefined })).toMatchObject({ status: 403, json: rpcError(DENIED, null) });
  });

  test("says which methods there are when one is not allowed", () => {
    expect(reply("method-not-allowed").headers).toMatchObject({ allow: "POST" });
    const rule = { policy: "toolgate", rule: "method-not-allowed" };
    const { headers } = localReply({ reason: "method-not-allowed", rule, message: "", allow: "POST, GET" }, DEFAULTS);
    expect(Object.fromEntries(headers)).toMatchObject({ allow: "POST, GET" });
  });

  test("answers a stream whose answer cannot be read with 502", () => {
    expect(reply("unsafe-answer", { id: undefined, method: "GET" })).toMatchObject({ status: 502 });
  });

  test("echoes an id as it was: a string stays one", () => {
    expect(reply("no-rule-allows", { id: '"7"' as Id }).json).toMatchObject({ id: "7" });
    expect(reply("no-rule-allows", { id: "-9007199254740991" as Id }).json).toMatchObject({ id: -9007199254740991 });
  });
});

describe("errorBody()", () => {
  test("is a JSON-RPC error", () => {
    expect(JSON.parse(textOf(errorBody('"a"' as Id, MESSAGE)))).toEqual(rpcError(-32603, "a"));
  });
});
