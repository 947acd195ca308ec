import { describe, expect, test } from "vitest";
import { hasFailed, isAccepted, readAnswerHeaders, strayHeaders } from "../../../src/core/exchange/answer-headers.ts";
import type { Waiting } from "../../../src/core/exchange/answer-headers.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { askedWith } from "../../fixtures/asked.ts";

const JSON_TYPE: HeaderList = [["content-type", "application/json"]];
type Said = { readonly endOfStream: boolean; readonly codeDetails: string; readonly waiting: Waiting };
/** What headers with this status say of a body that follows. */
function said(
  status: number | undefined,
  headers: HeaderList = JSON_TYPE,
  { endOfStream = false, codeDetails = "via_upstream", waiting = "call" }: Partial<Said> = {},
): string {
  const all: HeaderList = status === undefined ? headers : [[":status", String(status)], ...headers];
  const read = readAnswerHeaders({ kind: "responseHeaders", headers: all, endOfStream, codeDetails }, waiting);
  switch (read.kind) {
    case "pass":
      return `pass: ${read.outcome.kind}`;
    case "refuse":
      return `refuse: it ${read.fault}`;
    default:
      return read.mayBeForeign ? `${read.kind}, may be foreign` : read.kind;
  }
}

describe("readAnswerHeaders()", () => {
  test("refuses a part of an answer, which would be taken for all of it", () => {
    const partial = "refuse: it is partial, which nobody asked for";
    expect(said(206)).toBe(partial);
    expect(said(206, [["content-type", "text/event-stream"]])).toBe(partial);
    expect(said(206, [["content-type", "multipart/byteranges"]])).toBe(partial);
    expect(said(206, [["content-type", "text/html"]])).toBe(partial);
    expect(said(206, JSON_TYPE, { endOfStream: true })).toBe("pass: transport_error");
  });

  test.each([
    [199, "json, may be foreign"],
    [200, "json"],
    [299, "json"],
    [300, "json, may be foreign"],
    [404, "json, may be foreign"],
    [599, "json, may be foreign"],
    [0, "json, may be foreign"],
  ])("takes the status %i for what HTTP takes it for", (status, expected) => {
    expect(said(status)).toBe(expected);
    expect(said(undefined)).toBe("json, may be foreign");
  });

  test("takes no type for another that it has in it", () => {
    for (const type of ["x-text/event-stream", "application/xjson", "xapplication/json", "text/event-streams"])
      expect(said(200, [["content-type", type]]), type).toMatch(/^refuse/);
  });

  test.each(["content-type", "content-encoding", "mcp-session-id"])(
    "refuses %s twice, since a client may go by the other one",
    (name) => {
      for (const values of [
        ["application/json", "application/json"],
        ["", "x"],
        ["x", ""],
      ]) {
        const headers = values.map((value) => [name, value] as const);
        expect(said(200, [...JSON_TYPE, ...headers])).toBe(`refuse: it has two headers ${name}`);
      }
      expect(said(200, [["x-a", "1"], ["x-a", "2"], ...JSON_TYPE])).toBe("json");
    },
  );

  test("leaves them to an error page, whose first byte says whether it is read", () => {
    const twice: HeaderList = [
      ["content-type", "text/html"],
      ["content-type", "text/plain"],
    ];
    expect(said(502, twice)).toBe("page, may be foreign");
    expect(said(502, [...JSON_TYPE, ...twice])).toBe("refuse: it has two headers content-type");
  });

  test("takes for JSON, with an HTTP error, what the Python SDK takes for it", () => {
    for (const type of ["application/jsonx", "application/json, text/html", "Application/JSON-seq"]) {
      expect(said(400, [["content-type", type]]), type).toBe("json, may be foreign");
      expect(said(200, [["content-type", type]]), type).toMatch(/^refuse/);
    }
    expect(said(400, [["content-type", "x-application/json"]])).toBe("page, may be foreign");
    expect(said(200, [["content-type", 'application/json; charset="utf8"']])).toBe("json");
    expect(said(400, [["content-type", "application/jsonx; charset=utf-16"]])).toBe("refuse: it is not in UTF-8");
    expect(said(400, [["content-type", "text/html; charset=latin1"]])).toBe("page, may be foreign");
    expect(
      said(400, [
        ["content-type", "text/plain"],
        ["content-encoding", "gzip"],
      ]),
    ).toMatch(/^refuse/);
  });

  test.each([
    "charset*=us-ascii''utf-7",
    "charset*=utf-7",
    "charset*0=utf-; charset*1=7",
    "\u00a0charset=utf-7",
    "\fcharset=utf-7",
    "x=y charset=utf-16",
    "charset=utf-8x",
    'charset="utf-8;x"',
    "Charset = utf-16",
    "charset=utf-8; charset=utf-16",
  ])("refuses a character set in any form that some client honours: %j", (parameter) => {
    for (const type of ["application/json", "text/event-stream"])
      expect(said(200, [["content-type", `${type}; ${parameter}`]])).toBe("refuse: it is not in UTF-8");
  });

  test("says how what waits for no answer has ended, and that a call without an answer has failed", () => {
    const rest = (status: number, waiting: Waiting): string | undefined => {
      const headers = [[":status", String(status)] as const, ...JSON_TYPE];
      const codeDetails = "via_upstream";
      const read = readAnswerHeaders({ kind: "responseHeaders", headers, endOfStream: false, codeDetails }, waiting);
      return "rest" in read ? read.rest?.kind : undefined;
    };
    expect([rest(200, "call"), rest(500, "call")]).toEqual([undefined, undefined]);
    expect([rest(200, "nobody"), rest(404, "nobody"), rest(405, "nobody")]).toEqual([
      "ok",
      "transport_error",
      "unread",
    ]);
    expect([rest(200, "stream"), rest(404, "stream"), rest(405, "stream")]).toEqual([
      "ok",
      "transport_error",
      "unread",
    ]);
    const nothing = (status: number, waiting: Waiting): string => said(status, [], { endOfStream: true, waiting });
    expect([nothing(200, "call"), nothing(405, "call")]).toEqual(["pass: transport_error", "pass: transport_error"]);
    expect([nothing(200, "stream"), nothing(202, "nobody")]).toEqual(["pass: ok", "pass: ok"]);
    expect([nothing(405, "stream"), nothing(405, "nobody")]).toEqual(["pass: unread", "pass: unread"]);
  });

  test("goes by what a filter behind us says that it has made, and by Envoy's own failures", () => {
    const local = (status: number, codeDetails: string, endOfStream = false): string =>
      said(status, JSON_TYPE, { endOfStream, codeDetails });
    expect(local(200, "lua_response")).toBe("json");
    expect(local(200, "lua_response", true)).toBe("pass: transport_error");
    expect(local(504, "response_timeout")).toBe("pass: timeout");
    expect(local(503, "upstream_per_try_timeout", true)).toBe("pass: timeout");
    expect(local(503, "no_healthy_upstream")).toBe("pass: transport_error");
  });

  test.each([
    ["identity", "json"],
    ["Identity", "json"],
    ["gzip", "refuse: it is encoded (gzip), so it could not be read"],
    ["", "refuse: it is encoded (), so it could not be read"],
    ["identity, br", "refuse: it is encoded (identity, br), so it could not be read"],
    ["x".repeat(99), `refuse: it is encoded (${"x".repeat(32)}), so it could not be read`],
  ])("reads the encoding %j as %s", (coding, expected) => {
    expect(said(200, [...JSON_TYPE, ["content-encoding", coding]])).toBe(expected);
    expect(said(400, [...JSON_TYPE, ["content-encoding", coding]])).toBe(
      expected.replace(/^json$/, "json, may be foreign"),
    );
  });

  test("has nothing to read in an empty body of no type, and reads one that could be a message", () => {
    const empty = ["content-length", "0"] as const;
    expect(said(200, [empty])).toBe("pass: transport_error");
    expect(said(202, [["content-type", "text/plain"], empty], { waiting: "nobody" })).toBe("pass: ok");
    expect(said(200, [empty], { waiting: "stream" })).toBe("pass: ok");
    expect(said(200, [...JSON_TYPE, empty])).toBe("json");
    expect(said(200, [["content-length", "00"]])).toBe("refuse: it is neither JSON nor an event stream");
    expect(said(200, [["content-length", "1"]])).toBe("refuse: it is neither JSON nor an event stream");
  });
});

describe("readAnswerHeaders() of what nobody waits for", () => {
  const unawaited = (status: number, headers: HeaderList, endOfStream = false): string =>
    said(status, headers, { waiting: "nobody", endOfStream });

  test("reads JSON and events, which may be somebody else's, and passes on all else", () => {
    expect(unawaited(202, JSON_TYPE)).toBe("json, may be foreign");
    expect(unawaited(200, [["content-type", "text/event-stream"]])).toBe("events, may be foreign");
    for (const type of ["text/plain", "text/html", "application/jsonx"])
      expect(unawaited(202, [["content-type", type]]), type).toBe("pass: ok");
    expect([unawaited(202, []), unawaited(200, [], true), unawaited(400, [])]).toEqual([
      "pass: ok",
      "pass: ok",
      "pass: transport_error",
    ]);
  });

  test("refuses what it would have to read and cannot", () => {
    expect(unawaited(200, [...JSON_TYPE, ["content-encoding", "gzip"]])).toMatch(/^refuse: it is encoded/);
    expect(unawaited(206, JSON_TYPE)).toMatch(/^refuse: it is partial/);
    expect(unawaited(200, [["content-type", "text/plain"], ...JSON_TYPE])).toMatch(/^refuse: it has two headers/);
    expect(unawaited(202, [["content-encoding", "gzip"]])).toBe("pass: ok");
  });
});

test("hasFailed() takes what has no status for a failure", () => {
  const failed = (headers: HeaderList): boolean =>
    hasFailed({ kind: "responseHeaders", headers, endOfStream: false, codeDetails: undefined });
  expect([failed([]), failed([[":status", "200"]]), failed([[":status", "302"]])]).toEqual([true, false, true]);
});

describe("isAccepted()", () => {
  const accepted = (status: number, endOfStream: boolean): boolean =>
    isAccepted({
      kind: "responseHeaders",
      headers: [[":status", String(status)]],
      endOfStream,
      codeDetails: undefined,
    });

  test("is about the status 202, and about every other success without a body", () => {
    expect([200, 201, 202, 204].map((status) => accepted(status, true))).toEqual([true, true, true, true]);
    expect([200, 201, 202, 204].map((status) => accepted(status, false))).toEqual([false, false, true, false]);
    expect([302, 400, 500, 0].map((status) => accepted(status, true))).toEqual([false, false, false, false]);
  });
});

describe("strayHeaders()", () => {
  const SESSION = "mcp-session-id";
  const stray = (
    given: string | undefined,
    session: { id: string | undefined; mayBegin: boolean },
    era: "legacy" | "modern" = "legacy",
  ) => strayHeaders(given === undefined ? [] : [[SESSION, given]], askedWith([], { session, era }));
  const none = { id: undefined, mayBegin: false };

  test("has nothing to take away where no session is given", () => {
    expect(stray(undefined, none)).toEqual([]);
    expect(stray(undefined, { id: "s", mayBegin: true }, "modern")).toEqual([]);
  });

  test("lets a session begin where that is what was asked for", () => {
    expect(stray("s", { id: undefined, mayBegin: true })).toEqual([]);
    expect(stray("s", { id: "old", mayBegin: true })).toEqual([]);
  });

  test("lets the request's own session stay, byte for byte", () => {
    expect(stray("s", { id: "s", mayBegin: false })).toEqual([]);
    for (const other of ["S", "s ", "", "t"]) expect(stray(other, { id: "s", mayBegin: false })).toEqual([SESSION]);
  });

  test("takes away another one, which would move the client to it", () => {
    expect(stray("s", none)).toEqual([SESSION]);
    expect(stray("", none)).toEqual([SESSION]);
  });

  test("takes away any in the modern era, which has none", () => {
    expect(stray("s", { id: "s", mayBegin: false }, "modern")).toEqual([SESSION]);
    expect(stray("s", { id: undefined, mayBegin: true }, "modern")).toEqual([SESSION]);
  });

  test("takes away a second one beside the request's own, as an HTTP error may have it", () => {
    for (const ids of [
      ["s", "evil"],
      ["evil", "s"],
    ]) {
      const twice = ids.map((id) => [SESSION, id] as const);
      expect(strayHeaders(twice, askedWith([], { session: { id: "s", mayBegin: false } }))).toEqual([SESSION]);
    }
  });
});
