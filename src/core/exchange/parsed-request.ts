/**
 * A request whose body is not shown, and has been read by somebody who is believed: Envoy's own MCP filter, before us. What
 * it has found is judged as if it were the body; the body itself goes on as it came.
 */
import { withoutLength } from "./changes.ts";
import type { RequestHeadersEvent } from "./event.ts";
import { stepExchange } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import type { Reply } from "./reply.ts";
import { ProtocolViolation } from "./violation.ts";

export type ParsedRequest = {
  readonly kind: "parsedRequest";
  readonly headers: RequestHeadersEvent;
  /** What was found, as a message of JSON-RPC; undefined when nothing was. */
  readonly message: Uint8Array | undefined;
};

export function stepParsed(
  exchange: Exchange,
  { headers, message }: ParsedRequest,
): readonly [next: Exchange, reply: Reply] {
  const [arrived, first] = stepExchange(exchange, headers);
  if (first.kind !== "requestHeaders" || "permit" in first) return [arrived, first];
  if (message === undefined) throw new ProtocolViolation(NOTHING_FOUND);
  const [next, reply] = stepExchange(arrived, { kind: "requestBody", body: message, endOfStream: true });
  if (reply.kind !== "requestBody") return [next, reply];
  const { permit, changes, metadata } = reply;
  return [next, { kind: "requestHeaders", permit, changes: withoutLength(changes), metadata }];
}

const NOTHING_FOUND =
  "Envoy does not show bodies, and its MCP filter says nothing of this one: put envoy.filters.http.mcp before this filter, with traffic_mode REJECT_NO_MCP, and envoy.filters.http.mcp into metadata_options.forwarding_namespaces";
