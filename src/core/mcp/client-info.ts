/** What a client says of itself: a label of low trust, and never who somebody is. */
import { ABSENT, isObject, member, memberText } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import type { Json } from "../jsonrpc/scan.ts";

export type ClientInfo = { readonly name: string; readonly version: string | undefined };

const KEY = "io.modelcontextprotocol/clientInfo";

/** Since 2026-07-28 in the `_meta` of each request that wants to say it, before that in the params of `initialize` alone. */
export function readClientInfo(json: Json, method: string, params: At, meta: At): ClientInfo | undefined {
  const info =
    method === "initialize" && params !== ABSENT
      ? member(json, params, "clientInfo")
      : meta === ABSENT
        ? ABSENT
        : member(json, meta, KEY);
  if (!isObject(json, info)) return undefined;
  const name = memberText(json, info, "name");
  return name === undefined ? undefined : { name, version: memberText(json, info, "version") };
}
