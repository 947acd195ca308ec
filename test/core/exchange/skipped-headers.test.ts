/** What is known of headers, in one message with a body: all of a request, the first piece of an answer. */
import { describe, expect, test } from "vitest";
import { EMPTY } from "../../../src/core/bytes.ts";
import { beginExchange, isFinal, recordsOf, stepExchange } from "../../../src/core/exchange/exchange.ts";
import type { Options } from "../../../src/core/exchange/request.ts";
import { stepWithoutHeaders } from "../../../src/core/exchange/skipped-headers.ts";
import { NO_CHANGES } from "../../../src/core/mcp/headers.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";
import {
  localReplyOf,
  optionsWith,
  play,
  POST,
  requestBody,
  requestHeaders,
  responseBody,
  responseHeaders,
} from "../../fixtures/exchanges.ts";
import { modernHeaders, modernRequest, request, result, toolsCall } from "../../fixtures/messages.ts";
import { allow, FROM_READER, policyDocument, policySetWith } from "../../fixtures/policies.ts";

const POLICIES = policySetWith(policyDocument("p", [allow("echo", FROM_READER, { tools: ["echo"] })]));

function step(body: string, more: HeaderList = [], options: Options = optionsWith(POLICIES), headers = POST) {
  const [next, reply] = stepWithoutHeaders(beginExchange(options), {
    kind: "wholeRequest",
    headers: requestHeaders([...headers, ...more], { isFixed: true }),
    body: utf8(body),
  });
  return { next, reply };
}

describe("stepWithoutHeaders() of a request", () => {
  test("lets an allowed call go on, and asks for no change of headers", () => {
    const { next, reply } = step(toolsCall("echo").replace("{", "{ "), [["accept-encoding", "gzip"]]);
    if (reply.kind !== "requestBody") throw new Error(reply.kind);
    expect([textOf(reply.body ?? utf8("")), reply.changes]).toEqual([toolsCall("echo"), NO_CHANGES]);
    expect(next.request.at).toBe("permitted");
  });

  test("refuses what is not allowed, and what cannot be read", () => {
    const denied = step(toolsCall("other"));
    expect(localReplyOf(denied.reply).text).toContain("isError");
    expect([denied.next.request.at, isFinal(denied.next)]).toEqual(["refused", true]);
    expect(localReplyOf(step("{").reply).status).toBe(400);
    expect(localReplyOf(step("").reply).status).toBe(400);
  });

  test.each([["mcp-method"], ["mcp-name"], ["mcp-param-x"]])("refuses %s where nobody has checked it", (name) => {
    const { status, text } = localReplyOf(step(toolsCall("echo"), [[name, "echo"]]).reply);
    expect([status, text]).toEqual([
      200,
      expect.stringContaining(
        `"id":1,"error":{"code":-31403,"message":"the header ${name} means nothing in revisions before 2026-07-28 of MCP`,
      ),
    ]);
  });

  test("has the arguments of what it refuses on record", () => {
    const options = { ...optionsWith(POLICIES), loggedArguments: ["path"] };
    const { next } = step(toolsCall("echo", { path: "/etc/hosts" }), [["mcp-name", "echo"]], options);
    expect(recordsOf(next)).toMatchObject([
      { reason: "not-enforceable", arguments: { values: { path: "/etc/hosts" }, withheld: 0 } },
    ]);
  });

  test("refuses a session where there are none", () => {
    const modern: HeaderList = [...modernHeaders("tools/call", "echo"), ["mcp-session-id", "s"]];
    const { text } = localReplyOf(step(modernRequest("tools/call", { name: "echo" }), modern).reply);
    expect(text).toContain("mcp-session-id means nothing in this revision of MCP, and cannot be taken out here");
  });

  test("lets what goes to no server through as it is, where that is configured", () => {
    const elsewhere = POST.map(([name, value]) => [name, name === ":path" ? "/other" : value] as const);
    const { reply } = step("anything", [], optionsWith(POLICIES, "pass"), elsewhere);
    expect(reply).toMatchObject({ kind: "requestBody", body: undefined, changes: NO_CHANGES });
    expect(localReplyOf(step("anything", [], optionsWith(POLICIES), elsewhere).reply).status).toBe(403);
  });
});

describe("stepWithoutHeaders() of an answer", () => {
  const LIST = result({ tools: [{ name: "hidden", inputSchema: {} }] }, 1);
  const begin = (pieces: readonly string[], type: string | null, more: Parameters<typeof responseHeaders>[1] = {}) => {
    const asked = play(optionsWith(POLICIES), [requestHeaders(), requestBody(request("tools/list"))]).exchange;
    const headers = responseHeaders(type, more);
    if (headers.kind !== "responseHeaders") throw new Error(headers.kind);
    const [first, ...others] = responseBody(pieces.map(utf8));
    if (first?.kind !== "responseBody") throw new Error("an answer has a first piece");
    const [next, reply] = stepWithoutHeaders(asked, { kind: "answerStart", headers, body: first });
    return { next, reply, others };
  };

  test("is what it would be after its headers", () => {
    const { next, reply } = begin([LIST], "application/json");
    expect(textOf((reply.kind === "responseBody" && reply.body) || utf8(""))).toBe(result({ tools: [] }, 1));
    expect(isFinal(next)).toBe(true);
  });

  test("that may not be delivered is an error in its place, and nothing more of it comes", () => {
    const { next, reply, others } = begin([LIST.slice(0, 9), LIST.slice(9)], "text/html");
    expect(JSON.parse(textOf((reply.kind === "responseBody" && reply.body) || utf8("")))).toMatchObject({
      id: 1,
      error: { code: -32_603 },
    });
    expect(isFinal(next)).toBe(false);
    const [last] = others;
    if (last === undefined) throw new Error("an answer in two pieces");
    const [ended, dropped] = stepExchange(next, last);
    expect([dropped, isFinal(ended)]).toEqual([{ kind: "responseBody", body: EMPTY }, true]);
  });

  test("that may not be delivered, and comes at once, is over with its error", () => {
    expect(isFinal(begin([LIST], "text/html").next)).toBe(true);
  });

  test("in events has its error in an event", () => {
    const { reply } = begin([`data: ${LIST}\n\n`], "text/event-stream;charset=utf-16");
    const text = textOf((reply.kind === "responseBody" && reply.body) || utf8(""));
    expect(text).toMatch(/^event: message\ndata: \{.*"error".*\}\n\n$/);
  });

  test("of Envoy's own passes", () => {
    const own = responseHeaders("text/plain", { status: 401 });
    if (own.kind !== "responseHeaders") throw new Error(own.kind);
    const headers = { ...own, codeDetails: "jwt_authn_access_denied{}" };
    const body = { kind: "responseBody", body: utf8("no"), endOfStream: true } as const;
    const [next, reply] = stepWithoutHeaders(beginExchange(optionsWith(POLICIES)), {
      kind: "answerStart",
      headers,
      body,
    });
    expect([reply, isFinal(next)]).toEqual([{ kind: "responseBody", body: undefined }, true]);
    expect(() =>
      stepWithoutHeaders(beginExchange(optionsWith(POLICIES)), {
        kind: "answerStart",
        headers: { ...own, codeDetails: "via_upstream" },
        body,
      }),
    ).toThrow("without a decision");
  });
});
