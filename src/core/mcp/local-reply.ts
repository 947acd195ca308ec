/**
 * The one place that turns a refusal into what the client gets. The forms are those that real clients survive: an
 * `isError` result that the model reads, an error with the request's own id, and an HTTP error only where no session is
 * lost by it. Each carries a JSON-RPC body: some clients end their session on an error without one.
 */
import { utf8 } from "../bytes.ts";
import { NO_ID } from "../jsonrpc/message.ts";
import type { Id } from "../jsonrpc/message.ts";
import { assertNever } from "../result.ts";
import type { MethodLabel } from "./methods.ts";
import type { Refusal } from "./refusal.ts";
import { REVISIONS } from "./revision.ts";
import type { Era } from "./revision.ts";

export type LocalReply = {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
};

/** What is known of the request at the time. */
export type Refused = {
  readonly id: Id | undefined;
  readonly era: Era;
  readonly method: MethodLabel;
  readonly revision: string | undefined;
  /** Some rule of the server asks for a JWT and the caller brought none. */
  readonly needsUser: boolean;
};

/** Outside the ranges that JSON-RPC and MCP reserve, and no HTTP status. */
export const DENIED = -31403;
const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;
const HEADER_MISMATCH = -32020;
const UNSUPPORTED_VERSION = -32022;

export function localReply(refusal: Refusal, refused: Refused): LocalReply {
  switch (refusal.reason) {
    case "no-rule-allows":
    case "denied-by-rule":
    case "invalid-policy":
      return denial(refusal, refused);
    case "no-access":
      return noAccess(refusal, refused);
    case "unknown-server":
      return rpcError(403, DENIED, refusal, refused);
    case "unknown-method":
      return rpcError(refused.era === "modern" ? 404 : 200, METHOD_NOT_FOUND, refusal, refused);
    case "method-not-allowed":
      return rpcError(405, INVALID_REQUEST, refusal, refused, [["allow", refusal.allow ?? "POST"]]);
    case "unsupported-media-type":
      return rpcError(415, INVALID_REQUEST, refusal, refused);
    case "unsupported-version":
      return rpcError(400, UNSUPPORTED_VERSION, refusal, refused, [], {
        supported: SUPPORTED,
        requested: refused.revision,
      });
    case "header-mismatch":
      return rpcError(400, HEADER_MISMATCH, refusal, refused);
    case "malformed-request":
    case "too-deep":
    case "too-many-keys":
    case "too-many-messages":
      return rpcError(400, INVALID_REQUEST, refusal, refused);
    // What a model chose, in an envelope that is sound: some clients take any 400 for the end of their session.
    case "invalid-params":
    case "name-too-long":
    case "uri-too-long":
      return rpcError(refused.era === "modern" ? 400 : 200, INVALID_PARAMS, refusal, refused);
    case "malformed-json":
      return rpcError(400, PARSE_ERROR, refusal, refused);
    case "too-large":
      return rpcError(413, INVALID_REQUEST, refusal, refused);
    case "not-enforceable":
      return rpcError(refused.id === undefined ? 403 : 200, DENIED, refusal, refused);
    case "unsafe-answer":
      return rpcError(refused.id === undefined ? 502 : 200, INTERNAL_ERROR, refusal, refused);
    default:
      return assertNever(refusal.reason);
  }
}

/** A JSON-RPC error with an id, for an answer whose HTTP headers have gone already. */
export const errorBody = (id: Id, message: string): Uint8Array => utf8(errorText(id, INTERNAL_ERROR, message));

/** Those that can be asked for by a request: the others begin with `initialize`. */
const SUPPORTED = Object.entries(REVISIONS).flatMap(([revision, era]) => (era === "modern" ? [revision] : []));

function denial(refusal: Refusal, refused: Refused): LocalReply {
  const { id, method, era } = refused;
  // A 200 would move a client that negotiates to another era without a word.
  if (method === "initialize" || method === "server/discover") return rpcError(403, DENIED, refusal, refused);
  // What gets no answer: some clients end their session on any error here.
  if (method === "answer" || method.startsWith("notifications/")) return { status: 202, headers: [], body: utf8("") };
  if (id === undefined) return rpcError(403, DENIED, refusal, refused);
  if (method !== "tools/call") return rpcError(200, DENIED, refusal, refused);
  const type = era === "modern" ? '"resultType":"complete",' : "";
  const content = `[{"type":"text","text":${JSON.stringify(refusal.message)}}]`;
  return json(200, [], `{"jsonrpc":"2.0","id":${id},"result":{${type}"content":${content},"isError":true}}`);
}

/** 401 only where a token would help: it makes clients open a browser. */
function noAccess(refusal: Refusal, refused: Refused): LocalReply {
  return refused.needsUser
    ? rpcError(401, DENIED, refusal, refused, [["www-authenticate", "Bearer"]])
    : rpcError(403, DENIED, refusal, refused);
}

const errorText = (id: Id, code: number, message: string, data?: object): string =>
  `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify({ code, message, data })}}`;

const rpcError = (
  status: number,
  code: number,
  refusal: Refusal,
  refused: Refused,
  headers: LocalReply["headers"] = [],
  data?: object,
): LocalReply => json(status, headers, errorText(refused.id ?? NO_ID, code, refusal.message, data));

export const jsonReply = (body: Uint8Array, status = 200, headers: LocalReply["headers"] = []): LocalReply => ({
  status,
  headers: [["content-type", "application/json"], ...headers],
  body,
});

const json = (status: number, headers: LocalReply["headers"], text: string): LocalReply =>
  jsonReply(utf8(text), status, headers);
