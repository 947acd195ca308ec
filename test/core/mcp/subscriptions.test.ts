import { describe, expect, test } from "vitest";
import { ROOT } from "../../../src/core/jsonrpc/json.ts";
import { REQUEST_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import { filterFault, trimListen } from "../../../src/core/mcp/subscriptions.ts";
import { askedWith } from "../../fixtures/asked.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";
import { modernRequest } from "../../fixtures/messages.ts";

/** What of a filter goes on, as text; or "nothing". */
function trimmed(text: string, ...granted: readonly string[]): string {
  const json = scan(utf8(text), REQUEST_SCAN);
  if (json.kind === "fault") throw new Error(json.message);
  const bytes = trimListen(json, askedWith(granted, { era: "modern", method: "subscriptions/listen" }));
  return bytes === "nothing" ? "nothing" : textOf(bytes);
}
const listen = (notifications: object): string => modernRequest("subscriptions/listen", { notifications });
const GRANTS = ["resource x:/a", "resource x:/c", "method tasks/get"];

describe("filterFault()", () => {
  function fault(filter: unknown): string | undefined {
    const json = scan(utf8(JSON.stringify(filter)), REQUEST_SCAN);
    if (json.kind === "fault") throw new Error(json.message);
    return filterFault(json, ROOT);
  }
  const texts = (count: number): string[] => Array.from({ length: count }, () => "x");

  test("finds nothing wrong with what MCP has", () => {
    expect(fault({})).toBeUndefined();
    const changes = { toolsListChanged: true, promptsListChanged: false, resourcesListChanged: 1 };
    expect(fault({ ...changes, resourceSubscriptions: texts(1_000), taskIds: [] })).toBeUndefined();
  });

  test.each([
    [null, '"notifications" must be an object'],
    [["toolsListChanged"], '"notifications" must be an object'],
    [{ ToolsListChanged: true }, 'there is no subscription "ToolsListChanged"'],
    [{ ["x".repeat(100)]: true }, `there is no subscription "${"x".repeat(64)}"`],
    [{ resourceSubscriptions: "x:/a" }, '"resourceSubscriptions" must be a list of strings'],
    [{ taskIds: {} }, '"taskIds" must be a list of strings'],
    [{ taskIds: ["t", 1] }, '"taskIds" must be a list of strings'],
    [{ taskIds: texts(1_001) }, '"taskIds" has more than 1000 entries'],
  ])("says what is wrong with %j", (filter, message) => {
    expect(fault(filter)).toBe(message);
  });
});

describe("trimListen()", () => {
  test.each([
    {},
    { toolsListChanged: true },
    { toolsListChanged: false, promptsListChanged: true, resourcesListChanged: true },
    { resourceSubscriptions: [] },
    { resourceSubscriptions: ["x:/a"] },
    { resourceSubscriptions: ["x:/a", "x:/c", "x:/a"], taskIds: ["t", "u"] },
  ])("lets what may be seen go on as it came: %j", (filter) => {
    const json = scan(utf8(listen(filter)), REQUEST_SCAN);
    expect(json.kind === "json" && trimListen(json, askedWith(GRANTS))).toBe(json.kind === "json" && json.bytes);
  });

  test("lets it go on in canonical form", () => {
    const text = listen({ resourceSubscriptions: ["x:/a"] })
      .replace("x:/a", "x:\\/a")
      .replace("{", "{ ");
    expect(trimmed(text, ...GRANTS)).toBe(listen({ resourceSubscriptions: ["x:/a"] }));
  });

  test("takes out what may not be seen, and lets the rest go on in canonical form", () => {
    const text = JSON.stringify(
      JSON.parse(listen({ resourceSubscriptions: ["x:/b", "x:/a", "x:/d", "x:/c", "x:/e"], promptsListChanged: true })),
      undefined,
      2,
    );
    expect(trimmed(text, ...GRANTS)).toBe(
      listen({ resourceSubscriptions: ["x:/a", "x:/c"], promptsListChanged: true }),
    );
  });

  test("leaves an empty list where something else is left", () => {
    expect(trimmed(listen({ resourceSubscriptions: ["x:/b"], toolsListChanged: true }))).toBe(
      listen({ resourceSubscriptions: [], toolsListChanged: true }),
    );
    expect(trimmed(listen({ resourceSubscriptions: ["x:/b"], taskIds: ["t"] }), "method tasks/get")).toBe(
      listen({ resourceSubscriptions: [], taskIds: ["t"] }),
    );
  });

  test("takes out tasks of who may not get them", () => {
    expect(trimmed(listen({ resourceSubscriptions: ["x:/a"], taskIds: ["t", "u"] }), "resource x:/a")).toBe(
      listen({ resourceSubscriptions: ["x:/a"], taskIds: [] }),
    );
  });

  test.each([
    { resourceSubscriptions: ["x:/b"] },
    { resourceSubscriptions: ["x:/b", "x:/d"], toolsListChanged: false },
    { taskIds: ["t"] },
    { resourceSubscriptions: ["x:/b"], taskIds: ["t"] },
    { resourceSubscriptions: ["x:/b"], toolsListChanged: null },
  ])("says when nothing is left that was asked for: %j", (filter) => {
    expect(trimmed(listen(filter), "resource x:/a")).toBe("nothing");
  });

  test.each(["", "x:/a/../a", "X:/a", "x:/a\u0000", `x:/${"a".repeat(2_048)}`])(
    "takes out a URI that no rule is about: %j",
    (uri) => {
      expect(trimmed(listen({ resourceSubscriptions: [uri, "x:/a"] }), ...GRANTS)).toBe(
        listen({ resourceSubscriptions: ["x:/a"] }),
      );
    },
  );

  test("judges a URI by its text, however it is written", () => {
    const text = listen({ resourceSubscriptions: ["x:/_", "x:/b"] }).replace("_", "\\u0061");
    expect(trimmed(text, ...GRANTS)).toBe(listen({ resourceSubscriptions: ["x:/a"] }));
  });
});
