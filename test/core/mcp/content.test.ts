import { describe, expect, test } from "vitest";
import { AS_IT_CAME, deliveredTo, SEES_ALL } from "../../fixtures/deliveries.ts";
import { result } from "../../fixtures/messages.ts";

const GRANTS = ["resource x:/a"];
const TEXT = { type: "text", text: "x:/b is a secret" };
const link = (uri: unknown) => ({ type: "resource_link", uri, name: "n" });
const embedded = (uri: unknown) => ({ type: "resource", resource: { uri, text: "t" } });

describe("the content of a result", () => {
  const to = (...content: readonly unknown[]): string => deliveredTo(result({ content, isError: false }), GRANTS);
  const left = (...content: readonly unknown[]): string => result({ content, isError: false });

  test("keeps links to resources, and embedded ones, that the caller may read", () => {
    expect(to(TEXT, link("x:/a"), embedded("x:/a"), { type: "image", data: "aGk=", mimeType: "image/png" })).toBe(
      AS_IT_CAME,
    );
  });

  test.each([
    ["first", [link("x:/b"), TEXT, TEXT], [TEXT, TEXT]],
    ["in the middle", [TEXT, embedded("x:/b"), TEXT], [TEXT, TEXT]],
    ["last", [TEXT, link("x:/a"), link("x:/b")], [TEXT, link("x:/a")]],
    ["all of them", [link("x:/b"), embedded("x:/c")], []],
  ])("loses others: %s", (_, content, expected) => {
    expect(to(...content)).toBe(left(...expected));
  });

  test("keeps what is no block, which names nothing", () => {
    expect(to(["uri", "x:/b"], ["resource", { uri: "x:/b" }], "x", null)).toBe(AS_IT_CAME);
  });

  test("loses a block with a key that some read as another, in whatever alphabet", () => {
    expect(to({ type: "resource", reſource: { uri: "x:/b" } }, { ...link("x:/a"), uri̇: 1 })).toBe(
      left({ ...link("x:/a"), uri̇: 1 }),
    );
    expect(to({ ...TEXT, üri: "x:/b", résource: 1, 漢字: 1 })).toBe(AS_IT_CAME);
  });

  test.each([undefined, 1, null, "", ["x:/a"], { uri: "x:/a" }, "x:/a/../b", "X:/a", "x:/a\u0000"])(
    "loses a resource whose URI nobody can judge: %j",
    (uri) => {
      expect(to(TEXT, embedded(uri))).toBe(left(TEXT));
      if (uri !== undefined) expect(to(TEXT, link(uri))).toBe(left(TEXT));
    },
  );

  test.each([null, "x:/a", [], 1])("loses an embedded resource that is none: %j", (resource) => {
    expect(to(TEXT, { type: "resource", resource })).toBe(left(TEXT));
  });

  test.each([
    ["of no type", { uri: "x:/b" }],
    ["of another type", { type: "text", text: "t", uri: "x:/b" }],
    ["of another type with a resource", { type: "text", text: "t", resource: { uri: "x:/b" } }],
    ["of a link with a resource", { ...link("x:/a"), resource: { uri: "x:/b" } }],
    ["of a resource with a link", { ...embedded("x:/a"), uri: "x:/b" }],
  ])("is judged by what a block has, not by what it says it is: %s", (_, block) => {
    expect(to(TEXT, block)).toBe(left(TEXT));
  });

  test.each(["Uri", "URI", "ur\u0131", "Resource", "re\u017fource", "Content", "CONTENT"])(
    "loses a block with the key %s, which a reader who ignores case takes for another",
    (key) => {
      expect(to(TEXT, { type: "text", text: "t", [key]: "x:/a" })).toBe(left(TEXT));
      expect(deliveredTo(left(TEXT, { type: "text", [key]: "x:/a" }), [], SEES_ALL)).toBe(AS_IT_CAME);
    },
  );

  test("loses an embedded resource with two URIs", () => {
    expect(to(TEXT, { type: "resource", resource: { uri: "x:/a", Uri: "x:/b" } })).toBe(left(TEXT));
    expect(to(TEXT, { type: "resource", resource: { URI: "x:/b", uri: "x:/a" } })).toBe(left(TEXT));
  });

  test("keeps keys that only resemble one", () => {
    expect(
      to({ type: "text", text: "t", uris: "x:/b", url: "x:/b", resource_: {}, contents: [], "uri ": "x:/b" }),
    ).toBe(AS_IT_CAME);
  });

  test("has blocks inside blocks, as a tool's result inside a message has", () => {
    const inside = (...content: readonly unknown[]) => ({ type: "tool_result", toolUseId: "1", content });
    expect(to(inside(TEXT, link("x:/b"), inside(embedded("x:/c"), TEXT)))).toBe(left(inside(TEXT, inside(TEXT))));
    expect(to({ type: "tool_result", content: link("x:/a") })).toBe(AS_IT_CAME);
    expect(to(TEXT, { type: "tool_result", content: link("x:/b") })).toBe(left(TEXT));
  });

  test("may hold what is no block, which names nothing", () => {
    expect(to("text", null, 1, true)).toBe(AS_IT_CAME);
  });

  test("is not delivered when it is one block that may not be seen", () => {
    expect(deliveredTo(result({ content: link("x:/b") }), GRANTS)).toBe(
      "withheld: it holds only a resource that no rule lets the caller read",
    );
    expect(deliveredTo(result({ content: link("x:/a") }), GRANTS)).toBe(AS_IT_CAME);
    for (const content of [null, "text", 1, {}]) expect(deliveredTo(result({ content }), GRANTS)).toBe(AS_IT_CAME);
  });
});

describe("the messages of a prompt", () => {
  const message = (content: unknown) => ({ role: "user", content });
  const prompt = (...messages: readonly unknown[]): string => result({ description: "d", messages });
  const to = (...messages: readonly unknown[]): string => deliveredTo(prompt(...messages), GRANTS);

  test("stay as they came when all may be read", () => {
    expect(to(message(TEXT), message(embedded("x:/a")), message([TEXT, link("x:/a")]))).toBe(AS_IT_CAME);
  });

  test("go as a whole when their one block goes", () => {
    expect(to(message(TEXT), message(embedded("x:/b")), message(link("x:/b")), message(TEXT))).toBe(
      prompt(message(TEXT), message(TEXT)),
    );
    expect(to(message(embedded("x:/b")))).toBe(prompt());
  });

  test("lose single blocks of a list", () => {
    expect(to(message([TEXT, link("x:/b")]), message([link("x:/b")]))).toBe(prompt(message([TEXT]), message([])));
  });

  test("may be what is no message, which names nothing", () => {
    expect(to("x", null, {}, { role: "user" }, message("text"), message(null))).toBe(AS_IT_CAME);
    expect(to(["content", [link("x:/b")]])).toBe(AS_IT_CAME);
  });

  test.each(["Content", "CONTENT"])("go with the key %s, which some take for their content", (key) => {
    expect(to({ role: "user", [key]: embedded("x:/b") })).toBe(prompt());
    expect(to(message(TEXT), { ...message(TEXT), [key]: TEXT })).toBe(prompt(message(TEXT)));
    expect(deliveredTo(prompt({ role: "user", [key]: TEXT }), [], SEES_ALL)).toBe(AS_IT_CAME);
  });

  // `tools` and `contents` that are no lists are refused; one message in place of the list is not read at all.
  test("are not delivered when they are no list", () => {
    expect(deliveredTo(result({ messages: message(embedded("x:/b")) }), GRANTS)).toBe(
      'withheld: it has "messages" that is not a list',
    );
  });
});

describe("the contents of a resource", () => {
  const contents = (...uris: readonly unknown[]): string =>
    result({ contents: uris.map((uri) => ({ uri, text: "t" })), cacheScope: "private" });
  const to = (...uris: readonly unknown[]): string =>
    deliveredTo(contents(...uris), GRANTS, { method: "resources/read" });
  const all = "withheld: it holds only resources that no rule lets the caller read";

  test("are those that the caller may read, of whatever URI was asked for", () => {
    expect(to("x:/a", "x:/a")).toBe(AS_IT_CAME);
    expect(to("x:/b", "x:/a", "x:/c")).toBe(contents("x:/a"));
  });

  test("are not delivered when nothing is left: an empty answer would say that the resource is empty", () => {
    expect(to("x:/b")).toBe(all);
    expect(to("x:/b", "x:/c")).toBe(all);
    expect(to()).toBe(AS_IT_CAME);
  });

  test.each([undefined, 1, null, "", "x:/a/", "x:/a/.", " x:/a"])("are not of the URI %j", (uri) => {
    expect(to(uri)).toBe(all);
  });

  test("are not of two URIs at once, nor without one", () => {
    for (const one of [{ uri: "x:/a", Uri: "x:/b" }, { URI: "x:/a" }, {}, null, "x:/a", ["x:/a"]])
      expect(deliveredTo(result({ contents: [one] }), GRANTS)).toBe(all);
  });

  test.each([null, {}, "x:/a", 1])("are a list, and not %j", (value) => {
    expect(deliveredTo(result({ contents: value }), GRANTS)).toBe('withheld: it has "contents" that is not a list');
  });

  test("of a URI that no rule can be about come to callers from whom nothing is hidden", () => {
    const long = contents(`x:/${"a".repeat(3_000)}`);
    expect(deliveredTo(long, [], SEES_ALL)).toBe(AS_IT_CAME);
    expect(deliveredTo(long, [], { isVisible: () => true })).toBe(all);
  });
});
