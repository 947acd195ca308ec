/**
 * Where Envoy skips headers (`request_header_mode`, `response_header_mode` SKIP), what it tells of them comes with the first
 * message about the body: one message, and one answer to both. Headers cannot be changed then; those of an answer have gone.
 */
import { encodeEvent } from "../sse/encode.ts";
import { NO_CHANGES } from "../mcp/headers.ts";
import { isEventStream } from "./answer-headers.ts";
import type { RequestHeadersEvent, ResponseBodyEvent, ResponseHeadersEvent } from "./event.ts";
import { stepExchange } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import type { Reply } from "./reply.ts";

export type WithoutHeaders =
  /** All of a request. */
  | { readonly kind: "wholeRequest"; readonly headers: RequestHeadersEvent; readonly body: Uint8Array }
  /** The first piece of an answer. */
  | { readonly kind: "answerStart"; readonly headers: ResponseHeadersEvent; readonly body: ResponseBodyEvent };

type Step = readonly [next: Exchange, reply: Reply];

export const stepWithoutHeaders = (exchange: Exchange, event: WithoutHeaders): Step =>
  event.kind === "wholeRequest" ? stepWhole(exchange, event) : stepAnswerStart(exchange, event);

function stepWhole(exchange: Exchange, { headers, body }: WithoutHeaders & { kind: "wholeRequest" }): Step {
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

function stepAnswerStart(exchange: Exchange, { headers, body }: WithoutHeaders & { kind: "answerStart" }): Step {
  const [told, first] = stepExchange(exchange, headers);
  if (first.kind !== "immediateResponse") return stepExchange(told, body);
  // The status has gone, and to break off would look to some clients like an answer without content. What comes is dropped.
  const { seen } = told.response;
  const at = body.endOfStream ? "ended" : "draining";
  return [
    { ...told, response: { at, seen } },
    { kind: "responseBody", body: inItsForm(headers, first.reply.body) },
  ];
}

function inItsForm({ headers }: ResponseHeadersEvent, data: Uint8Array): Uint8Array {
  return isEventStream(headers) ? encodeEvent({ type: "message", id: undefined, retry: undefined, data }) : data;
}
