import { describe, expect, test } from "vitest";
import { deliver, PLAIN } from "../../../src/core/mcp/answer.ts";
import type { Delivery } from "../../../src/core/mcp/answer.ts";
import { askedWith } from "../../fixtures/asked.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";
import { request, result } from "../../fixtures/messages.ts";

/** Of what may be somebody else's JSON. */
const foreign = (text: string): Delivery => deliver(utf8(text), askedWith([]), { ...PLAIN, mayBeForeign: true });

describe("deliver() what may be somebody else's JSON", () => {
  test.each(["{}", '{"issuer":"https://idp.example"}', '{"error":"invalid_token"}', '{"title":"x","status":401}'])(
    "as it came, as the end of a call that has failed: %s",
    (text) => {
      const bytes = utf8(text);
      const delivery = deliver(bytes, askedWith([]), { ...PLAIN, mayBeForeign: true });
      expect(delivery.bytes).toBe(bytes);
      expect(delivery).toMatchObject({ outcome: { kind: "transport_error" }, answers: undefined, fault: undefined });
    },
  );

  test.each([
    "[]",
    '["issuer"]',
    '"x"',
    "1",
    "null",
    '{"jsonrpc":"1.0","issuer":"x"}',
    '{"issuer":"x","JsonRpc":"2.0"}',
    '{"issuer":"x","method":1}',
    '{"issuer":"x","METHOD":1}',
    '{"result":{},"issuer":"x"}',
    '{"Result":1}',
    '{"issuer":"x","tools":[{"name":"secret"}]}',
    '{"issuer":"x","Prompts":[]}',
    '{"issuer":"x","resources":[]}',
  ])("not when a client could take it for a message or a result: %s", (text) => {
    expect(foreign(text)).toMatchObject({ bytes: undefined, fault: { reason: "unreadable" } });
  });

  test("without what its error may tell beyond code and message", () => {
    const { bytes } = foreign('{"issuer":"x","error":{"code":-32602,"message":"no","data":{"tools":["secret"]}}}');
    expect(bytes && textOf(bytes)).toBe('{"issuer":"x","error":{"code":-32602,"message":"no"}}');
  });

  test("not where only messages are awaited", () => {
    expect(deliver(utf8('{"issuer":"x"}'), askedWith([])).fault).toMatchObject({ reason: "unreadable" });
  });
});

describe("deliver() says why not", () => {
  test("in at most 64 characters of what a server asks for", () => {
    const { fault } = deliver(utf8(request("x".repeat(100))), askedWith([]));
    expect(fault).toEqual({
      reason: "not-granted",
      message: `asks the client for ${"x".repeat(64)}, which no rule allows`,
    });
  });

  test("of the answer to another request", () => {
    expect(deliver(utf8(result({}, 2)), askedWith([])).fault).toEqual({
      reason: "unexpected",
      message: "answers another request",
    });
  });
});

describe("deliver() an answer", () => {
  const outcomeOf = (method: "tasks/get" | "tasks/result", value: object) =>
    deliver(utf8(result(value)), askedWith([], { method })).outcome;

  test("to a request about a task: the task itself is its ordinary end, a tool's error stays one", () => {
    expect(outcomeOf("tasks/get", { task: { taskId: "t" } })).toEqual({ kind: "ok" });
    expect(outcomeOf("tasks/result", { content: [], isError: true })).toEqual({ kind: "tool_error" });
  });

  test("to a method that is not known: neither a task nor a question", () => {
    for (const [value, message] of [
      [{ task: { taskId: "t" } }, "is a task, which this method has not"],
      [{ resultType: "input_required" }, "asks the client for input, which this method may not"],
    ] as const) {
      const { fault, bytes } = deliver(utf8(result(value)), askedWith([], { method: "unknown" }));
      expect([bytes, fault?.message]).toEqual([undefined, message]);
    }
  });
});

describe("deliver() a request of the server for a model", () => {
  const secret = { type: "resource_link", uri: "x:/secret", name: "secret" };
  const open = { type: "text", text: "hello" };
  const messages = [{ role: "user", content: [secret, open] }];

  test.each([{ messages }, { messages, maxTokens: 1 }, { maxTokens: 1, tools: [], systemPrompt: "x", messages }])(
    "without resources that its user may not read, wherever the messages stand: %j",
    (params) => {
      const { bytes } = deliver(
        utf8(request("sampling/createMessage", params)),
        askedWith(["method sampling/createMessage"]),
      );
      const left = { ...params, messages: [{ role: "user", content: [open] }] };
      expect(bytes && textOf(bytes)).toBe(request("sampling/createMessage", left));
    },
  );

  test("not when a reader who ignores case could take another member for its messages", () => {
    const params = { maxTokens: 1, Messages: messages, messages: [] };
    const { bytes, fault } = deliver(
      utf8(request("sampling/createMessage", params)),
      askedWith(["method sampling/createMessage"]),
    );
    expect([bytes, fault?.message]).toEqual([undefined, 'has "Messages", which some read as another member']);
  });
});

describe("deliver() a list", () => {
  const isUntouched = (value: object, asked: ReturnType<typeof askedWith>): boolean => {
    const bytes = utf8(result(value));
    return deliver(bytes, asked).bytes === bytes;
  };

  test("of prompts whatever policy has pinned of tools", () => {
    const asked = { ...askedWith(["prompt a", "tool a"]), isPinned: () => false };
    expect(isUntouched({ prompts: [{ name: "a" }] }, asked)).toBe(true);
    expect(isUntouched({ tools: [{ name: "a" }] }, asked)).toBe(false);
  });

  test("of prompts with all that they say of themselves: only tools have a user interface", () => {
    const prompts = [{ name: "a", _meta: { "ui/resourceUri": "ui://secret" } }];
    expect(isUntouched({ prompts }, askedWith(["prompt a"]))).toBe(true);
  });

  test.each([[["ui/resourceUri"]], ["ui/resourceUri"], [null], [1]])(
    "of tools whose _meta is no object as it came: %j",
    (meta) => {
      expect(isUntouched({ tools: [{ name: "a", _meta: meta }] }, askedWith(["tool a"]))).toBe(true);
    },
  );
});
