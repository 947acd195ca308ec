/** How a call ended, as its answer says it: on the level of JSON-RPC, where HTTP says 200 to all of it. */
import { ABSENT, isObject, isString, kindAt, member, memberText, textAt } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import type { Json } from "../jsonrpc/scan.ts";
import { hasCaseVariant } from "./filtering.ts";
import { TRUE } from "../jsonrpc/tape.ts";

/**
 * How a call ended. `unread`: it was let through and its answer was not ours to read. `rejected`: HTTP has turned it away,
 * to log in (401), to begin a new session (404), to come later (429).
 */
export type Outcome =
  | { readonly kind: "ok" | "tool_error" | "denied" | "cancelled" | "timeout" | "transport_error" | "rejected" }
  | { readonly kind: "input_required" | "task" | "unread" }
  | { readonly kind: "rpc_error"; readonly code: number };

/** No answer came, or none that could be delivered. */
export const BROKEN: Outcome = { kind: "transport_error" };
/** The caller or the server has left. */
export const CANCELLED: Outcome = { kind: "cancelled" };

/** Internal error, and what JSON-RPC reserves for the server's implementation below the codes of MCP. */
export const isServerFault = (code: number): boolean => code === -32603 || (code >= -32019 && code <= -32000);

/**
 * With the HTTP status of the answer. Of 3xx and 4xx HTTP says that the server is well and the request is not, which counts
 * for more than a code that each server uses as it likes (-32001 for a session that has ended). A result, and an error
 * that says itself what was wrong, count for more than HTTP.
 */
export function withStatus(outcome: Outcome, status: number | undefined): Outcome {
  if (status === undefined || status < 300 || status > 499) return outcome;
  const isUnclear = outcome.kind === "transport_error" || (outcome.kind === "rpc_error" && isServerFault(outcome.code));
  return isUnclear ? { kind: "rejected" } : outcome;
}

/** What the result asks for counts before `isError`. Undefined for a type of result that is not known. */
export function resultOutcome(json: Json, result: At): Outcome | undefined {
  const type = member(json, result, "resultType");
  if (type !== ABSENT) {
    switch (isString(json, type) ? textAt(json, type) : "") {
      case "complete":
        break;
      case "input_required":
        return { kind: "input_required" };
      case "task":
        return { kind: "task" };
      default:
        return undefined;
    }
  }
  const task = member(json, result, "task");
  if (isObject(json, task) && (memberText(json, task, "taskId") !== undefined || hasCaseVariant(json, task, "taskId")))
    return { kind: "task" };
  const isError = member(json, result, "isError");
  return { kind: isError !== ABSENT && kindAt(json, isError) === TRUE ? "tool_error" : "ok" };
}
