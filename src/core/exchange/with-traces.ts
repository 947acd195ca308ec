/** What goes on to a server, as sent by our spans. Where no call of it has one that the server is to see, it is as it was. */
import { elementsOf, ROOT } from "../jsonrpc/json.ts";
import { scan } from "../jsonrpc/scan.ts";
import { Splice } from "../jsonrpc/splice.ts";
import type { Limits } from "../limits.ts";
import { isBatch } from "../mcp/batch.ts";
import { propagate } from "../mcp/propagate.ts";
import type { TraceContext } from "../mcp/trace-context.ts";
import type { CallTrace } from "./call-trace.ts";
import type { Judged } from "./judge.ts";

/** `body`: the messages that go on, in their order and in canonical form; so is the answer. */
export function withTraces(body: Uint8Array, judged: readonly Judged[], limits: Limits): Uint8Array {
  const contexts = judged.flatMap((one) => (one.verdict === "permitted" ? [contextOf(one.decided.trace)] : []));
  if (contexts.every((context) => context === undefined)) return body;
  const json = scan(body, limits.request);
  if (json.kind === "fault") throw new Error(`what goes on is no JSON: ${json.message}`);
  const splice = new Splice(json);
  const messages = isBatch(json) ? elementsOf(json, ROOT) : [ROOT];
  for (const [i, message] of messages.entries()) {
    const context = contexts[i];
    if (context !== undefined) propagate(splice, json, message, context);
  }
  return splice.bytes();
}

function contextOf(trace: CallTrace | undefined): TraceContext | undefined {
  const { spans, parent } = trace ?? {};
  if (spans?.client === undefined) return undefined;
  return { traceId: spans.traceId, spanId: spans.client, isSampled: true, state: parent?.state };
}
