/** A request in one message: what is known of its headers, and its body. */
import { describe, expect, test } from "vitest";
import { beginExchange, isFinal } from "../../../src/core/exchange/exchange.ts";
import type { Options } from "../../../src/core/exchange/request.ts";
import { stepWithoutHeaders } from "../../../src/core/exchange/skipped-headers.ts";
import { NO_CHANGES } from "../../../src/core/mcp/headers.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";
import { localReplyOf, optionsWith, POST, requestHeaders } from "../../fixtures/exchanges.ts";
import { toolsCall } from "../../fixtures/messages.ts";
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

describe("stepWithoutHeaders()", () => {
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
    expect([status, text]).toEqual([403, expect.stringContaining(`the header ${name} means nothing`)]);
  });

  test("refuses a session where there are none", () => {
    const modern: HeaderList = [
      ["mcp-protocol-version", "2026-07-28"],
      ["mcp-method", "tools/call"],
      ["mcp-session-id", "s"],
    ];
    expect(localReplyOf(step(toolsCall("echo"), modern).reply).text).toContain("mcp-session-id means nothing");
  });

  test("lets what goes to no server through as it is, where that is configured", () => {
    const elsewhere = POST.map(([name, value]) => [name, name === ":path" ? "/other" : value] as const);
    const { reply } = step("anything", [], optionsWith(POLICIES, "pass"), elsewhere);
    expect(reply).toMatchObject({ kind: "requestBody", body: undefined, changes: NO_CHANGES });
    expect(localReplyOf(step("anything", [], optionsWith(POLICIES), elsewhere).reply).status).toBe(403);
  });
});
