import { describe, expect, test } from "vitest";
import { classify } from "../../../src/core/mcp/classify.ts";
import type { Classified } from "../../../src/core/mcp/classify.ts";
import { readHeaders } from "../../../src/core/mcp/headers.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import type { Refusal } from "../../../src/core/mcp/refusal.ts";
import type { Endpoint } from "../../../src/core/policy/policy-set.ts";
import type { Result } from "../../../src/core/result.ts";
import { REVISION } from "../../fixtures/messages.ts";

function classified(
  headers: HeaderList,
  hasBody = true,
  transport: Endpoint["transport"] = "http",
): Result<Classified, Refusal> {
  const read = readHeaders(headers);
  if (!read.ok) throw new Error(read.error.message);
  return classify(read.value, hasBody, transport);
}
const post = (...headers: HeaderList): Result<Classified, Refusal> => classified([[":method", "POST"], ...headers]);
const reasonOf = (result: Result<Classified, Refusal>): string => (result.ok ? result.value.kind : result.error.reason);

const JSON_TYPE = ["content-type", "application/json"] as const;

describe("classify() a POST", () => {
  test("is a message, of the legacy era when no revision is said", () => {
    expect(post(JSON_TYPE)).toEqual({
      ok: true,
      value: {
        kind: "message",
        claim: {
          era: "legacy",
          revision: undefined,
          method: undefined,
          name: undefined,
          params: [],
          isModernPossible: true,
        },
      },
    });
  });

  test("claims what its headers say, not decoded", () => {
    const headers = [JSON_TYPE, ["mcp-method", "tools/call"], ["mcp-name", " =?base64?ZWNobw==?="]] as const;
    expect(post(["mcp-protocol-version", REVISION], ...headers)).toMatchObject({
      ok: true,
      value: { claim: { era: "modern", revision: REVISION, method: "tools/call", name: " =?base64?ZWNobw==?=" } },
    });
  });

  test.each([
    "application/json",
    "Application/JSON",
    "application/json;",
    "application/json; ",
    "application/json;charset=utf-8",
    "application/json; charset=UTF-8",
    'application/json; charset="utf-8"',
    "application/json ; charset = utf-8 ",
  ])("takes the content type %s", (type) => {
    expect(reasonOf(post(["content-type", type]))).toBe("message");
  });

  test.each([
    "",
    "text/plain",
    "application/json; charset=utf-7",
    "application/json; charset=utf-16le",
    "application/json; charset=iso-8859-1",
    "application/json; charset=utf8",
    "application/json; charset=utf-8; charset=utf-7",
    "application/json; charset=utf-7; charset=utf-8",
    "application/json; x=y",
    "application/json; boundary=utf-8",
    "application/jsonx",
    "application/json+x",
    "application/json, text/plain",
    "application/json,application/json",
    "text/plain; application/json",
    "application/jsonp",
    "application/vnd.api+json",
    "multipart/form-data",
    "\tapplication/json",
  ])("refuses the content type %j", (type) => {
    expect(reasonOf(post(["content-type", type]))).toBe("unsupported-media-type");
  });

  test("refuses no content type, any content encoding, and no body", () => {
    expect(reasonOf(post())).toBe("unsupported-media-type");
    for (const coding of ["gzip", "identity", ""])
      expect(reasonOf(post(JSON_TYPE, ["content-encoding", coding]))).toBe("unsupported-media-type");
    expect(reasonOf(classified([[":method", "POST"], JSON_TYPE], false))).toBe("malformed-request");
  });
});

describe("classify() a revision", () => {
  test.each(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])("%s as legacy", (revision) => {
    expect(post(JSON_TYPE, ["mcp-protocol-version", revision])).toMatchObject({ value: { claim: { era: "legacy" } } });
  });

  test.each(["9999-12-31", "2026-07-29", "2026-07-28 ", "", "2026-07-28,2025-11-25", "constructor", "DRAFT"])(
    "does not know %j: a GET is refused, a message once its id is known",
    (revision) => {
      const headers = [JSON_TYPE, ["mcp-protocol-version", revision]] as const;
      expect(reasonOf(classified([[":method", "GET"], ...headers], false))).toBe("unsupported-version");
      expect(post(...headers)).toMatchObject({ value: { claim: { era: "modern", revision } } });
    },
  );
});

describe("classify() other methods", () => {
  test("a GET is a stream and a DELETE ends a session, in the legacy era", () => {
    expect(classified([[":method", "GET"]], false)).toEqual({
      ok: true,
      value: { kind: "stream", revision: undefined },
    });
    expect(
      classified(
        [
          [":method", "DELETE"],
          ["mcp-protocol-version", "2025-11-25"],
        ],
        false,
      ),
    ).toEqual({
      ok: true,
      value: { kind: "end-session", revision: "2025-11-25" },
    });
  });

  test("neither has a body, and neither is of the modern era", () => {
    for (const name of ["GET", "DELETE"]) {
      expect(reasonOf(classified([[":method", name]], true))).toBe("malformed-request");
      expect(
        reasonOf(
          classified(
            [
              [":method", name],
              ["mcp-protocol-version", REVISION],
            ],
            false,
          ),
        ),
      ).toBe("method-not-allowed");
    }
  });

  test.each(["PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "post", "Get", "", "constructor"])(
    "refuses %s",
    (name) => {
      for (const hasBody of [true, false])
        expect(reasonOf(classified([[":method", name], JSON_TYPE], hasBody))).toBe("method-not-allowed");
    },
  );

  test("refuses a request without a method", () => {
    expect(reasonOf(classified([], false))).toBe("method-not-allowed");
  });
});

describe("classify() a session", () => {
  test.each(["a", "1868a90c-9a5f-4a3e-8d77-1d0f7c2f0f6b", "!~", "x".repeat(4096)])("takes the id %s", (id) => {
    expect(reasonOf(post(JSON_TYPE, ["mcp-session-id", id]))).toBe("message");
  });

  test.each(["", "a b", "a,b", "a\tb", "é", "x".repeat(4097), "a\n", "\u007f"])("refuses the id %j", (id) => {
    expect(reasonOf(post(JSON_TYPE, ["mcp-session-id", id]))).toBe("malformed-request");
  });
});

describe("classify() over HTTP with SSE", () => {
  const of = (transport: "sse-stream" | "sse-messages", headers: HeaderList, hasBody: boolean) =>
    classified(headers, hasBody, transport);
  const [GET, POST] = [[":method", "GET"] as const, [":method", "POST"] as const];

  test("one path is a stream, and takes nothing else", () => {
    expect(reasonOf(of("sse-stream", [GET], false))).toBe("stream");
    expect(reasonOf(of("sse-stream", [GET], true))).toBe("malformed-request");
    expect(of("sse-stream", [POST, JSON_TYPE], true)).toMatchObject({
      error: { reason: "method-not-allowed", allow: "GET" },
    });
  });

  test("the other takes messages, whose headers claim nothing but their revision", () => {
    const headers: HeaderList = [POST, JSON_TYPE, ["mcp-method", "x"], ["mcp-name", "x"], ["mcp-param-x", "x"]];
    expect(of("sse-messages", headers, true)).toMatchObject({
      value: { claim: { era: "legacy", method: undefined, name: undefined, params: [], isModernPossible: false } },
    });
    expect(of("sse-messages", [GET], false)).toMatchObject({
      error: { reason: "method-not-allowed", allow: "POST" },
    });
  });

  test("neither is of the modern era", () => {
    const revision = ["mcp-protocol-version", REVISION] as const;
    expect(reasonOf(of("sse-stream", [GET, revision], false))).toBe("unsupported-version");
    expect(reasonOf(of("sse-messages", [POST, JSON_TYPE, revision], true))).toBe("unsupported-version");
  });
});

test("classify() repeats no more than the beginning of a revision that is not known", () => {
  const refused = classified(
    [
      [":method", "GET"],
      ["mcp-protocol-version", "9".repeat(5_000)],
    ],
    false,
  );
  expect(refused.ok ? "" : refused.error.message).toBe(`the protocol version "${"9".repeat(32)}" is not known`);
});
