/** Headers from attributes, which are absent for more than one reason. */
import { describe, expect, test } from "vitest";
import {
  ANSWER_ATTRIBUTES,
  LEAN_ATTRIBUTES,
  PRESENCE,
  skippedAnswerHeaders,
  skippedHeaders,
} from "../../src/grpc/skipped-headers.ts";
import { decodeProcessingRequest, encodeProcessingRequest } from "../../src/grpc/protos.ts";
import type { StructValue } from "../../src/grpc/struct.ts";
import type { HeaderList } from "../../src/core/mcp/headers.ts";

const ADDRESS = { "request.method": "POST", "request.path": "/mcp?x", "request.host": "a" };

/** `presence`: the number that Envoy computes; undefined when it does not. */
function read(presence: number | undefined, attributes: Readonly<Record<string, string>>): HeaderList {
  const fields: Record<string, StructValue> = {};
  for (const [name, stringValue] of Object.entries(attributes)) fields[name] = { kind: "stringValue", stringValue };
  if (presence !== undefined) fields[PRESENCE] = { kind: "numberValue", numberValue: presence };
  const message = encodeProcessingRequest({
    request: "requestBody",
    requestBody: {},
    attributes: { "envoy.filters.http.ext_proc": { fields } },
  });
  return skippedHeaders(decodeProcessingRequest(Buffer.from(message)));
}

const NAMES = [...PRESENCE.matchAll(/"([^"]+)" in request.headers \? (\d+) : 0/g)].map(
  ([, name = "", bit]) => [name, Number(bit)] as const,
);

describe("skippedHeaders()", () => {
  test("reads where a request goes", () => {
    expect(read(0, ADDRESS)).toEqual([
      [":method", "POST"],
      [":path", "/mcp?x"],
      [":authority", "a"],
    ]);
  });

  test.each(NAMES)("%s, when it is there, is told or known to be there", (name, bit) => {
    const attribute = `request.headers["${name}"]`;
    if (LEAN_ATTRIBUTES.includes(attribute)) {
      expect(read(bit, { ...ADDRESS, [attribute]: "v" })).toContainEqual([name, "v"]);
      expect(() => read(bit, ADDRESS)).toThrow(attribute);
    } else expect(read(bit, ADDRESS)).toContainEqual([name, ""]);
    expect(read(0, ADDRESS).map(([one]) => one)).not.toContain(name);
  });

  test("a header that stands twice is twice in the list, but for one that is a list itself", () => {
    const twice = { 'request.headers["mcp-name"]': "a,b", 'request.headers["x-forwarded-client-cert"]': "c,d" };
    const bits = NAMES.filter(([name]) => `request.headers["${name}"]` in twice).reduce((sum, [, bit]) => sum + bit, 0);
    expect(read(bits, { ...ADDRESS, ...twice }).slice(3)).toEqual([
      ["mcp-name", "a"],
      ["mcp-name", "b"],
      ["x-forwarded-client-cert", "c,d"],
    ]);
  });

  test("has one character for a byte, as headers have elsewhere", () => {
    expect(read(0, { ...ADDRESS, "request.path": "/é" })).toContainEqual([":path", "/\u00c3\u00a9"]);
  });

  test.each(Object.keys(ADDRESS))("fails without %s, and names the setting", (name) => {
    const { [name as keyof typeof ADDRESS]: _, ...others } = ADDRESS;
    expect(() => read(0, others)).toThrow(`add to request_attributes, as in envoy-config/lean.yaml: ${name}`);
    expect(() => read(undefined, ADDRESS)).toThrow("add to request_attributes");
  });
});

describe("skippedAnswerHeaders()", () => {
  const ANSWER: Readonly<Record<string, StructValue>> = Object.fromEntries(
    ANSWER_ATTRIBUTES.map((name): [string, StructValue] => [
      name,
      name === "response.code"
        ? { kind: "numberValue", numberValue: 200 }
        : { kind: "stringValue", stringValue: name.includes("details") ? "via_upstream" : "none" },
    ]),
  );
  const type = ANSWER_ATTRIBUTES.find((name) => name.includes("content-type")) ?? "";
  const told = (fields: Readonly<Record<string, StructValue>>) => {
    const attributes = { "envoy.filters.http.ext_proc": { fields } };
    const message = encodeProcessingRequest({ request: "responseBody", responseBody: {}, attributes });
    return skippedAnswerHeaders(decodeProcessingRequest(Buffer.from(message)));
  };

  test("are those that are there", () => {
    expect(told(ANSWER)).toMatchObject({ headers: [[":status", "200"]], codeDetails: "via_upstream" });
    const json = { ...ANSWER, [type]: { kind: "stringValue", stringValue: "application/json" } as const };
    expect(told(json)?.headers).toContainEqual(["content-type", "application/json"]);
  });

  test.each(ANSWER_ATTRIBUTES)("are not known without %s", (name) => {
    const { [name]: _, ...others } = ANSWER;
    expect(told(others)).toBeUndefined();
  });

  test("are not asked for where Envoy has answered itself", () => {
    const own = { kind: "stringValue", stringValue: "upstream_reset_before_response_started{}" } as const;
    const code = ANSWER["response.code"] ?? { kind: undefined };
    expect(told({ "response.code": code, "response.code_details": own })?.headers).toEqual([[":status", "200"]]);
  });
});
