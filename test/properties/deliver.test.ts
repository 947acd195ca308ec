/** What is delivered of a server's message: never what a caller may not see, always JSON, and the same a second time. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { deliver } from "../../src/core/mcp/answer.ts";
import { askedWith } from "../fixtures/asked.ts";
import { jsonText } from "../fixtures/arbitraries.ts";
import { textOf, utf8 } from "../fixtures/bytes.ts";
import { notification, result } from "../fixtures/messages.ts";

/** A name that is granted, or one that is not and has the word `secret` in it. */
const names = fc.constantFrom("open", "secret-1", "secret-2");
const uris = fc.constantFrom("x:/open", "x:/secret", "x:/open/../secret", "X:/secret");
const ASKED = askedWith(["tool open", "prompt open", "resource x:/open", "template x:/open", "method tasks/get"]);
const ON_STREAM = { ...ASKED, pending: undefined };

/** Keys in another case are refused or taken out where they would hide a name. */
const uriKey = fc.constantFrom("uri", "uri", "uri", "uri", "Uri");
const withUri = (more: object = {}): fc.Arbitrary<object> =>
  fc
    .tuple(uriKey, uris, fc.boolean())
    .map(([key, uri, first]) => (first ? { [key]: uri, ...more } : { ...more, [key]: uri }));

const block: fc.Arbitrary<unknown> = fc.letrec<{ block: unknown }>((tie) => ({
  block: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<unknown>({ type: "text", text: "t" }, "text", null, 1),
    withUri({ type: "resource_link" }),
    withUri().map((resource) => ({ type: "resource", resource })),
    fc.tuple(withUri(), withUri()).map(([link, resource]) => ({ ...link, resource })),
    fc.array(tie("block"), { maxLength: 3 }).map((content) => ({ type: "tool_result", content })),
    tie("block").map((content) => ({ type: "tool_result", content })),
  ),
})).block;

const tool = fc
  .record({ name: names, ui: uris, old: uris, hasMeta: fc.boolean() })
  .map(({ name, ui, old, hasMeta }) => ({
    name,
    ...(hasMeta ? { _meta: { "ui/resourceUri": old, ui: { resourceUri: ui, x: 1 } } } : {}),
  }));
const list = <T>(entry: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(entry, { maxLength: 4 });
const error = fc.record(
  { code: fc.constantFrom(-32602, -32002, 1, -32042), message: fc.constant("m"), data: withUri(), more: names },
  { requiredKeys: ["code", "message"] },
);

const results = fc.record(
  {
    tools: list(tool),
    prompts: list(names.map((name) => ({ name }))),
    resources: list(withUri({ name: "n" })),
    resourceTemplates: list(uris.map((uriTemplate) => ({ uriTemplate }))),
    skills: list(withUri()),
    tasks: list(names.map((taskId) => ({ taskId, name: "secret" }))),
    content: fc.oneof(list(block), block),
    contents: list(withUri({ text: "t" })),
    messages: list(fc.oneof(block, list(block)).map((content) => ({ role: "user", content }))),
    error,
    cacheScope: fc.constantFrom("public", "private"),
    nextCursor: fc.constant(""),
  },
  { requiredKeys: [] },
);
const nested = fc.oneof(
  results,
  results.map((inner) => ({ status: "completed", result: inner })),
);

const messages = fc.oneof(
  nested.map((value) => result(value)),
  error.map((value) => JSON.stringify({ jsonrpc: "2.0", id: 1, error: value })),
  withUri({ more: "secret" }).map((params) => notification("notifications/resources/updated", params)),
  results.map((value) => notification("notifications/tasks", { taskId: "t", result: value, more: "secret" })),
  list(uris).map((resourceSubscriptions) =>
    notification("notifications/subscriptions/acknowledged", { notifications: { resourceSubscriptions } }),
  ),
  names.map((name) => notification(name, { name: "secret" })),
);

test("nothing that is delivered has what the caller may not see, and it is delivered as it is a second time", () => {
  const seen = { withheld: 0, untouched: 0, changed: 0 };
  fc.assert(
    fc.property(messages, fc.constantFrom(ASKED, ON_STREAM), fc.constantFrom(0, 1), (text, asked, indent) => {
      const bytes = utf8(JSON.stringify(JSON.parse(text), undefined, indent));
      const once = deliver(bytes, asked).bytes;
      if (once === undefined) {
        seen.withheld++;
        return;
      }
      seen[once === bytes ? "untouched" : "changed"]++;
      expect(textOf(once)).not.toMatch(/secret/);
      expect(deliver(once, asked).bytes).toBe(once);
    }),
    { numRuns: 3000 },
  );
  expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(100);
});

test("whatever a server writes, what is delivered of it is JSON, and delivered as it is a second time", () => {
  const members = fc.dictionary(
    fc.constantFrom(
      "tools",
      "content",
      "contents",
      "messages",
      "capabilities",
      "error",
      "result",
      "inputRequests",
      "task",
      "x",
    ),
    jsonText.map((text) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return text;
      }
    }),
    { maxKeys: 4 },
  );
  const anything = fc.oneof(
    jsonText,
    members.map((value) => result(value)),
    members.map((value) => JSON.stringify({ jsonrpc: "2.0", id: 1, error: value })),
    members.map((value) => notification("notifications/tasks", value)),
  );
  fc.assert(
    fc.property(anything, fc.boolean(), (text, isHttpError) => {
      const once = deliver(utf8(text), ASKED, { mayBeForeign: isHttpError, isHttpError }).bytes;
      if (once === undefined) return;
      expect(() => JSON.parse(textOf(once)) as unknown).not.toThrow();
      expect(deliver(once, ASKED, { mayBeForeign: isHttpError, isHttpError }).bytes).toBe(once);
    }),
    { numRuns: 3000 },
  );
});
