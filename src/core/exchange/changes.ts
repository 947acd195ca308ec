/** What the upstream gets to see of the request's headers: only what was decided on, and nothing that hides the answer. */
import type { Call } from "../mcp/call.ts";
import type { HeaderChanges, RequestHeaders } from "../mcp/headers.ts";
import type { Era } from "../mcp/revision.ts";
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
  remove.push(...unknownIn(call.era, headers));
  const set = [...forwarded.set];
  const type = headers["content-type"];
  if (type !== undefined && type !== "application/json") set.push(["content-type", "application/json"]);
  // Envoy does not correct it: a wrong length is a 500 (`mismatch_between_content_length...`).
  if (body !== undefined) set.push(["content-length", String(body.length)]);
  return { set, remove };
}

/** Where the body goes on otherwise than whole and in our words, its length is not ours to say. */
export const withoutLength = (changes: HeaderChanges): HeaderChanges => ({
  ...changes,
  set: changes.set.filter(([name]) => name !== "content-length"),
});

/** Headers that mean nothing in this era, so that nobody has checked them. */
export function unknownIn(era: Era, headers: RequestHeaders): readonly string[] {
  if (era === "modern") return headers["mcp-session-id"] === undefined ? [] : ["mcp-session-id"];
  const standard = (["mcp-method", "mcp-name"] as const).filter((name) => headers[name] !== undefined);
  return [...standard, ...headers.params.map(([name]) => name)];
}
