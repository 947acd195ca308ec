import { describe, expect, test } from "vitest";
import type { ServerMatch } from "../../../src/core/policy/document.ts";
import type { Destination } from "../../../src/core/policy/policy-set.ts";
import { compiled, serverDocument } from "../../fixtures/policies.ts";

const { policies } = compiled(
  (
    [
      ["path", { path: "/mcp" }],
      ["host", { host: "Mcp.Example", path: "/mcp" }],
      ["route", { route: "r" }],
      ["other", { host: "mcp.example", path: "/other" }],
      ["v6", { host: "[::1]", path: "/v6" }],
    ] satisfies [string, ServerMatch][]
  ).map(([name, match]) => serverDocument(name, [match])),
);
const find = (destination: Partial<Destination>): string | undefined =>
  policies.match({ route: undefined, host: undefined, path: "/", ...destination })?.server.name;

describe("PolicySet.match()", () => {
  test("takes the most specific: route, then host and path, then path", () => {
    expect(find({ path: "/mcp" })).toBe("tools/path");
    expect(find({ path: "/mcp", host: "mcp.example" })).toBe("tools/host");
    expect(find({ path: "/mcp", host: "mcp.example", route: "r" })).toBe("tools/route");
    expect(find({ path: "/anything", route: "r" })).toBe("tools/route");
  });

  test("falls back when the more specific does not fit", () => {
    expect(find({ path: "/mcp", host: "other.example", route: "x" })).toBe("tools/path");
    expect(find({ path: "/other", host: "mcp.example" })).toBe("tools/other");
    expect(find({ path: "/other" })).toBeUndefined();
  });

  test("reads a host without its port and in lower case", () => {
    for (const host of [
      "mcp.example",
      "MCP.example",
      "mcp.example:80",
      "Mcp.Example:8443",
      "mcp.example.",
      "mcp.example.:80",
    ])
      expect(find({ path: "/other", host }), host).toBe("tools/other");
    for (const host of ["[::1]", "[::1]:443"]) expect(find({ path: "/v6", host }), host).toBe("tools/v6");
    for (const host of ["xmcp.example", "mcp.example.evil", "mcp.example ", ""])
      expect(find({ path: "/other", host }), host).toBeUndefined();
  });

  test.each(["/mcp/", "//mcp", "/mcp?x", "/mcp#x", "/MCP", "/%6dcp", "/x/mcp", "mcp", "", "/mcp;x", "/mcp/.."])(
    "takes a path byte for byte: %j is not /mcp",
    (path) => {
      expect(find({ path })).toBeUndefined();
    },
  );

  test("is not misled by what a host and a path could be joined to", () => {
    expect(find({ host: "mcp.example /other", path: "" })).toBeUndefined();
    expect(find({ host: "", path: "mcp.example /other" })).toBeUndefined();
    expect(find({ route: "constructor", path: "__proto__" })).toBeUndefined();
  });
});

describe("PolicySet.match() of HTTP with SSE", () => {
  const sse = compiled(
    (
      [
        ["plain", { path: "/sse", messages: "/messages" }],
        ["host", { host: "Mcp.Example", path: "/sse", messages: "/messages" }],
        ["both", { path: "/both", messages: "/both" }],
        ["http", { path: "/mixed" }],
        ["mixed", { path: "/mixed-sse", messages: "/mixed" }],
      ] satisfies [string, ServerMatch][]
    ).map(([name, match]) => serverDocument(name, [match])),
  );
  const at = (path: string, host?: string) => {
    const found = sse.policies.match({ route: undefined, host, path });
    return found && [found.server.name, found.transport, found.messagesPath];
  };

  test("knows a stream by its path, and where its messages go", () => {
    expect(sse.problems).toEqual([]);
    expect(at("/sse")).toEqual(["tools/plain", "sse-stream", "/messages"]);
    expect(at("/sse", "mcp.example:80")).toEqual(["tools/host", "sse-stream", "/messages"]);
    expect(at("/both")).toEqual(["tools/both", "sse-stream", "/both"]);
  });

  test("knows a message by its path and the session in it, on a host of its own or on any", () => {
    expect(at("/messages?sessionId=s")).toEqual(["tools/plain", "sse-messages", undefined]);
    expect(at("/messages?sessionId=s", "MCP.example")).toEqual(["tools/host", "sse-messages", undefined]);
    expect(at("/messages?sessionId=s", "other")).toEqual(["tools/plain", "sse-messages", undefined]);
    for (const name of ["session_id", "sessionid"])
      expect(at(`/both?${name}=s`)).toEqual(["tools/both", "sse-messages", undefined]);
  });

  test.each(["sessionId=", "sessionId=s&x=1", "sessionId=a/b", "sessionId=%41", "x=1&sessionId=s", "SessionId=s"])(
    "knows none by the query %s, which is not the session alone",
    (query) => {
      expect(at(`/messages?${query}`)).toBeUndefined();
    },
  );

  test("keeps apart what has a session in its path and what has none", () => {
    expect(at("/mixed")).toEqual(["tools/http", "http", undefined]);
    expect(at("/mixed?sessionId=s")).toEqual(["tools/mixed", "sse-messages", undefined]);
    expect([at("/messages"), at("/messages?"), at("/sse?sessionId=s"), at("/mixed-sse?sessionId=s")]).toEqual(
      Array(4).fill(undefined),
    );
  });

  test("takes every path of theirs for one that could be a server's, in whatever form", () => {
    const mayBe = (path: string): boolean => sse.policies.mayBeServer({ route: undefined, host: undefined, path });
    for (const path of [
      "/messages",
      "/MESSAGES/?x=1",
      "//sse",
      "/x/../both?sessionId=a&b",
      "/messages;v=1?sessionId=s",
      "/public/messages",
      "/a/b/SSE",
      // Servlets read each segment up to its parameters (`;`), and the Java SDK any path that ends in theirs.
      "/;/sse",
      "/x;v=1/messages?sessionId=s",
      "/x/..;/sse",
      "/sse;/x",
      "/x;v=1/messages;v=2",
      "/messages#x",
      "\\messages",
      "/x/./../messages",
      "/%6Dessage%73",
      "/%6dessages",
    ])
      expect(mayBe(path), path).toBe(true);
    for (const path of ["/message", "/ssex", "/", "/xsse", "/sse/x"]) expect(mayBe(path), path).toBe(false);
  });

  test("refuses two servers that share a path of messages, or a stream, and uses neither", () => {
    for (const [one, other] of [
      [
        { path: "/a", messages: "/m" },
        { path: "/b", messages: "/m" },
      ],
      [{ path: "/a", messages: "/m" }, { path: "/a" }],
    ] satisfies [ServerMatch, ServerMatch][]) {
      const { policies: both, problems } = compiled([serverDocument("one", [one]), serverDocument("two", [other])]);
      expect(problems.map(({ document }) => document)).toEqual(["MCPServer tools/two", "MCPServer tools/one"]);
      expect(both.servers.map(({ invalid }) => invalid)).toEqual([true, true]);
    }
  });
});
