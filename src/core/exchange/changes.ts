/** What the upstream gets to see of the request's headers: only what was decided on, and nothing that hides the answer. */
import type { Call } from "../mcp/call.ts";
import { NO_CHANGES } from "../mcp/headers.ts";
import type { HeaderChanges } from "../mcp/headers.ts";
import type { Arrived } from "./judge.ts";

/** `body` is set when another one goes on than the one that came. */
export function requestChanges(
  { headers, forwarded }: Pick<Arrived, "headers" | "forwarded">,
  call: Call,
  body: Uint8Array | undefined,
): HeaderChanges {
  const remove = [...forwarded.remove, ...headers.selective];
  // An encoded answer could not be read, and would have to be refused.
  if (headers["accept-encoding"] !== undefined) remove.push("accept-encoding");
  // Before 2026-07-28 these mean nothing, so nobody has checked them.
  if (call.era === "legacy") {
    if (headers["mcp-method"] !== undefined) remove.push("mcp-method");
    if (headers["mcp-name"] !== undefined) remove.push("mcp-name");
    remove.push(...headers.params.map(([name]) => name));
  } else if (headers["mcp-session-id"] !== undefined) remove.push("mcp-session-id");
  const set = [...forwarded.set];
  const type = headers["content-type"];
  if (type !== undefined && type !== "application/json") set.push(["content-type", "application/json"]);
  // Envoy does not correct it: a wrong length is a 500 (`mismatch_between_content_length...`).
  if (body !== undefined) set.push(["content-length", String(body.length)]);
  return set.length === 0 && remove.length === 0 ? NO_CHANGES : { set, remove };
}
