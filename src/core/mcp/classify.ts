/**
 * What an HTTP request to an MCP server is, by its headers: a POST that carries a message, a GET that opens a stream, a
 * DELETE that ends a session, or nothing that MCP knows. Total: the ladder ends in a refusal.
 */
import { err, ok } from "../result.ts";
import type { Result } from "../result.ts";
import type { Endpoint } from "../policy/policy-set.ts";
import type { RequestHeaders } from "./headers.ts";
import { malformed, notAllowed, refusal } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import { eraOf } from "./revision.ts";
import type { Era } from "./revision.ts";

/** What the headers say the call is. Only the body proves it. */
export type HeaderClaim = {
  /** Of a revision that is not known: `modern`, so that nothing is fallen back to. */
  readonly era: Era;
  readonly revision: string | undefined;
  readonly method: string | undefined;
  /** As it stands in the header, not decoded. */
  readonly name: string | undefined;
  readonly params: RequestHeaders["params"];
  /** False over HTTP with SSE (2024-11-05): who tries the modern era there is told that there is no such method. */
  readonly isModernPossible: boolean;
};

export type Classified =
  | { readonly kind: "message"; readonly claim: HeaderClaim }
  | { readonly kind: "stream"; readonly revision: string | undefined }
  | { readonly kind: "end-session"; readonly revision: string | undefined };

const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*(?:charset[ \t]*=[ \t]*"?utf-8"?[ \t]*)?)?$/i;
/** Visible ASCII (2025-11-25, "Session Management"), and no comma: a list is two sessions. */
const SESSION_ID = /^[!-+--~]{1,4096}$/;

/** `hasBody` is false when the headers end the request. */
export function classify(
  headers: RequestHeaders,
  hasBody: boolean,
  transport: Endpoint["transport"],
): Result<Classified, Refusal> {
  const revision = headers["mcp-protocol-version"];
  const known = revision === undefined ? "legacy" : eraOf(revision);
  // Who sends a message is told so with its id, which is in the body.
  if (known === undefined && headers[":method"] !== "POST") return err(unknownVersion(revision ?? ""));
  const era = known ?? "modern";
  const session = headers["mcp-session-id"];
  if (session !== undefined && !SESSION_ID.test(session))
    return err(malformed("the session id is not one visible word"));
  if (transport !== "http") return classifySse(headers, hasBody, transport, { era, revision });
  switch (headers[":method"]) {
    case "POST":
      return classifyPost(headers, hasBody, {
        era,
        revision,
        method: headers["mcp-method"],
        name: headers["mcp-name"],
        params: headers.params,
        isModernPossible: true,
      });
    case "GET":
    case "DELETE": {
      const kind = headers[":method"] === "GET" ? "stream" : "end-session";
      if (hasBody) return err(malformed(`a ${headers[":method"]} request has no body`));
      if (era === "modern") return err(notAllowed("this revision of MCP has only POST", "POST"));
      return ok({ kind, revision });
    }
    default:
      return err(notAllowed("an MCP endpoint takes POST, GET and DELETE", "POST, GET, DELETE"));
  }
}

export const unknownVersion = (revision: string): Refusal =>
  refusal("unsupported-version", `the protocol version ${JSON.stringify(revision.slice(0, 32))} is not known`);

/** HTTP with SSE (2024-11-05): one path is a stream, another takes messages. Sessions are in the path of the messages. */
function classifySse(
  headers: RequestHeaders,
  hasBody: boolean,
  transport: "sse-stream" | "sse-messages",
  { era, revision }: Pick<HeaderClaim, "era" | "revision">,
): Result<Classified, Refusal> {
  const expected = transport === "sse-stream" ? "GET" : "POST";
  if (headers[":method"] !== expected)
    return err(notAllowed(`this endpoint of MCP 2024-11-05 takes ${expected} alone`, expected));
  if (era === "modern") return err(refusal("unsupported-version", "this is an endpoint of MCP 2024-11-05"));
  if (expected === "POST")
    return classifyPost(headers, hasBody, {
      era,
      revision,
      method: undefined,
      name: undefined,
      params: [],
      isModernPossible: false,
    });
  return hasBody ? err(malformed("a GET request has no body")) : ok({ kind: "stream", revision });
}

function classifyPost(headers: RequestHeaders, hasBody: boolean, claim: HeaderClaim): Result<Classified, Refusal> {
  const type = headers["content-type"];
  if (type === undefined || !JSON_TYPE.test(type)) {
    return err(refusal("unsupported-media-type", "the content type must be application/json, in UTF-8"));
  }
  if (headers["content-encoding"] !== undefined) {
    return err(refusal("unsupported-media-type", "a request's content must not be encoded"));
  }
  if (!hasBody) return err(malformed("a POST request carries one message"));
  return ok({ kind: "message", claim });
}
