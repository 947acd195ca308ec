/** The words of the decision log that are explained, and that may become more: why, and how it ended. */
import type { FaultReason } from "../core/mcp/answer.ts";
import type { Outcome } from "../core/mcp/outcome.ts";
import type { Reason } from "../core/mcp/refusal.ts";

export const REASONS: Readonly<Record<Reason, string>> = {
  "no-rule-allows": "no Allow rule is about this caller and this call",
  "denied-by-rule": "a Deny rule is",
  "no-access": "no rule gives this caller anything on this server",
  "invalid-policy": "a policy of the server is not valid, so everything is denied",
  "unknown-server": "the request matches no MCPServer",
  "unknown-method": "no method of MCP, or none of the revision",
  "method-not-allowed": "another HTTP method than POST, GET and DELETE, or one that is not for this path",
  "unsupported-media-type": "the body is not JSON by its content type, or is encoded",
  "unsupported-version": "a revision of MCP that is not known",
  "header-mismatch": "a header says something else than the body",
  "malformed-request": "no message of JSON-RPC as MCP has them",
  "invalid-params": "params that the method does not have, or a URI that servers read differently",
  "name-too-long": "over `--max-name-bytes`",
  "uri-too-long": "over `--max-uri-bytes`",
  "malformed-json": "not JSON, or JSON that parsers read differently",
  "too-deep": "over `--max-depth`",
  "too-many-keys": "over `--max-keys`",
  "too-many-messages": "a batch of more than 100 messages",
  "too-large": "over `--max-body-bytes`",
  "unsafe-answer": "the answer could not be delivered as it was",
  "not-enforceable": "with ext_authz: what would have to be changed, and cannot be there",
};

export const OUTCOMES: Readonly<Record<Outcome["kind"], string>> = {
  ok: "answered with a result",
  tool_error: "answered with a result that has `isError: true`",
  rpc_error: "answered with a JSON-RPC error, whose code is `error_code`",
  rejected: "turned away by the HTTP status (3xx or 4xx): to log in, to begin a new session, to come later",
  denied: "refused; no server was asked",
  input_required: "answered with a question to the client",
  task: "answered with a task",
  unread: "let through, and the answer was not read or comes elsewhere",
  cancelled: "taken back by the caller, who may have left",
  timeout: "not answered in time",
  transport_error: "not answered, or with something that could not be delivered",
};

export const ANSWER_FAULTS: Readonly<Record<FaultReason, string>> = {
  unreadable: "it could not be read",
  "too-large": "over `--max-answer-bytes` or `--max-event-bytes`",
  "not-granted": "it asks for or tells what this caller is not granted",
  unexpected: "no message of MCP, or none that belongs there",
};
