import { describe, expect, test } from "vitest";
import { isAccepted, readAnswerHeaders, strayHeaders } from "../../../src/core/exchange/answer-headers.ts";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { askedWith } from "../../fixtures/asked.ts";

const JSON_TYPE: HeaderList = [["content-type", "application/json"]];
/** What headers with this status say of a body that follows. */
function said(status: number, headers: HeaderList = JSON_TYPE, endOfStream = false, details = "via_upstream"): string {
  const read = readAnswerHeaders([[":status", String(status)], ...headers], endOfStream, details);
  switch (read.kind) {
    case "pass":
      return `pass: ${read.outcome?.kind}`;
    case "refuse":
      return `refuse: it ${read.fault}`;
    default:
      return read.isHttpError ? `${read.kind} of an error` : read.kind;
  }
}

describe("readAnswerHeaders()", () => {
  test("refuses a part of an answer, which would be taken for all of it", () => {
    const partial = "refuse: it is partial, which nobody asked for";
    expect(said(206)).toBe(partial);
    expect(said(206, [["content-type", "text/event-stream"]])).toBe(partial);
    expect(said(206, [["content-type", "multipart/byteranges"]])).toBe(partial);
    expect(said(206, [["content-type", "text/html"]])).toBe(partial);
    expect(said(206, JSON_TYPE, true)).toBe("pass: ok");
  });

  test.each([
    [199, "json of an error"],
    [200, "json"],
    [299, "json"],
    [300, "json of an error"],
    [404, "json of an error"],
    [599, "json of an error"],
    [0, "json of an error"],
  ])("takes the status %i for what HTTP takes it for", (status, expected) => {
    expect(said(status)).toBe(expected);
    expect(readAnswerHeaders(JSON_TYPE, false, undefined)).toEqual({ kind: "json", isHttpError: true });
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

  test("leaves them to an error page, which is no message", () => {
    const twice: HeaderList = [
      ["content-type", "text/html"],
      ["content-type", "text/plain"],
    ];
    expect(said(502, twice)).toBe("pass: transport_error");
  });

  test("goes by what a filter behind us says that it has made, and by Envoy's own failures", () => {
    expect(said(200, JSON_TYPE, false, "lua_response")).toBe("json");
    expect(said(200, JSON_TYPE, true, "lua_response")).toBe("pass: transport_error");
    expect(said(504, JSON_TYPE, false, "response_timeout")).toBe("pass: timeout");
    expect(said(503, JSON_TYPE, true, "upstream_per_try_timeout")).toBe("pass: timeout");
    expect(said(503, JSON_TYPE, false, "no_healthy_upstream")).toBe("pass: transport_error");
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
      expected.replace(/^json$/, "json of an error"),
    );
  });

  test("has nothing to read in an empty body of no type, and reads one that could be a message", () => {
    const empty = ["content-length", "0"] as const;
    expect(said(200, [empty])).toBe("pass: ok");
    expect(said(202, [["content-type", "text/plain"], empty])).toBe("pass: ok");
    expect(said(200, [...JSON_TYPE, empty])).toBe("json");
    expect(said(200, [["content-length", "00"]])).toBe("refuse: it is neither JSON nor an event stream");
    expect(said(200, [["content-length", "1"]])).toBe("refuse: it is neither JSON nor an event stream");
  });
});

describe("isAccepted()", () => {
  test("is about the status 202 alone", () => {
    expect([200, 201, 202, 204, 2020].map((status) => isAccepted([[":status", String(status)]]))).toEqual([
      false,
      false,
      true,
      false,
      false,
    ]);
    expect(isAccepted([])).toBe(false);
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

  // With an HTTP error a header may stand twice; the first one being the client's own says nothing of the second, and SDKs
  // read this header before they look at the status.
  test.fails("takes away a second one beside the request's own", () => {
    const twice: HeaderList = [
      [SESSION, "s"],
      [SESSION, "evil"],
    ];
    expect(strayHeaders(twice, askedWith([], { session: { id: "s", mayBegin: false } }))).toEqual([SESSION]);
  });
});
