/** What Envoy's own MCP filter has found, and what it does not vouch for. */
import { describe, expect, test } from "vitest";
import { foundMessage } from "../../src/grpc/native-mcp.ts";
import { decodeProcessingRequest, encodeProcessingRequest } from "../../src/grpc/protos.ts";
import type { StructValue } from "../../src/grpc/struct.ts";

const text = (stringValue: string): StructValue => ({ kind: "stringValue", stringValue });
const FOUND: Readonly<Record<string, StructValue>> = {
  is_mcp_request: { kind: "boolValue", boolValue: true },
  status: text("mcp_ok"),
  jsonrpc: text("2.0"),
  method: text("tools/call"),
  id: { kind: "numberValue", numberValue: 7 },
  params: { kind: "structValue", structValue: { fields: { name: text("echo") } } },
};

function found(fields: Readonly<Record<string, StructValue>> | undefined): unknown {
  const filterMetadata: Record<string, object> = fields === undefined ? {} : { "envoy.filters.http.mcp": { fields } };
  const message = encodeProcessingRequest({
    request: "requestHeaders",
    requestHeaders: {},
    metadataContext: { filterMetadata },
  });
  const bytes = foundMessage(decodeProcessingRequest(Buffer.from(message)));
  return bytes && JSON.parse(Buffer.from(bytes).toString());
}

describe("foundMessage()", () => {
  test("is the message, as far as it is known", () => {
    expect(found(FOUND)).toEqual({ jsonrpc: "2.0", id: 7, method: "tools/call", params: { name: "echo" } });
    const { id: _, params: _params, ...notification } = FOUND;
    expect(found(notification)).toEqual({ jsonrpc: "2.0", method: "tools/call" });
  });

  test("of an answer knows that it carries something", () => {
    expect(found({ ...FOUND, method: text("__jsonrpc_response") })).toEqual({
      jsonrpc: "2.0",
      id: 7,
      result: { unseen: true },
    });
  });

  test("keeps an id that is none, for those to refuse who read it", () => {
    expect(found({ ...FOUND, id: { kind: "nullValue", nullValue: 0 } })).toMatchObject({ id: null });
  });

  test.each<readonly [string, Readonly<Record<string, StructValue>> | undefined]>([
    ["nothing was found", undefined],
    ["it is no MCP", { ...FOUND, is_mcp_request: { kind: "boolValue", boolValue: false } }],
    ["it is not known whether it is", { ...FOUND, is_mcp_request: text("true") }],
    ["it could not be read", { ...FOUND, status: text("mcp_parse_error") }],
    ["it was let pass", { ...FOUND, passthrough_reason: text("trailing") }],
    ["it has no method", { ...FOUND, method: { kind: "nullValue", nullValue: 0 } }],
  ])("is none where %s", (_, fields) => {
    expect(found(fields)).toBeUndefined();
  });
});
