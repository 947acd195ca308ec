import { expect, test } from "vitest";
import { classOf } from "../../src/telemetry/outcome-class.ts";

test.each([
  [-32_603, "server_error"],
  [-32_000, "server_error"],
  [-32_010, "server_error"],
  [-32_019, "server_error"],
  [-32_020, "client_error"],
  [-31_999, "client_error"],
  [-32_602, "client_error"],
  [-32_700, "client_error"],
  [-32_042, "client_error"],
  [7, "client_error"],
] as const)("the code %d is a %s", (code, expected) => {
  expect(classOf("tools/call", "rpc_error", code)).toBe(expected);
});

test.each([
  ["ok", "ok"],
  ["input_required", "ok"],
  ["task", "ok"],
  ["tool_error", "tool_error"],
  ["timeout", "server_error"],
  ["transport_error", "server_error"],
  ["rejected", "client_error"],
  ["denied", "denied"],
  ["cancelled", "cancelled"],
  ["unread", "unread"],
] as const)("the outcome %s is of the class %s", (kind, expected) => {
  expect(classOf("tools/call", kind, undefined)).toBe(expected);
});

test("a probe for 2026-07-28 that is answered with an error is no failure of the server; one without an answer is", () => {
  expect(classOf("server/discover", "rpc_error", -32_000)).toBe("client_error");
  expect(classOf("server/discover", "rejected", undefined)).toBe("client_error");
  expect(classOf("server/discover", "transport_error", undefined)).toBe("server_error");
});
