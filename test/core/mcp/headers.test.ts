import { describe, expect, test } from "vitest";
import { apart, decodeHeaderText, readHeaders } from "../../../src/core/mcp/headers.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { POST } from "../../fixtures/exchanges.ts";

const faultOf = (...headers: HeaderList): string => {
  const read = readHeaders([...POST, ...headers]);
  return read.ok ? "accepted" : read.error.message;
};

const SINGLE = [
  ":method",
  ":path",
  ":authority",
  "content-type",
  "content-encoding",
  "content-length",
  "authorization",
  "accept-encoding",
  "mcp-protocol-version",
  "mcp-method",
  "mcp-name",
  "mcp-session-id",
  "last-event-id",
] as const;

describe("readHeaders()", () => {
  test("reads what matters, and nothing for what is not there", () => {
    const read = readHeaders([...POST, ["mcp-name", " echo "], ["x-custom", "1"], ["x-custom", "2"]]);
    expect(read).toMatchObject({
      ok: true,
      value: { ":method": "POST", ":path": "/mcp", "mcp-name": " echo ", "mcp-method": undefined, selective: [] },
    });
  });

  test.each(SINGLE)("refuses %s twice, also with the same value and also when it is empty", (name) => {
    for (const values of [
      ["a", "a"],
      ["a", "b"],
      ["", "a"],
      ["a", ""],
    ]) {
      const headers: HeaderList = values.map((value) => [name, value] as const);
      const read = readHeaders(headers);
      expect(read.ok ? "accepted" : read.error.message).toBe(`the header ${name} stands twice`);
    }
  });

  test("refuses with a reason that metrics know", () => {
    const read = readHeaders([...POST, ["mcp-method", "a"], ["mcp-method", "b"]]);
    expect(read).toMatchObject({
      ok: false,
      error: { reason: "malformed-request", rule: { policy: "toolgate", rule: "malformed-request" } },
    });
  });

  test.each([
    ["mcp_method", "the header mcp_method resembles mcp-method"],
    ["mcp_name", "the header mcp_name resembles mcp-name"],
    ["mcp-session_id", "the header mcp-session_id resembles mcp-session-id"],
    ["mcp_anything_new", "the header mcp_anything_new resembles mcp-anything-new"],
    ["content_type", "the header content_type resembles content-type"],
    ["content_length", "the header content_length resembles content-length"],
    ["x_forwarded_client-cert", "the header x_forwarded_client-cert resembles x-forwarded-client-cert"],
    ["l5d_client_id", "the header l5d_client_id resembles l5d-client-id"],
    ["x_http_method_override", "the header x_http_method_override resembles x-http-method-override"],
    ["x-http-method-override", "the header x-http-method-override is not accepted"],
    ["x-http-method", "the header x-http-method is not accepted"],
    ["x-method-override", "the header x-method-override is not accepted"],
    ["x-original-url", "the header x-original-url is not accepted"],
    ["x-rewrite-url", "the header x-rewrite-url is not accepted"],
    ["upgrade", "the connection cannot be upgraded"],
  ])("refuses the header %s: %s", (name, message) => {
    expect(faultOf([name, "x"])).toBe(message);
  });

  test("lets other names with an underscore through", () => {
    expect(faultOf(["x_custom", "1"], ["my_header", "2"])).toBe("accepted");
  });

  test.each([
    ["keep-alive", "accepted"],
    ["Close", "accepted"],
    ["te, keep-alive", "accepted"],
    ["mcp-name", "the header connection names other headers"],
    ["close, x-forwarded-client-cert", "the header connection names other headers"],
    ["upgrade", "the header connection names other headers"],
    ["", "the header connection names other headers"],
  ])("reads connection: %s as %s", (value, expected) => {
    expect(faultOf(["connection", value])).toBe(expected);
  });

  test.each([
    "example.com",
    "example.com:8080",
    "10.0.0.1",
    "A.example:1",
    "[::1]",
    "[::1]:80",
    "[::FFFF:10.0.0.1]:65535",
    "[fe80::a]",
    "a_b",
    "",
  ])("takes the host %j", (host) => {
    expect(readHeaders([[":authority", host]]).ok).toBe(true);
  });

  test.each([
    "a/b",
    "a b",
    "user@host",
    "a:b",
    "a:123456",
    "a,b",
    "a?b",
    "a#b",
    "a\\b",
    "a:",
    "[::1",
    "[]",
    "[g::]",
    "[::1]:",
    "[::1]:123456",
    "x[::1]",
    "[::1]x",
    "é",
  ])("refuses the host %j", (host) => {
    expect(readHeaders([[":authority", host]])).toMatchObject({ error: { message: "the host is not a host name" } });
  });

  test("collects what repeats arguments, each header once", () => {
    const read = readHeaders([...POST, ["mcp-param-region", "eu"], ["x-a", "1"], ["mcp-param-b", ""]]);
    expect(read.ok && read.value.params).toEqual([
      ["mcp-param-region", "eu"],
      ["mcp-param-b", ""],
    ]);
    for (const value of ["eu", "us", ""])
      expect(faultOf(["mcp-param-region", "eu"], ["mcp-param-x", ""], ["mcp-param-region", value])).toBe(
        "the header mcp-param-region stands twice",
      );
    expect(faultOf(["mcp_param_region", "eu"])).toBe("the header mcp_param_region resembles mcp-param-region");
    expect(faultOf(["mcp-param_region", "eu"])).toBe("the header mcp-param_region resembles mcp-param-region");
  });

  test("names the headers that ask for a part of an answer", () => {
    const read = readHeaders([...POST, ["range", "bytes=0-1"], ["if-none-match", "x"], ["if-none-match", "y"]]);
    expect(read.ok && read.value.selective).toEqual(["range", "if-none-match", "if-none-match"]);
    for (const name of ["if-range", "if-match", "if-modified-since", "if-unmodified-since"])
      expect(readHeaders([...POST, [name, "x"]])).toMatchObject({ value: { selective: [name] } });
  });
});

describe("apart()", () => {
  test("makes two again of what may stand once and was joined with a comma, so that it is refused", () => {
    for (const name of SINGLE.filter((one) => !one.startsWith(":") && one !== "accept-encoding"))
      expect(apart([name, "a,b"])).toEqual([
        [name, "a"],
        [name, "b"],
      ]);
  });

  test.each([":path", ":authority", "accept-encoding", "accept", "mcp-param-x"])(
    "leaves %s, in which a comma may stand",
    (name) => {
      expect(apart([name, "a,b"])).toEqual([[name, "a,b"]]);
    },
  );
});

describe("decodeHeaderText()", () => {
  const base64 = (text: string): string => `=?base64?${Buffer.from(text, "utf8").toString("base64")}?=`;

  test.each([
    ["echo", "echo"],
    ["", ""],
    [" echo", "echo"],
    ["\techo \t", "echo"],
    ["e cho", "e cho"],
    ["demo://a/b?c=d", "demo://a/b?c=d"],
    ["=?base64?", "=?base64?"],
    ["=?base64", "=?base64"],
    ["?=", "?="],
    ["=?BASE64?ZWNobw==?=", "=?BASE64?ZWNobw==?="],
    ["=?base64?ZWNobw==?=x", "=?base64?ZWNobw==?=x"],
    ["x=?base64?ZWNobw==?=", "x=?base64?ZWNobw==?="],
    ["=?base64?ZWNobw==?=", "echo"],
    [" =?base64?ZWNobw==?= ", "echo"],
    ["=?base64??=", ""],
    ["=?base64?w6k=?=", "é"],
    ["=?base64?7767YQ==?=".replace("7767", "77u/"), "\ufeffa"],
    [base64("=?base64?ZWNobw==?="), "=?base64?ZWNobw==?="],
    [base64(" echo "), " echo "],
    ["\xc3\xa9", "é"],
  ])("reads %j as %j", (value, expected) => {
    expect(decodeHeaderText(value)).toBe(expected);
  });

  test("reads Base64 of every length, and of every byte that UTF-8 can hold", () => {
    for (let length = 0; length <= 70; length++) {
      const text = "é\u20ac\u{1f600}abcdefghij~".repeat(10).slice(0, length).toWellFormed();
      expect(decodeHeaderText(base64(text)), text).toBe(text);
    }
  });

  test.each([
    ["missing padding", "=?base64?ZWNobw?="],
    ["half the padding", "=?base64?ZWNobw=?="],
    ["too much padding", "=?base64?ZWNobw===?="],
    ["padding alone", "=?base64?=?="],
    ["two bytes of padding alone", "=?base64?==?="],
    ["four bytes of padding", "=?base64?====?="],
    ["padding within", "=?base64?ZW==ZWNo?="],
    ["unused bits that are set, before two bytes of padding", "=?base64?ZWNobx==?="],
    ["unused bits that are set, before one", "=?base64?ZWNobwF=?="],
    ["the URL alphabet", "=?base64?4pi_-_A=?="],
    ["a space within", "=?base64?ZWNo bw==?="],
    ["a line end within", "=?base64?ZWNo\r\nbw==?="],
    ["another character", "=?base64?ZWNo!w==?="],
    ["bytes that are not UTF-8", "=?base64?/w==?="],
    ["an overlong form", "=?base64?wK8=?="],
    ["a lone surrogate", "=?base64?7aCA?="],
  ])("refuses %s", (_, value) => {
    expect(decodeHeaderText(value)).toBeUndefined();
  });

  test("refuses a plain value that is not UTF-8", () => {
    expect(decodeHeaderText("\xff")).toBeUndefined();
    expect(decodeHeaderText("a\xc3")).toBeUndefined();
  });

  test("reads a value of spaces within in linear time", { timeout: 5_000 }, () => {
    // 100 kB: under a millisecond in one pass, some ten seconds when each space is a new start.
    const value = `a${"\t".repeat(100_000)}b`;
    expect(decodeHeaderText(value)).toBe(value);
  });
});
