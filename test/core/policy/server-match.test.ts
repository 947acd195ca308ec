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
    for (const host of ["mcp.example", "MCP.example", "mcp.example:80", "Mcp.Example:8443"])
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
