/**
 * A request that is decided on once and not seen again, as ext_authz asks it: the request half of an exchange, without the
 * power to change a body or to read an answer. What would need that power is refused, unless the configuration says
 * otherwise.
 */
import { utf8 } from "../bytes.ts";
import { canonical } from "../jsonrpc/canonical.ts";
import { member, ROOT } from "../jsonrpc/json.ts";
import { NO_ID } from "../jsonrpc/message.ts";
import { scan } from "../jsonrpc/scan.ts";
import { sessionCall, VERSION_KEY } from "../mcp/call.ts";
import type { Call } from "../mcp/call.ts";
import { decodeHeaderText, NO_CHANGES } from "../mcp/headers.ts";
import type { HeaderChanges } from "../mcp/headers.ts";
import type { LocalReply } from "../mcp/local-reply.ts";
import { findMethod } from "../mcp/methods.ts";
import { refusal } from "../mcp/refusal.ts";
import type { Refusal } from "../mcp/refusal.ts";
import type { Permit } from "../policy/decide.ts";
import { assertNever } from "../result.ts";
import { withoutLength } from "./changes.ts";
import type { RequestHeadersEvent } from "./event.ts";
import { beginExchange, recordsOf } from "./exchange.ts";
import type { Summary } from "./exchange.ts";
import { judgeCall, judgeMessage, permittedCalls, refuse, refusePermitted, unread } from "./judge.ts";
import type { Judged, Refused } from "./judge.ts";
import { metadataOf } from "./metadata.ts";
import type { Metadata } from "./metadata.ts";
import type { Reply } from "./reply.ts";
import { onJudged, stepRequest } from "./request.ts";
import type { Options, RequestState } from "./request.ts";

export type CheckOptions = Options & {
  /** What becomes of a call whose answer lists what there is: it would reach its caller unfiltered. */
  readonly lists: "refuse" | "pass";
  /**
   * Of a message whose body Envoy does not send: refused; or allowed to who has access to the server at all, whatever it
   * asks for; or decided by `Mcp-Method` and `Mcp-Name` (2026-07-28), which somebody else has held against the body.
   */
  readonly unseen: "refuse" | "server" | "headers";
};

/**
 * "unseen": there is one, and Envoy does not send it. "cut": it has sent a part of it. `isText`: it has put "!" for each
 * byte that is no UTF-8.
 */
export type CheckedBody = SentBody | "none" | "unseen" | "cut";
type SentBody = { readonly bytes: Uint8Array; readonly isText: boolean };

/** `permit` is what lets the request go on. */
export type Checked = { readonly summaries: readonly Summary[]; readonly metadata: Metadata } & (
  | { readonly verdict: "allow"; readonly permit: Permit; readonly changes: HeaderChanges }
  | { readonly verdict: "deny"; readonly reply: LocalReply }
);

export function check(options: CheckOptions, headers: RequestHeadersEvent, body: CheckedBody): Checked {
  const [state, reply] = stepRequest(options, { at: "awaitingHeaders" }, { ...headers, endOfStream: body === "none" });
  if (state.at !== "awaitingBody") return conclude(options, state, reply);
  if (typeof body === "string") return conclude(options, ...onJudged(state, judgeUnseen(options, state, body)));
  const [next, last] = stepRequest(options, state, { kind: "requestBody", body: body.bytes, endOfStream: true });
  return conclude(options, next, last, body);
}

/** What the request half has come to, if it can be kept here. */
function conclude(options: CheckOptions, state: RequestState, reply: Reply, body?: SentBody): Checked {
  if (state.at === "refused") return denied(options, state.judged);
  if ((state.at !== "permitted" && state.at !== "unmatched") || !("permit" in reply))
    throw new Error(`all of the request has come, and it is ${state.at}`);
  const { permit, metadata, changes } = reply;
  if (state.at === "unmatched") return { verdict: "allow", permit, changes: NO_CHANGES, metadata, summaries: [] };
  const why = whyNotHere(options, state.judged, reply, body);
  if (why !== undefined)
    return denied(
      options,
      state.judged.map((one) => (one.verdict === "refused" ? one : refusePermitted(state.arrived, why, one))),
    );
  return {
    verdict: "allow",
    permit,
    // The body goes on as it came, and so does its length; an encoded answer is nobody's trouble here.
    changes: { ...withoutLength(changes), remove: changes.remove.filter((name) => name !== "accept-encoding") },
    metadata,
    summaries: summariesOf(options, { ...state, readsAnswer: false }),
  };
}

/** What would have to be changed in this request, or in its answer, and cannot be. */
function whyNotHere(
  { lists, limits }: CheckOptions,
  judged: readonly Judged[],
  reply: Reply,
  body: SentBody | undefined,
): Refusal | undefined {
  if (judged.some(({ verdict }) => verdict === "refused"))
    return no("a part of this batch is denied, and nothing can be taken out of a body here");
  const calls = permittedCalls(judged);
  const list = calls.find(({ method }) => isList(method));
  if (lists === "refuse" && list !== undefined) return no(`what ${list.method} lists would not be filtered here`);
  if (body === undefined) return undefined;
  if (body.isText && calls.some((call) => mayNameAnother(call, body.bytes)))
    return no('a "!" in a name may stand for a byte that is no UTF-8: set pack_as_bytes');
  if (calls[0]?.method !== "subscriptions/listen" || reply.kind !== "requestBody") return undefined;
  const json = scan(body.bytes, limits.request);
  const isWhole = json.kind === "json" && textOf(reply.body ?? body.bytes) === textOf(canonical(json));
  return isWhole ? undefined : no("a part of what is subscribed to may not be seen, and nothing can be taken out here");
}

/** What is subscribed to is named in the body alone. */
const mayNameAnother = ({ method, subjects }: Call, body: Uint8Array): boolean =>
  method === "subscriptions/listen" ? body.includes(0x21) : subjects.some(({ name }) => name.includes("!"));

const no = (message: string): Refusal => refusal("not-enforceable", message);

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Those of which a client learns what a server can do, it cannot be without. */
const isList = (method: Call["method"]): boolean =>
  method !== "initialize" && method !== "server/discover" && findMethod(method)?.isListing === true;

function denied(options: CheckOptions, judged: readonly Refused[]): Checked {
  const [first] = judged;
  if (first === undefined) throw new Error("nobody has been refused");
  const summaries = summariesOf(options, { at: "refused", judged });
  return { verdict: "deny", reply: first.reply, metadata: metadataOf(first.decided), summaries };
}

const summariesOf = (options: CheckOptions, request: RequestState): readonly Summary[] =>
  recordsOf({ ...beginExchange(options), request }).filter((one) => one !== undefined);

type AwaitingBody = RequestState & { at: "awaitingBody" };

function judgeUnseen(options: CheckOptions, state: AwaitingBody, body: CheckedBody & string): Judged {
  const { claim } = state;
  const refused = (why: Refusal): Refused => refuse(state, why, unread(claim));
  if (body === "cut")
    return refused(refusal("too-large", "Envoy has sent a part of the body: raise max_request_bytes"));
  switch (options.unseen) {
    case "refuse":
      return refused(no("Envoy does not send the body: set with_request_body"));
    case "server":
      return judgeCall(state, sessionCall("unknown", claim.revision));
    case "headers":
      return claim.era === "modern"
        ? judgeClaim(state)
        : refused(no("before MCP 2026-07-28 only the body says what a request asks for"));
    default:
      return assertNever(options.unseen);
  }
}

/** What the headers say, as the body would have to say it. */
function judgeClaim(state: AwaitingBody): Judged {
  const { claim, limits } = state;
  const refused = (why: Refusal): Refused => refuse(state, why, unread(claim));
  const { method = "", revision } = claim;
  const name = claim.name === undefined ? undefined : decodeHeaderText(claim.name);
  const key = NAME_KEYS[findMethod(method)?.names ?? "nothing"];
  if (key === undefined || (claim.name !== undefined && name === undefined))
    return refused(no("the headers alone do not say what this request asks for"));
  const params = { ...(name === undefined ? {} : { [key]: name }), _meta: { [VERSION_KEY]: revision } };
  const json = scan(utf8(JSON.stringify({ params })), limits.request);
  if (json.kind === "fault") return refused(refusal(json.reason, json.message));
  const isNotification = method.startsWith("notifications/");
  const asks = { method, params: member(json, ROOT, "params") };
  const message = isNotification
    ? ({ kind: "notification", ...asks } as const)
    : ({ kind: "request", id: NO_ID, ...asks } as const);
  return judgeMessage(state, json, message, { ...claim, params: [] }, limits);
}

/** Where a name stands in the params. Not in a header: what is completed, and what is subscribed to. */
const NAME_KEYS: { readonly [names: string]: string | undefined } = {
  nothing: "name",
  tool: "name",
  prompt: "name",
  resource: "uri",
  task: "taskId",
};
