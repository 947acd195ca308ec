/**
 * One message of a caller, judged: what it asks for, what policy says, and what then goes into answer, metadata and
 * record. A batch is judged message by message, so everything that follows is a list of these.
 */
import type { Identity } from "../identity/identity.ts";
import { isAbsent } from "../identity/identity.ts";
import { ABSENT } from "../jsonrpc/json.ts";
import { NO_ID } from "../jsonrpc/message.ts";
import type { Message } from "../jsonrpc/message.ts";
import type { Json } from "../jsonrpc/scan.ts";
import type { Limits } from "../limits.ts";
import { readCall } from "../mcp/call.ts";
import type { Call } from "../mcp/call.ts";
import type { HeaderClaim } from "../mcp/classify.ts";
import type { HeaderChanges, RequestHeaders } from "../mcp/headers.ts";
import { loggedArguments } from "../mcp/logged-arguments.ts";
import { localReply } from "../mcp/local-reply.ts";
import type { LocalReply } from "../mcp/local-reply.ts";
import { refusal } from "../mcp/refusal.ts";
import type { Refusal } from "../mcp/refusal.ts";
import { decide } from "../policy/decide.ts";
import type { Permit } from "../policy/decide.ts";
import type { Denial } from "../policy/decision.ts";
import type { Destination, Endpoint, Server } from "../policy/policy-set.ts";
import { traceOf } from "./call-trace.ts";
import type { StartSpans } from "./call-trace.ts";
import { metadataOf } from "./metadata.ts";
import type { Decided } from "./metadata.ts";
import type { Reply } from "./reply.ts";
import type { Sha256 } from "./asked-by.ts";
import { denialSentence } from "./sentence.ts";

/** Who asks, and which server. */
export type Addressed = {
  readonly server: Server | undefined;
  readonly identity: Identity;
  /** Undefined: they could not be read. */
  readonly headers: RequestHeaders | undefined;
  /** Undefined: no spans are made. */
  readonly startSpans: StartSpans | undefined;
};

/** A server of ours was recognised. */
export type Arrived = Addressed & {
  readonly destination: Destination;
  readonly endpoint: Endpoint;
  readonly server: Server;
  /** What becomes of the headers that say who somebody is. */
  readonly forwarded: HeaderChanges;
  /** None of them can be changed. */
  readonly isFixed: boolean;
  readonly headers: RequestHeaders;
  readonly limits: Limits;
  readonly sha256: Sha256;
  readonly loggedArguments: readonly string[];
};

export type Permitted = {
  readonly verdict: "permitted";
  readonly call: Call;
  readonly permit: Permit;
  readonly decided: Decided;
};
export type Refused = {
  readonly verdict: "refused";
  readonly decided: Decided;
  readonly revision: string | undefined;
  readonly reply: LocalReply;
};
export type Judged = Permitted | Refused;

/** The calls that go on. */
export const permittedCalls = (judged: readonly Judged[]): readonly Call[] =>
  judged.flatMap((one) => (one.verdict === "permitted" ? [one.call] : []));

export function judgeMessage(
  addressed: Addressed & Pick<Arrived, "server" | "loggedArguments">,
  json: Json,
  message: Message,
  claim: HeaderClaim,
  limits: Limits,
): Judged {
  const call = readCall(json, message, claim, limits);
  if (!call.ok)
    return refuse(addressed, call.error.refusal, { ...unread(claim), id: call.error.id, trace: call.error.trace });
  const judged = judgeCall(addressed, call.value);
  const params = message.kind === "answer" ? ABSENT : message.params;
  const logged = loggedArguments(json, params, addressed.loggedArguments);
  return logged === undefined ? judged : { ...judged, decided: { ...judged.decided, arguments: logged } };
}

export function judgeCall(addressed: Addressed & { readonly server: Server }, call: Call): Judged {
  const { server, identity } = addressed;
  const decision = decide(server, identity, call);
  if (decision.verdict === "deny")
    return refuse(addressed, whyDenied(decision.denial, server, identity, call), call, call);
  const { permit } = decision;
  const { audited } = permit;
  const decided: Decided = {
    server: server.name,
    identity,
    call,
    decision: audited === undefined ? "allow" : "audit",
    mode: audited === undefined ? "Enforce" : "Audit",
    rule: permit.rule,
    reason: audited?.reason,
    sentence: audited && denialSentence(audited, server, identity, call),
    ...askedOf(addressed, call),
  };
  return { verdict: "permitted", call, permit, decided };
}

/** Where no rule allows a URI that servers read differently, who sent it is told what is wrong with it. */
function whyDenied(denial: Denial, server: Server, identity: Identity, call: Call): Refusal {
  const odd = call.target?.odd;
  return odd === undefined || denial.reason !== "no-rule-allows"
    ? { ...denial, message: denialSentence(denial, server, identity, call) }
    : refusal("invalid-params", `the resource's uri ${odd}`);
}

/** What may be known of a message that is refused. */
export type Known = Pick<Call, "method" | "era" | "id" | "revision" | "trace">;
export const NOTHING_KNOWN: Known = {
  method: "unknown",
  era: "legacy",
  id: undefined,
  revision: undefined,
  trace: undefined,
};
export const unread = ({ era, revision }: HeaderClaim): Known => ({ ...NOTHING_KNOWN, era, revision });

/** `call`: when it could be read, for metadata and record. */
export function refuse(addressed: Addressed, why: Refusal, known: Known = NOTHING_KNOWN, call?: Call): Refused {
  const { server, identity } = addressed;
  const { era, method, revision } = known;
  const id = known.id === NO_ID ? undefined : known.id;
  const needsUser = server?.wantsUser === true && isAbsent(identity.user);
  const decided: Decided = {
    server: server?.name,
    identity,
    call,
    decision: "deny",
    mode: "Enforce",
    rule: why.rule,
    reason: why.reason,
    sentence: why.message,
    ...askedOf(addressed, known),
  };
  const reply = localReply(why, { id, era, method, revision, needsUser });
  return { verdict: "refused", decided, revision, reply };
}

/** A call that policy permits, and that cannot go on all the same: what was read of it stays on record. */
export function refusePermitted(addressed: Addressed, why: Refusal, { call, decided }: Permitted): Refused {
  const refused = refuse(addressed, why, call, call);
  return { ...refused, decided: { ...decided, ...refused.decided } };
}

/** Nothing goes on: `reply` is all there is. */
export const immediate = ({ decided }: Refused, reply: LocalReply): Reply => ({
  kind: "immediateResponse",
  reply,
  details: `toolgate_${decided.reason ?? "denied"}`,
  metadata: metadataOf(decided),
});

/** There are spans of requests alone: what gets no answer has no end. */
function askedOf({ headers, startSpans }: Addressed, { id, trace }: Known): Pick<Decided, "id" | "session" | "trace"> {
  const isRequest = id !== undefined && id !== NO_ID;
  return {
    id: isRequest ? id : undefined,
    session: headers?.["mcp-session-id"],
    trace: traceOf(trace, headers?.trace, isRequest ? startSpans : undefined),
  };
}
