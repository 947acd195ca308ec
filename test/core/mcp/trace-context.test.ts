import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { member, ROOT } from "../../../src/core/jsonrpc/json.ts";
import { REQUEST_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import { formatTraceparent, parseTraceContext, readTraceContext } from "../../../src/core/mcp/trace-context.ts";
import { utf8 } from "../../fixtures/bytes.ts";
import { PARENT, TRACE_ID } from "../../fixtures/traces.ts";

const SPAN_ID = "00f067aa0ba902b7";

describe("parseTraceContext()", () => {
  test("reads the ids, the flag and the state", () => {
    expect(parseTraceContext(PARENT, "a=1,b=2")).toEqual({
      traceId: TRACE_ID,
      spanId: SPAN_ID,
      isSampled: true,
      state: "a=1,b=2",
    });
  });

  test.each([
    ["00", false],
    ["01", true],
    ["02", false],
    ["03", true],
    ["ff", true],
    ["fe", false],
  ])("takes the lowest bit of the flags %s alone for the decision to sample", (flags, isSampled) => {
    expect(parseTraceContext(`00-${TRACE_ID}-${SPAN_ID}-${flags}`, undefined)?.isSampled).toBe(isSampled);
  });

  test.each([
    ["nothing", ""],
    ["another version", `01-${TRACE_ID}-${SPAN_ID}-01`],
    ["the version that is never valid", `ff-${TRACE_ID}-${SPAN_ID}-01`],
    ["upper case", `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`],
    ["a trace id of zeros", `00-${"0".repeat(32)}-${SPAN_ID}-01`],
    ["a span id of zeros", `00-${TRACE_ID}-${"0".repeat(16)}-01`],
    ["one digit too few", `00-${TRACE_ID.slice(1)}-${SPAN_ID}-01`],
    ["one digit too many", `00-${TRACE_ID}0-${SPAN_ID}-01`],
    ["more behind it", `${PARENT}-00`],
    ["a line break behind it", `${PARENT}\n`],
    ["white space before it", ` ${PARENT}`],
    ["other separators", PARENT.replaceAll("-", "_")],
    ["other digits", PARENT.replace("4bf9", "４bf9")],
  ])("takes %s for nothing", (_, text) => {
    expect(parseTraceContext(text, "a=1")).toBeUndefined();
  });

  test("leaves out a state that is too long, or no text for a header, and keeps the rest", () => {
    for (const state of ["", "a".repeat(513), "a=\u0000", "a=é", "a=\n"]) {
      expect(parseTraceContext(PARENT, state), JSON.stringify(state)).toMatchObject({ state: undefined });
    }
    expect(parseTraceContext(PARENT, "a".repeat(512))?.state).toHaveLength(512);
  });

  test("reads back what it has written", () => {
    const hex = (length: number) =>
      fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((digits) => !/^0+$/.test(digits));
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, isSampled) => {
        const context = { traceId, spanId, isSampled, state: undefined };
        expect(parseTraceContext(formatTraceparent(context), undefined)).toEqual(context);
      }),
    );
  });
});

describe("readTraceContext()", () => {
  const read = (meta: unknown) => {
    const json = scan(utf8(JSON.stringify({ meta })), REQUEST_SCAN);
    if (json.kind === "fault") throw new Error(json.message);
    return readTraceContext(json, member(json, ROOT, "meta"));
  };

  test("reads both keys", () => {
    expect(read({ tracestate: "a=1", other: 1, traceparent: PARENT })).toMatchObject({
      traceId: TRACE_ID,
      state: "a=1",
    });
  });

  test.each([
    ["no object", "text"],
    ["no key", {}],
    ["a key in another case", { Traceparent: PARENT }],
    ["a number", { traceparent: 1 }],
    ["an object", { traceparent: { value: PARENT } }],
    ["a state alone", { tracestate: "a=1" }],
  ])("finds nothing in %s", (_, meta) => {
    expect(read(meta)).toBeUndefined();
  });

  test("leaves out a state that is no text", () => {
    expect(read({ traceparent: PARENT, tracestate: ["a=1"] })).toMatchObject({ state: undefined });
  });

  test("finds nothing where there is no `_meta`", () => {
    const json = scan(utf8("{}"), REQUEST_SCAN);
    if (json.kind === "fault") throw new Error(json.message);
    expect(readTraceContext(json, member(json, ROOT, "_meta"))).toBeUndefined();
  });
});
