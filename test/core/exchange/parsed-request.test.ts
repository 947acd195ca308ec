/** A request whose body somebody else has read. */
import { describe, expect, test } from "vitest";
import { beginExchange } from "../../../src/core/exchange/exchange.ts";
import { stepParsed } from "../../../src/core/exchange/parsed-request.ts";
import type { RequestHeadersEvent } from "../../../src/core/exchange/event.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { utf8 } from "../../fixtures/bytes.ts";
import { localReplyOf, optionsWith, POST, requestHeaders } from "../../fixtures/exchanges.ts";
import { toolsCall } from "../../fixtures/messages.ts";
import { allow, FROM_READER, policyDocument, policySetWith } from "../../fixtures/policies.ts";

const POLICIES = policySetWith(policyDocument("p", [allow("echo", FROM_READER, { tools: ["echo"] })]));

function step(message: string | undefined, headers: RequestHeadersEvent = requestHeaders()) {
  const found = message === undefined ? undefined : utf8(message);
  const [next, reply] = stepParsed(beginExchange(optionsWith(POLICIES)), {
    kind: "parsedRequest",
    headers,
    message: found,
  });
  return { next, reply };
}

describe("stepParsed()", () => {
  test("lets an allowed call go on by its headers, which can be changed, without a length of its own", () => {
    const headers = requestHeaders([...POST, ["mcp-name", "x"], ["accept-encoding", "gzip"]]);
    const { next, reply } = step(toolsCall("echo").replace("{", "{ "), headers);
    expect(reply).toMatchObject({
      kind: "requestHeaders",
      changes: { set: [], remove: ["accept-encoding", "mcp-name"] },
      metadata: { tool: "echo", decision: "allow" },
    });
    expect(next.request.at).toBe("permitted");
  });

  test("corrects the content type all the same", () => {
    const headers = requestHeaders([...POST.slice(0, 3), ["content-type", "Application/JSON"]]);
    expect(step(toolsCall("echo").replace("{", "{ "), headers).reply).toMatchObject({
      changes: { set: [["content-type", "application/json"]], remove: [] },
    });
  });

  test("decides on a stream by its headers, which are all there is", () => {
    const headers: HeaderList = [
      [":method", "GET"],
      [":path", "/mcp"],
    ];
    const { next, reply } = step(undefined, requestHeaders(headers, { endOfStream: true }));
    expect([reply.kind, next.request.at]).toEqual(["requestHeaders", "permitted"]);
  });

  test("refuses what is not allowed, and what is none", () => {
    expect(localReplyOf(step(toolsCall("other")).reply).text).toContain("isError");
    expect(localReplyOf(step(undefined, requestHeaders(POST, { endOfStream: true })).reply).status).toBe(400);
  });

  test("fails where nothing was found of a body that there is", () => {
    expect(() => step(undefined)).toThrow("its MCP filter says nothing of this one");
  });
});
