/**
 * A request that says where it comes from now: from our span, in the `traceparent` of its `_meta` (MCP 2026-07-28; in the
 * revisions before it `_meta` takes any key). All else in it stays as it is.
 */
import { utf8 } from "../bytes.ts";
import { foldCase } from "../fold-case.ts";
import { ABSENT, keysOf, member, textAt } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import type { Json } from "../jsonrpc/scan.ts";
import type { Splice } from "../jsonrpc/splice.ts";
import { formatTraceparent, TRACEPARENT, TRACESTATE } from "./trace-context.ts";
import type { TraceContext } from "./trace-context.ts";

/** `message`: where it stands in the document. What is added is in canonical form. */
export function propagate(splice: Splice, json: Json, message: At, context: TraceContext): void {
  const params = member(json, message, "params");
  const meta = params === ABSENT ? ABSENT : member(json, params, "_meta");
  const added = membersOf(context);
  if (params === ABSENT) return splice.append(message, utf8(`"params":{"_meta":{${added}}}`), true);
  if (meta === ABSENT) return splice.append(params, utf8(`"_meta":{${added}}`), keysOf(json, params).length > 0);
  const others = keysOf(json, meta).filter(isOther).length;
  splice.keep(meta, (key) => isOther(textAt(json, key)));
  splice.append(meta, utf8(added), others > 0);
}

/** Some servers read keys in any case. */
const isOther = (key: string): boolean => {
  const folded = foldCase(key);
  return folded !== FOLDED_PARENT && folded !== FOLDED_STATE;
};
const FOLDED_PARENT = foldCase(TRACEPARENT);
const FOLDED_STATE = foldCase(TRACESTATE);

function membersOf(context: TraceContext): string {
  const parent = `"${TRACEPARENT}":"${formatTraceparent(context)}"`;
  return context.state === undefined ? parent : `${parent},"${TRACESTATE}":${JSON.stringify(context.state)}`;
}
