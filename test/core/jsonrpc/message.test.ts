import { describe, expect, test } from "vitest";
import { hasControl, NO_ID, readMessage } from "../../../src/core/jsonrpc/message.ts";
import type { InvalidMessage, Message } from "../../../src/core/jsonrpc/message.ts";
import { REQUEST_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import { utf8 } from "../../fixtures/bytes.ts";

function read(document: string): Message | InvalidMessage {
  const json = scan(utf8(document), REQUEST_SCAN);
  if (json.kind === "fault") throw new Error(json.message);
  return readMessage(json);
}

describe("readMessage() reads", () => {
  test("a request, a notification and the two kinds of answer", () => {
    expect(read('{"jsonrpc":"2.0","id":1,"method":"ping"}')).toMatchObject({
      kind: "request",
      id: "1",
      method: "ping",
    });
    expect(read('{"jsonrpc":"2.0","method":"x","params":{}}')).toMatchObject({ kind: "notification", method: "x" });
    expect(read('{"jsonrpc":"2.0","id":"a","result":{}}')).toMatchObject({ kind: "answer", id: '"a"' });
    expect(read('{"jsonrpc":"2.0","id":1,"error":{}}')).toMatchObject({ kind: "answer", id: "1" });
  });

  test("members in any order and however they are escaped", () => {
    expect(read('{"m\\u0065thod":"p\\u0069ng","id":7,"jsonrpc":"2\\u002e0"}')).toMatchObject({
      kind: "request",
      id: "7",
      method: "ping",
    });
  });

  test("an error about a message whose id nobody could read", () => {
    expect(read('{"jsonrpc":"2.0","id":null,"error":{}}')).toMatchObject({ kind: "answer", id: NO_ID });
    expect(read('{"jsonrpc":"2.0","error":{}}')).toMatchObject({ kind: "answer", id: NO_ID });
  });

  test.each([
    ["0", "0"],
    ["-1", "-1"],
    ["9007199254740991", "9007199254740991"],
    ["-9007199254740991", "-9007199254740991"],
    ['""', '""'],
    ['"1"', '"1"'],
    ['"\\u0031"', '"1"'],
    ['"é"', '"é"'],
  ])("the id %s as %s", (written, id) => {
    expect(read(`{"jsonrpc":"2.0","id":${written},"method":"ping"}`)).toMatchObject({ kind: "request", id });
  });

  test("an id that is a number apart from one that is a string", () => {
    const [one, other] = ["1", '"1"'].map((id) => read(`{"jsonrpc":"2.0","id":${id},"result":{}}`));
    expect(one).not.toEqual(other);
  });
});

describe("readMessage() refuses", () => {
  const messageOf = (document: string): string => {
    const found = read(document);
    return found.kind === "invalid" ? found.message : `read as ${found.kind}`;
  };

  test.each(["[]", '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', "null", "1", '"x"', "true"])("%s", (document) => {
    expect(messageOf(document)).toBe("a message must be one JSON object");
  });

  test.each([
    ["{}", '"jsonrpc" must be "2.0"'],
    ['{"id":1,"method":"ping"}', '"jsonrpc" must be "2.0"'],
    ['{"jsonrpc":"1.0","id":1,"method":"ping"}', '"jsonrpc" must be "2.0"'],
    ['{"jsonrpc":2.0,"id":1,"method":"ping"}', '"jsonrpc" must be "2.0"'],
    ['{"jsonrpc":"2.0"}', 'a message has a "method", a "result" or an "error"'],
    ['{"jsonrpc":"2.0","id":1}', 'a message has a "method", a "result" or an "error"'],
    ['{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', 'a message has a "method", a "result" or an "error"'],
    ['{"jsonrpc":"2.0","id":1,"method":"a","result":{}}', "a message with a method has no result and no error"],
    ['{"jsonrpc":"2.0","id":1,"method":"a","error":{}}', "a message with a method has no result and no error"],
    ['{"jsonrpc":"2.0","method":"a","result":{}}', "a message with a method has no result and no error"],
    ['{"jsonrpc":"2.0","id":1,"method":1}', '"method" must be a string'],
    ['{"jsonrpc":"2.0","id":1,"method":null,"result":{}}', '"method" must be a string'],
    ['{"jsonrpc":"2.0","id":1,"method":["ping"]}', '"method" must be a string'],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":[]}', '"params" must be an object'],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":null}', '"params" must be an object'],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":"x"}', '"params" must be an object'],
    ['{"jsonrpc":"2.0","id":1,"result":{},"params":{}}', '"params" needs a "method"'],
    ['{"jsonrpc":"2.0","id":1,"result":null}', '"result" must be an object'],
    ['{"jsonrpc":"2.0","id":1,"result":[]}', '"result" must be an object'],
    ['{"jsonrpc":"2.0","id":1,"error":"x"}', '"error" must be an object'],
    ['{"jsonrpc":"2.0","result":{}}', '"id" must be a string or an integer'],
    ['{"jsonrpc":"2.0","id":1.5,"error":{}}', '"id" must be a string or an integer'],
    ['{"jsonrpc":"2.0","id":null,"result":{}}', '"id" must be a string or an integer'],
  ])("%s: %s", (document, message) => {
    expect(messageOf(document)).toBe(message);
  });

  test.each([
    ["Method", '{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call"}'],
    ["METHOD", '{"jsonrpc":"2.0","id":1,"METHOD":"tools/call"}'],
    ["param\u017f", '{"jsonrpc":"2.0","id":1,"method":"ping","param\u017f":{}}'],
    ["params.name", '{"jsonrpc":"2.0","id":1,"method":"ping","params.name":"x"}'],
    ["method\0", '{"jsonrpc":"2.0","id":1,"method":"ping","method\\u0000":"x"}'],
    ["", '{"jsonrpc":"2.0","id":1,"method":"ping","":1}'],
    ["_meta", '{"jsonrpc":"2.0","id":1,"method":"ping","_meta":{}}'],
  ])("a member %j that no message has", (name, document) => {
    expect(messageOf(document)).toBe(`a message has no member ${JSON.stringify(name)}`);
  });

  test.each(["1.0", "1.5", "1e0", "-0", "9007199254740992", "-9007199254740992", "1e40", "true", "{}", "[1]", "null"])(
    "the id %s of a request",
    (id) => {
      expect(messageOf(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`)).toBe('"id" must be a string or an integer');
    },
  );

  test("an id with a control character, or of more than 256 bytes", () => {
    const withId = (id: string): string => messageOf(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":"ping"}`);
    expect(withId("x".repeat(256))).toBe("read as request");
    expect(withId("é".repeat(128))).toBe("read as request");
    expect(withId("x".repeat(257))).toBe('"id" must be a string or an integer');
    expect(withId("é".repeat(129))).toBe('"id" must be a string or an integer');
    for (const control of ["\0", "\n", "\u001f", "\u007f", "\u0080", "\u009f"])
      expect(withId(`a${control}`)).toBe('"id" must be a string or an integer');
  });

  test("and tells whose message it was when the id could be read", () => {
    expect(read('{"jsonrpc":"2.0","id":"x","method":1}')).toMatchObject({ kind: "invalid", id: '"x"' });
    expect(read('{"id":"x","method":"ping"}')).toMatchObject({ kind: "invalid", id: '"x"' });
    expect(read('{"jsonrpc":"2.0","id":1.5,"method":"ping"}')).toMatchObject({ kind: "invalid", id: NO_ID });
    expect(read("[]")).toMatchObject({ kind: "invalid", id: NO_ID });
  });
});

describe("hasControl()", () => {
  test("knows C0, DEL and C1, and nothing else", () => {
    const controls = Array.from({ length: 0x10000 }, (_, unit) => unit).filter((unit) =>
      hasControl(String.fromCharCode(unit)),
    );
    const expected = [...Array(0x20).keys(), ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i)];
    expect(controls).toEqual(expected);
  });

  test("finds one anywhere", () => {
    expect([hasControl(""), hasControl("ab"), hasControl("\nab"), hasControl("a\nb"), hasControl("ab\n")]).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });
});
