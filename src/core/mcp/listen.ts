/** `subscriptions/listen`: its filter, trimmed to what the caller may see (MCP 2026-07-28, "Subscriptions"). */
import { elementsOf, kindAt, member, ROOT, valuesOf } from "../jsonrpc/json.ts";
import { canonical } from "../jsonrpc/canonical.ts";
import { scan } from "../jsonrpc/scan.ts";
import type { Json } from "../jsonrpc/scan.ts";
import { ARRAY, TRUE } from "../jsonrpc/tape.ts";
import type { Asked } from "./asked.ts";
import { Filtering } from "./filtering.ts";
import { hideSubscriptions } from "./server-notification.ts";

/** The request as it may go on, or "nothing" when nothing of what it asks for may be seen. */
export function trimListen(json: Json, asked: Asked): Uint8Array | "nothing" {
  const filter = member(json, member(json, ROOT, "params"), "notifications");
  const filtering = new Filtering(json, asked);
  const hidden = hideSubscriptions(filtering, filter);
  if (hidden === 0) return canonical(json);
  const asks = valuesOf(json, filter).reduce(
    (sum, value) =>
      sum + (kindAt(json, value) === ARRAY ? elementsOf(json, value).length : Number(kindAt(json, value) === TRUE)),
    0,
  );
  if (hidden === asks) return "nothing";
  const trimmed = scan(filtering.splice.bytes(), asked.limits.request);
  if (trimmed.kind === "fault") throw new Error(`a trimmed request cannot be read: ${trimmed.message}`);
  return canonical(trimmed);
}
