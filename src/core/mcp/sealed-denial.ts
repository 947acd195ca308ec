/**
 * How a denied caller is told over HTTP with SSE (2024-11-05), where the answer to a POST comes on the stream of another
 * exchange: the server gets a ping in place of the request, whose id holds the denial. It answers that ping on the
 * caller's stream, and there the denial takes the answer's place. Nothing has to be remembered in between.
 *
 * What a server writes of its own into such an id is delivered like any other message of the server, and no better.
 */
import { utf8 } from "../bytes.ts";
import { isObject, memberText, ROOT } from "../jsonrpc/json.ts";
import type { Id } from "../jsonrpc/message.ts";
import type { Json } from "../jsonrpc/scan.ts";

const PREFIX = "toolgate-denied ";

/** A ping that brings this JSON-RPC answer back. */
export const sealDenial = (answer: string): Uint8Array =>
  utf8(`{"jsonrpc":"2.0","id":${JSON.stringify(PREFIX + answer)},"method":"ping"}`);

/** Such ids are ours alone: a caller who sent one would write the answers of others. */
export const isSealed = (id: Id): boolean => id.startsWith(SEALED);
const SEALED = JSON.stringify(PREFIX).slice(0, -1);

/** The answer in a message that answers such a ping. */
export function unsealDenial(json: Json): Uint8Array | undefined {
  const id = isObject(json, ROOT) ? memberText(json, ROOT, "id") : undefined;
  return id?.startsWith(PREFIX) === true ? utf8(id.slice(PREFIX.length)) : undefined;
}
