/** What the headers of an answer say: how its body has to be read, or that there is nothing to read. */
import type { Asked } from "../mcp/asked.ts";
import type { ResponseEvent } from "./event.ts";
import type { HeaderList } from "../mcp/headers.ts";
import type { Outcome } from "../mcp/outcome.ts";
import { BROKEN } from "./seen.ts";

export type AnswerHeaders =
  /** No body, or one that no client takes for a message. `outcome`: how the calls have ended by it. */
  | { readonly kind: "pass"; readonly outcome: Outcome | undefined }
  /** `mayBeForeign`: with an HTTP error, and where nobody waits, it may also be somebody else's JSON. */
  | { readonly kind: "json" | "events"; readonly mayBeForeign: boolean }
  /** Completes "it ...". */
  | { readonly kind: "refuse"; readonly fault: string };

const JSON_TYPE = /^application\/json[ \t]*(?:;|$)/i;
const SSE_TYPE = /^text\/event-stream[ \t]*(?:;|$)/i;
/** A client that honours it would read other text than we did. */
const OTHER_CHARSET = /;[ \t]*charset[ \t]*=(?![ \t]*"?utf-?8(?:[";\s]|$))/i;

/** A client may go by the other one. */
const SESSION = "mcp-session-id";
const SINGLE = ["content-type", "content-encoding", SESSION];

/** `isAwaited`: some client takes the body for an answer. Of all others it reads JSON and events at most. */
export function readAnswerHeaders(
  { headers, endOfStream, codeDetails }: ResponseEvent & { kind: "responseHeaders" },
  isAwaited: boolean,
): AnswerHeaders {
  const status = Number(header(headers, ":status") ?? "0");
  const failed = status < 200 || status > 299;
  const isLocal = codeDetails !== undefined && codeDetails !== "via_upstream";
  if (endOfStream) return pass(isLocal ? localOutcome(codeDetails) : failed ? BROKEN : { kind: "ok" });
  // Envoy itself could not reach the server, or a filter refused. An answer that a filter behind us makes is read.
  if (isLocal && failed) return pass(localOutcome(codeDetails));
  const twice = SINGLE.find((name) => isTwice(headers, name));
  if (twice !== undefined && !failed) return refuse(`has two headers ${twice}`);
  const type = header(headers, "content-type") ?? "";
  const isJson = JSON_TYPE.test(type);
  const isSse = SSE_TYPE.test(type);
  // An error page of a proxy is not a message of MCP, and no client takes it for one; nor what accepts a notification.
  if (failed && !isJson && !isSse) return pass(BROKEN);
  if (!isAwaited && !isJson && !isSse) return pass({ kind: "ok" });
  // A body of an accepted notification, or of a session's end, is nobody's answer.
  if (!isJson && !isSse && header(headers, "content-length") === "0") return pass({ kind: "ok" });
  const coding = header(headers, "content-encoding");
  if (coding !== undefined && coding.toLowerCase() !== "identity")
    return refuse(`is encoded (${coding.slice(0, 32)}), so it could not be read`);
  // A part of it would be taken for all of it.
  if (status === PARTIAL_CONTENT) return refuse("is partial, which nobody asked for");
  if (!isJson && !isSse) return refuse("is neither JSON nor an event stream");
  if (OTHER_CHARSET.test(type)) return refuse("is not in UTF-8");
  return { kind: isSse ? "events" : "json", mayBeForeign: failed || !isAwaited };
}

const pass = (outcome: Outcome | undefined): AnswerHeaders => ({ kind: "pass", outcome });
const refuse = (fault: string): AnswerHeaders => ({ kind: "refuse", fault });

const PARTIAL_CONTENT = 206;

function isTwice(headers: HeaderList, name: string): boolean {
  let count = 0;
  for (const [key] of headers) if (key === name) count++;
  return count > 1;
}

const header = (headers: HeaderList, name: string): string | undefined => headers.find(([key]) => key === name)?.[1];

const localOutcome = (codeDetails: string): Outcome => ({
  kind: codeDetails.includes("timeout") ? "timeout" : "transport_error",
});

/** The server has accepted what gets no answer. */
export function isAccepted({ headers, endOfStream }: ResponseEvent & { kind: "responseHeaders" }): boolean {
  const status = header(headers, ":status") ?? "";
  return status === "202" || (status.startsWith("2") && endOfStream);
}

/** Sessions are begun by the answer to `initialize`, and there are none since 2026-07-28. */
export function strayHeaders(headers: HeaderList, { session, era }: Asked): readonly string[] {
  const given = headers.filter(([name]) => name === SESSION);
  const isItsOwn = era === "legacy" && (session.mayBegin || given.every(([, id]) => id === session.id));
  return given.length === 0 || isItsOwn ? [] : [SESSION];
}
