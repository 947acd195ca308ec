/** What the headers of an answer say: how its body has to be read, or that there is nothing to read. */
import type { Asked } from "../mcp/asked.ts";
import type { ResponseEvent } from "./event.ts";
import type { HeaderList } from "../mcp/headers.ts";
import { BROKEN } from "../mcp/outcome.ts";
import type { Outcome } from "../mcp/outcome.ts";

export type AnswerHeaders =
  /** Nothing to read. `outcome`: how the calls have ended by it. */
  | { readonly kind: "pass"; readonly outcome: Outcome }
  | {
      /** `page`: an HTTP error of no type that is read. Some clients read it all the same when it is JSON. */
      readonly kind: "json" | "events" | "page";
      /** With an HTTP error, and where no call waits, it may also be somebody else's JSON. */
      readonly mayBeForeign: boolean;
      /** How what waits for no answer has ended. */
      readonly rest: Outcome | undefined;
    }
  /** Completes "it ...". */
  | { readonly kind: "refuse"; readonly fault: string };

/** Who takes the body for an answer: a call, a stream that a GET opened, or nobody. */
export type Waiting = "call" | "stream" | "nobody";

export const waitingOf = ({ pending }: Asked): Waiting =>
  pending === undefined ? "stream" : pending.length > 0 ? "call" : "nobody";

const JSON_TYPE = /^application\/json[ \t]*(?:;|$)/i;
const SSE_TYPE = /^text\/event-stream[ \t]*(?:;|$)/i;
/** With an HTTP error the Python SDK v2 takes all of these for JSON. */
const JSON_LIKE = /^application\/json/i;
/** A client that honours it would read other text than we did. Any form of the parameter: `charset*=`, `charset*0=`. */
const OTHER_CHARSET = /charset(?![ \t]*=[ \t]*(?:utf-?8|"utf-?8")[ \t]*(?:;|$))/i;

/** A client may go by the other one. */
const SESSION = "mcp-session-id";
const SINGLE = ["content-type", "content-encoding", SESSION];

export function readAnswerHeaders(
  { headers, endOfStream, codeDetails }: ResponseEvent & { kind: "responseHeaders" },
  waiting: Waiting,
): AnswerHeaders {
  const status = statusOf(headers);
  const failed = isFailure(status);
  const isLocal = codeDetails !== undefined && codeDetails !== "via_upstream";
  if (isLocal && (failed || endOfStream)) return pass(localOutcome(codeDetails));
  const nothing = failed ? failure(status, waiting) : waiting === "call" ? BROKEN : OK;
  if (endOfStream) return pass(nothing);
  const type = header(headers, "content-type") ?? "";
  const isSse = SSE_TYPE.test(type);
  const isJson = failed ? JSON_LIKE.test(type) : JSON_TYPE.test(type);
  const isRead = isJson || isSse;
  const twice = SINGLE.find((name) => isTwice(headers, name));
  if (twice !== undefined && (isRead || !failed)) return refuse(`has two headers ${twice}`);
  if (waiting === "nobody" && !isRead) return pass(nothing);
  if (!isRead && header(headers, "content-length") === "0") return pass(nothing);
  const coding = header(headers, "content-encoding");
  if (coding !== undefined && coding.toLowerCase() !== "identity")
    return refuse(`is encoded (${coding.slice(0, 32)}), so it could not be read`);
  // A part of it would be taken for all of it.
  if (status === PARTIAL_CONTENT) return refuse("is partial, which nobody asked for");
  if (!isRead && !failed) return refuse("is neither JSON nor an event stream");
  if (isRead && OTHER_CHARSET.test(type)) return refuse("is not in UTF-8");
  const kind = isSse ? "events" : isJson ? "json" : "page";
  return {
    kind,
    mayBeForeign: failed || waiting === "nobody",
    rest: waiting === "call" ? undefined : failed ? failure(status, waiting) : OK,
  };
}

const pass = (outcome: Outcome): AnswerHeaders => ({ kind: "pass", outcome });
const refuse = (fault: string): AnswerHeaders => ({ kind: "refuse", fault });

const OK: Outcome = { kind: "ok" };
/** A server need not offer a stream, nor let a session be ended (2025-11-25, "Streamable HTTP"): that is no failure. */
const failure = (status: number, waiting: Waiting): Outcome =>
  status === METHOD_NOT_ALLOWED && waiting !== "call" ? { kind: "unread" } : BROKEN;

const METHOD_NOT_ALLOWED = 405;
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

export const statusOf = (headers: HeaderList): number => Number(header(headers, ":status") ?? "0");
const isFailure = (status: number): boolean => status < 200 || status > 299;

export const hasFailed = ({ headers }: ResponseEvent & { kind: "responseHeaders" }): boolean =>
  isFailure(statusOf(headers));

/** The server has accepted what gets no answer. */
export function isAccepted({ headers, endOfStream }: ResponseEvent & { kind: "responseHeaders" }): boolean {
  const status = statusOf(headers);
  return status === 202 || (endOfStream && !isFailure(status));
}

export const isEventStream = (headers: HeaderList): boolean => SSE_TYPE.test(header(headers, "content-type") ?? "");

/** Sessions are begun by the answer to `initialize`, and there are none since 2026-07-28. */
export function strayHeaders(headers: HeaderList, { session, era }: Asked): readonly string[] {
  const given = headers.filter(([name]) => name === SESSION);
  const isItsOwn = era === "legacy" && (session.mayBegin || given.every(([, id]) => id === session.id));
  return given.length === 0 || isItsOwn ? [] : [SESSION];
}
