import { describe, expect, test } from "vitest";
import type { Id } from "../../../src/core/jsonrpc/message.ts";
import { REQUEST_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import type { Json } from "../../../src/core/jsonrpc/scan.ts";
import { PLAIN } from "../../../src/core/mcp/answer.ts";
import { deliverEach, isBatch, joinBatch, readBatch, splitBatch } from "../../../src/core/mcp/batch.ts";
import { askedWith } from "../../fixtures/asked.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";
import { batch, notification, request, result, rpcError, toolsCall } from "../../fixtures/messages.ts";

function json(text: string): Json {
  const scanned = scan(utf8(text), REQUEST_SCAN);
  if (scanned.kind === "fault") throw new Error(scanned.message);
  return scanned;
}
/** The kinds of the messages, or why there are none. */
function read(...messages: readonly string[]): readonly string[] | string {
  const found = readBatch(json(batch(...messages)));
  return found.ok ? found.value.map(([, message]) => message.kind) : `${found.error.reason}: ${found.error.message}`;
}
const calls = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => request("tools/call", { name: "echo" }, i));

describe("isBatch()", () => {
  test.each([
    ["[]", true],
    [" [1]", true],
    ["{}", false],
    ['{"a":[]}', false],
    ['"[]"', false],
    ["null", false],
  ])("is about the document itself: %s", (text, expected) => {
    expect(isBatch(json(text))).toBe(expected);
  });
});

describe("readBatch()", () => {
  test("reads requests and notifications, or answers, in their order", () => {
    expect(read(notification("a"), request("b", {}, 1), request("c", {}, 2))).toEqual([
      "notification",
      "request",
      "request",
    ]);
    expect(read(result({}, 1), rpcError(-1, 2), result({}, 1))).toEqual(["answer", "answer", "answer"]);
  });

  test("takes at least one message and at most 100", () => {
    expect(read()).toBe("malformed-request: a batch has at least one message");
    expect(read(toolsCall("echo"))).toHaveLength(1);
    expect(read(...calls(100))).toHaveLength(100);
    expect(read(...calls(101))).toBe("too-many-messages: a batch has more than 100 messages");
  });

  test.each([
    ["1", "in a batch, a message must be one JSON object"],
    ["[]", "in a batch, a message must be one JSON object"],
    [`[${toolsCall("echo")}]`, "in a batch, a message must be one JSON object"],
    ["{}", 'in a batch, "jsonrpc" must be "2.0"'],
    ['{"jsonrpc":"2.0","id":null,"method":"a"}', 'in a batch, "id" must be a string or an integer'],
    [
      '{"jsonrpc":"2.0","id":1,"method":"a","result":{}}',
      "in a batch, a message with a method has no result and no error",
    ],
    [request("initialize", {}, 9), "initialize is not part of a batch"],
    [notification("initialize"), "initialize is not part of a batch"],
  ])("refuses all of it for one message that is none, wherever it stands: %s", (bad, message) => {
    for (const messages of [[bad], [bad, toolsCall("echo")], [toolsCall("echo"), bad]])
      expect(read(...messages)).toBe(`malformed-request: ${message}`);
  });

  test("refuses two requests of one id, and takes ids that differ in type", () => {
    const same = "malformed-request: two requests of a batch have the same id";
    expect(read(request("a", {}, 1), request("b", {}, 2), request("c", {}, 1))).toBe(same);
    expect(read(request("a", {}, "x"), request("b", {}, "x").replace('"x"', '"\\u0078"'))).toBe(same);
    expect(read(request("a", {}, 1), request("b", {}, "1"))).toHaveLength(2);
  });

  test("refuses requests beside answers", () => {
    const mixed = "malformed-request: a batch has requests and notifications, or answers alone";
    expect(read(result({}, 1), request("a", {}, 1))).toBe(mixed);
    expect(read(notification("a"), result({}, 1))).toBe(mixed);
  });
});

describe("joinBatch() and splitBatch()", () => {
  test("make one array of messages, and the messages of an array", () => {
    const messages = [result({}, 1), result({ a: [1, "]"] }, 2)];
    expect(textOf(joinBatch(messages.map(utf8)))).toBe(batch(...messages));
    expect(textOf(joinBatch([]))).toBe("[]");
    const split = (text: string) => splitBatch(utf8(text), askedWith([]))?.map(textOf);
    expect(split(` [ ${messages.join(" ,\n")} ] `)).toEqual(messages);
    expect(split("[]")).toEqual([]);
    for (const other of [result({}), "1", "[", ""]) expect(split(other), other).toBeUndefined();
  });
});

describe("deliverEach()", () => {
  const ASKED = askedWith(["tool a"], {
    takesBatches: true,
    pending: [1, 2, 3].map((id) => ({ id: String(id) as Id, method: "tools/list" })),
  });
  const deliver = (text: string, asked = ASKED, mayBeForeign = false) => {
    const bytes = utf8(text);
    const delivered = deliverEach(bytes, asked, { ...PLAIN, answered: [], mayBeForeign }, (id, { fault }) =>
      utf8(`{"id":${id},"instead":"${fault?.reason}"}`),
    );
    const after = delivered.bytes === bytes ? "as it came" : delivered.bytes && textOf(delivered.bytes);
    return { after, each: delivered.each };
  };
  const tools = (id: number, ...names: readonly string[]): string =>
    result({ tools: names.map((name) => ({ name })) }, id);

  test("delivers an array as it came, spaces and all, when nothing of it changes", () => {
    const text = `[ ${tools(1, "a")} ,\n${notification("notifications/progress")},${rpcError(-1, 2)} ]`;
    const { after, each } = deliver(text);
    expect(after).toBe("as it came");
    expect(each.map(({ answers, outcome }) => [answers, outcome?.kind])).toEqual([
      ["1", "ok"],
      [undefined, undefined],
      ["2", "rpc_error"],
    ]);
  });

  test("delivers each message as if it had come alone", () => {
    const { after, each } = deliver(batch(tools(1, "a", "b"), request("roots/list", {}, 9), tools(2, "b")));
    expect(after).toBe(batch(tools(1, "a"), tools(2)));
    expect(each.map(({ hiddenItems }) => hiddenItems)).toEqual([1, 0, 1]);
  });

  test("puts something in place of an answer that is withheld, and nothing in place of what nobody waits for", () => {
    const task = result({ task: { taskId: "t" } }, 2);
    expect(deliver(batch(tools(1, "a"), task, tools(7, "a"), "1", "[]", `[${tools(3, "a")}]`)).after).toBe(
      batch(tools(1, "a"), '{"id":2,"instead":"not-granted"}'),
    );
    expect(deliver(batch(tools(7, "a"))).after).toBeUndefined();
  });

  test("delivers one message that is no array like any other", () => {
    expect(deliver(tools(1, "a", "b")).after).toBe(tools(1, "a"));
    expect(deliver(tools(1, "a")).after).toBe("as it came");
    expect(deliver("[1")).toMatchObject({ after: undefined, each: [{ fault: { reason: "unreadable" } }] });
  });

  test("takes no array where none was asked for", () => {
    const { after, each } = deliver(batch(tools(1, "a")), { ...ASKED, takesBatches: false });
    expect([after, each.map(({ fault }) => fault?.reason)]).toEqual([undefined, ["unreadable"]]);
  });

  test("takes at most 100 messages", () => {
    const pings = (count: number): string => batch(...Array.from({ length: count }, () => request("ping", {}, 9)));
    expect(deliver(pings(100)).after).toBe("as it came");
    expect(deliver(pings(101))).toMatchObject({ after: undefined, each: [{ fault: { reason: "too-large" } }] });
  });

  test("takes somebody else's JSON for what it is, but not as one of several", () => {
    const foreign = '{"error":"invalid_token"}';
    expect([deliver(foreign, ASKED, true).after, deliver(foreign).after]).toEqual(["as it came", undefined]);
    expect(deliver(batch(foreign), ASKED, true).after).toBeUndefined();
  });

  test("has no text of an element for a message", () => {
    const text = JSON.stringify([result({}, 1), "[]", ""]);
    const { after, each } = deliver(text);
    expect(after).toBeUndefined();
    expect(each.map(({ fault }) => fault?.reason)).toEqual(Array(3).fill("unreadable"));
  });
});
