import { describe, expect, test } from "vitest";
import { deliver } from "../../../src/core/mcp/answer.ts";
import { askedWith } from "../../fixtures/asked.ts";
import { utf8 } from "../../fixtures/bytes.ts";
import { AS_IT_CAME, deliveredTo, SEES_ALL } from "../../fixtures/deliveries.ts";

const error = (code: unknown, more: object = {}): string =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code, message: "free text", ...more } });
const to = (code: unknown, more: object = {}, ...granted: readonly string[]): string =>
  deliveredTo(error(code, more), granted);

describe("the data of an error", () => {
  test.each([
    [-32021, { requiredCapabilities: { extensions: {} } }],
    [-32021, {}],
    [-32022, { supported: ["2026-07-28"], requested: "x" }],
    [-32022, { supported: [] }],
    [-32022, { requested: "x" }],
    [-32602, { uri: "x:/a" }],
    [-32602, {}],
    [-32002, { uri: "x:/a" }],
  ])("stays where MCP gives it a meaning: %i %j", (code, data) => {
    expect(to(code, { data }, "resource x:/a")).toBe(AS_IT_CAME);
  });

  test.each([
    [-32021, { supported: [] }],
    [-32021, { requiredCapabilities: {}, tools: ["admin"] }],
    [-32022, { supported: [], uri: "x:/a" }],
    [-32022, { Supported: [] }],
    [-32602, { uri: "x:/b" }],
    [-32602, { uri: 1 }],
    [-32602, { uri: "x:/a", Uri: "x:/b" }],
    [-32602, { URI: "x:/b" }],
    [-32602, { uri: "x:/a", name: "n" }],
    [-32002, { uri: "x:/b" }],
    [-32602, "x:/a"],
    [-32602, ["x:/a"]],
    [-32602, null],
    [-32601, {}],
    [-32603, { uri: "x:/a" }],
    [-31403, "admin"],
    [-32041, { elicitations: [] }],
    [0, "admin"],
    ["-32602", { uri: "x:/a" }],
    [-32602.5, { uri: "x:/a" }],
  ])("goes otherwise: %j %j", (code, data) => {
    expect(to(code, { data }, "resource x:/a")).toBe(error(code));
  });

  test.each([
    [-32022.0, "-32022.0"],
    [-32022, "-3.2022e4"],
  ])("goes by the code, however it is written: %d", (code, lexeme) => {
    const text = error(code, { data: { supported: [] } }).replace(String(code), lexeme);
    expect(deliveredTo(text)).toBe(AS_IT_CAME);
  });

  test("comes to callers from whom nothing is hidden", () => {
    expect(deliveredTo(error(1, { data: "admin", more: 1 }), [], SEES_ALL)).toBe(AS_IT_CAME);
  });
});

describe("an error", () => {
  test("has a code, a message and its data, and nothing else", () => {
    expect(to(1, { stack: "at x", Data: "admin", MESSAGE: "admin", "data ": 1 })).toBe(error(1));
    expect(to(-32602, { data: { uri: "x:/a" }, hint: "admin" }, "resource x:/a")).toBe(
      error(-32602, { data: { uri: "x:/a" } }),
    );
    expect(to(-32602, { hint: "admin", data: { uri: "x:/b" } }, "resource x:/a")).toBe(error(-32602));
  });

  test("may have no code or no message, and loses its data all the same", () => {
    const of = (value: object): string => JSON.stringify({ jsonrpc: "2.0", id: 1, error: value });
    expect(deliveredTo(of({ data: "admin" }))).toBe(of({}));
    expect(deliveredTo(of({ message: "m", data: 1 }))).toBe(of({ message: "m" }));
    expect(deliveredTo(of({}))).toBe(AS_IT_CAME);
  });

  test("without an id is treated alike", () => {
    const text = (data: object): string => JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: 1, ...data } });
    expect(deliveredTo(text({ data: "admin" }))).toBe(text({}));
  });

  test("in what a task has come to is treated alike", () => {
    const task = (inner: object): string => JSON.stringify({ jsonrpc: "2.0", id: 1, result: { error: inner } });
    expect(deliveredTo(task({ code: 1, message: "m", data: "admin" }), [], { method: "tasks/get" })).toBe(
      task({ code: 1, message: "m" }),
    );
    expect(deliveredTo(task({ code: 1, message: "m" }), [], { method: "tasks/get" })).toBe(AS_IT_CAME);
  });
});

describe("the error that asks for a URL to be visited (-32042)", () => {
  const data = { elicitations: [{ mode: "url", url: "https://x.example", elicitationId: "e" }] };
  const asks = "withheld: it asks the client for input that no rule allows";

  test("needs a rule that allows elicitation/create", () => {
    expect(to(-32042, { data })).toBe(asks);
    expect(to(-32042, { data }, "method answer", "method sampling/createMessage")).toBe(asks);
    expect(to(-32042, { data }, "method elicitation/create")).toBe(AS_IT_CAME);
    expect(deliveredTo(error(-32042, { data }).replace("-32042", "-32042.0"))).toBe(asks);
  });

  test("needs it also without data", () => {
    expect(to(-32042)).toBe(asks);
    expect(to(-32042, {}, "method elicitation/create")).toBe(AS_IT_CAME);
  });

  test("has its elicitations as data, and nothing else", () => {
    for (const other of [{ ...data, tools: ["admin"] }, { Elicitations: [] }, "x", []])
      expect(to(-32042, { data: other }, "method elicitation/create")).toBe(error(-32042));
    expect(to(-32042, { data: {} }, "method elicitation/create")).toBe(AS_IT_CAME);
  });

  test("is on record as an answer that was lost", () => {
    expect(deliver(utf8(error(-32042, { data })), askedWith([]))).toMatchObject({
      outcome: { kind: "transport_error" },
      answers: "1",
      fault: { reason: "not-granted" },
    });
  });

  test("is no such error under a key in another case, and loses its data", () => {
    expect(to(1, { Code: -32042, data })).toBe(error(1));
  });
});
