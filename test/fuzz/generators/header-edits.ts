/** Headers as an attacker sends them: one that means something to some reader, one too many, one too few, another value. */
import * as fc from "fast-check";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";

/** Headers that some reader listens to. */
const ODD_HEADERS: HeaderList = [
  ["content-length", "0"],
  ["content-encoding", "gzip"],
  ["content-type", "application/json"],
  ["content-type", "text/plain"],
  ["accept-encoding", "gzip"],
  ["range", "bytes=0-1"],
  ["mcp-name", "get-env"],
  ["mcp-name", "echo"],
  ["mcp-name", "=?base64?ZWNobw==?="],
  ["mcp-name", "=?base64?ZWNobw?="],
  ["mcp-method", "tools/call"],
  ["mcp-method", "tools/list"],
  ["mcp_name", "get-env"],
  ["mcp-param-a", "1"],
  ["mcp-param-message", "=?base64?YQ==?="],
  ["mcp-session-id", "a"],
  ["mcp-session-id", "a, b"],
  ["mcp-protocol-version", "2026-07-28"],
  ["mcp-protocol-version", "2025-06-18"],
  ["mcp-protocol-version", "9999-99-99"],
  ["x-http-method-override", "DELETE"],
  ["connection", "mcp-name"],
  ["connection", "keep-alive"],
  ["upgrade", "websocket"],
  ["authorization", "Bearer x"],
  [":path", "/mcp/"],
  [":path", "/mcp"],
  [":authority", "mcp.example:80"],
  ["x-other", "1"],
];
const VALUES = [
  "application/json; charset=utf-8",
  "application/json; charset=utf-7",
  "Application/JSON;",
  "application/json, text/plain",
  "POST",
  "/mcp?x",
  "",
  " ",
  "get-env",
  "\u00e9",
];
export const headerEdit = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), at: fc.nat(9), header: fc.constantFrom(...ODD_HEADERS) }),
  fc.record({ kind: fc.constantFrom("drop" as const, "twice" as const), at: fc.nat(9) }),
  fc.record({ kind: fc.constant("value" as const), at: fc.nat(9), value: fc.constantFrom(...VALUES) }),
);
export type HeaderEdit = typeof headerEdit extends fc.Arbitrary<infer T> ? T : never;

export function withHeaderEdit(headers: HeaderList, change: HeaderEdit): HeaderList {
  const at = change.at % Math.max(1, headers.length);
  const [before, [name = "", value = ""] = [], after] = [headers.slice(0, at), headers[at], headers.slice(at + 1)];
  switch (change.kind) {
    case "add":
      return [...headers, change.header];
    case "drop":
      return [...before, ...after];
    case "twice":
      return [...headers, [name, value]];
    case "value":
      return [...before, [name, change.value], ...after];
    default:
      return change satisfies never;
  }
}
