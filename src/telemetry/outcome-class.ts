/**
 * Whose fault it was that a call did not end well: what success rates are made of. A failure is the server's alone: a time-out,
 * a broken answer, or a code that JSON-RPC keeps for servers. What a caller got wrong is none, and a refusal of ours is
 * not even counted among the calls that a server could have answered.
 */
import { isServerFault } from "../core/mcp/outcome.ts";
import type { Outcome } from "../core/mcp/outcome.ts";
import { assertNever } from "../core/result.ts";

/** `unread` and `cancelled`: nobody knows how it would have ended. */
export type OutcomeClass = "ok" | "tool_error" | "client_error" | "server_error" | "denied" | "cancelled" | "unread";

/** `code`: of an `rpc_error`. */
export function classOf(method: string, kind: Outcome["kind"], code: number | undefined): OutcomeClass {
  switch (kind) {
    case "ok":
    case "input_required":
    case "task":
      return "ok";
    case "timeout":
    case "transport_error":
      return "server_error";
    case "rpc_error":
      return isServerFault(code ?? 0) && method !== PROBE ? "server_error" : "client_error";
    case "rejected":
      return "client_error";
    case "tool_error":
    case "denied":
    case "cancelled":
    case "unread":
      return kind;
    default:
      return assertNever(kind);
  }
}

/** How clients find out that a server does not speak 2026-07-28: any error says so. */
const PROBE = "server/discover";
