/**
 * What Envoy's own MCP filter (1.40) has found in a body, from its dynamic metadata. It says so only of what it has read to
 * the end and taken for one message.
 */
import type { ProcessingRequest } from "./protos.ts";
import { toClaims } from "./struct.ts";

const NATIVE_MCP = "envoy.filters.http.mcp";

/** The message with what is known of its params; undefined when there is none, or the filter has not vouched for it. */
export function foundMessage(request: ProcessingRequest): Uint8Array | undefined {
  const found = request.metadataContext?.filterMetadata[NATIVE_MCP];
  if (found === undefined) return undefined;
  const { is_mcp_request: isMcp, status, passthrough_reason: passed, method, id, params } = toClaims(found);
  if (isMcp !== true || status !== "mcp_ok" || passed !== undefined || typeof method !== "string") return undefined;
  const asks = method === ANSWER ? { result: { unseen: true } } : { method, params };
  return Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...(id === undefined ? {} : { id }), ...asks }));
}

/** An answer of a client, of which nothing else is known: it takes the grant of one that carries something. */
const ANSWER = "__jsonrpc_response";
