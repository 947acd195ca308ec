/**
 * Where Envoy skips headers (`request_header_mode` SKIP), what it tells of them comes with the first message about the
 * body: one message, and one answer to both. Headers cannot be changed then.
 */
import { NO_CHANGES } from "../mcp/headers.ts";
import type { RequestHeadersEvent } from "./event.ts";
import { stepExchange } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import type { Reply } from "./reply.ts";

/** All of a request. */
export type WithoutHeaders = {
  readonly kind: "wholeRequest";
  readonly headers: RequestHeadersEvent;
  readonly body: Uint8Array;
};

export function stepWithoutHeaders(
  exchange: Exchange,
  { headers, body }: WithoutHeaders,
): readonly [next: Exchange, reply: Reply] {
  const [arrived, first] = stepExchange(exchange, headers);
  const [next, reply] =
    first.kind === "requestHeaders" && "awaits" in first
      ? stepExchange(arrived, { kind: "requestBody", body, endOfStream: true })
      : [arrived, first];
  switch (reply.kind) {
    case "requestBody":
      return [next, { ...reply, changes: NO_CHANGES }];
    case "requestHeaders":
      // Let through unseen, by configuration.
      if ("permit" in reply) return [next, { ...reply, kind: "requestBody", body: undefined, changes: NO_CHANGES }];
      throw new Error("a whole request waits for more");
    default:
      return [next, reply];
  }
}
