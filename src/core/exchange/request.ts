/**
 * The request half of an exchange: from the headers to a decision. Read it beside external_processor.proto.
 *
 * | Envoy says | we write |
 * |---|---|
 * | one response for each request | `Step` is a pair |
 * | a BUFFERED body holds the headers until it is answered | only a reply with a permit lets the request go on |
 * | an immediate response ends processing | `refused`: the driver writes it, ends OK and reads no more |
 * | an OK close lets go on what is not answered, unchecked | `closeStatus` is total |
 *
 * awaitingHeaders -> awaitingBody -> permitted | refused; GET and DELETE are decided on their headers.
 */
import { canonical } from "../jsonrpc/canonical.ts";
import { NO_ID, readMessage } from "../jsonrpc/message.ts";
import { REQUEST_LIMITS, scan } from "../jsonrpc/scan.ts";
import type { Identity } from "../identity/identity.ts";
import { isAbsent } from "../identity/identity.ts";
import { readCall, sessionCall } from "../mcp/call.ts";
import type { Call } from "../mcp/call.ts";
import { classify } from "../mcp/classify.ts";
import type { HeaderClaim } from "../mcp/classify.ts";
import { readAddress, readHeaders } from "../mcp/headers.ts";
import type { RequestHeaders } from "../mcp/headers.ts";
import { localReply } from "../mcp/local-reply.ts";
import { refusal } from "../mcp/refusal.ts";
import { eraOf } from "../mcp/revision.ts";
import type { Refusal } from "../mcp/refusal.ts";
import { decide, permitUnmatched } from "../policy/decide.ts";
import type { Permit } from "../policy/decide.ts";
import type { Destination, PolicySet, Server } from "../policy/policy-set.ts";
import { assertNever } from "../result.ts";
import { NO_CHANGES, requestChanges } from "./changes.ts";
import type { RequestEvent, RequestHeadersEvent } from "./event.ts";
import { metadataOf } from "./metadata.ts";
import type { Decided } from "./metadata.ts";
import type { Reply } from "./reply.ts";
import { denialSentence } from "./sentence.ts";
import { ProtocolViolation } from "./violation.ts";

export type Options = {
  /** The policy of this exchange, from its first message to its last. */
  readonly policies: PolicySet;
  readonly unmatched: "refuse" | "pass";
  readonly maxBodyBytes: number;
};

/** A server of ours was recognised. */
type Addressed = { readonly server: Server; readonly identity: Identity; readonly headers: RequestHeaders };

export type RequestState =
  | { readonly at: "awaitingHeaders" }
  | ({ readonly at: "awaitingBody"; readonly claim: HeaderClaim } & Addressed)
  | {
      readonly at: "permitted";
      readonly permit: Permit;
      readonly call: Call;
      readonly server: Server;
      readonly decided: Decided;
      /** Requests and streams have an answer; for the rest the stream ends with the decision. */
      readonly readsAnswer: boolean;
    }
  /** No server of ours: let through unseen, by configuration. */
  | { readonly at: "unmatched"; readonly permit: Permit }
  | { readonly at: "refused"; readonly decided: Decided; readonly call: Call | undefined }
  /** A local reply of Envoy's own, before there was a decision. */
  | { readonly at: "answeredByEnvoy" };

export type RequestStep = readonly [next: RequestState, reply: Reply];

export function stepRequest(options: Options, state: RequestState, event: RequestEvent): RequestStep {
  switch (state.at) {
    case "awaitingHeaders":
      if (event.kind !== "requestHeaders") {
        throw new ProtocolViolation(
          `${event.kind} before requestHeaders: set processing_mode.request_header_mode to SEND`,
        );
      }
      return onHeaders(options, event);
    case "awaitingBody":
      if (event.kind !== "requestBody") throw new ProtocolViolation(`${event.kind} while the body is awaited`);
      return onBody(options, state, event.body);
    case "permitted":
    case "unmatched":
      if (event.kind !== "requestTrailers") throw new ProtocolViolation(`${event.kind} after the decision`);
      return [state, { kind: "requestTrailers" }];
    case "refused":
    case "answeredByEnvoy":
      throw new ProtocolViolation(`${event.kind} after the local reply`);
    default:
      return assertNever(state);
  }
}

function onHeaders(options: Options, event: RequestHeadersEvent): RequestStep {
  const { identity, route } = event;
  const nowhere = { server: undefined, identity };
  const address = readAddress(event.headers);
  if (!address.ok) return refuse(nowhere, undefined, address.error);
  const destination = { route, ...address.value };
  const server = options.policies.match(destination);
  if (server === undefined) return onUnmatched(options, destination, nowhere);
  const addressed = { server, identity };
  const headers = readHeaders(event.headers);
  if (!headers.ok) return refuse(addressed, undefined, headers.error);
  const classified = classify(headers.value, !event.endOfStream);
  if (!classified.ok) {
    const revision = headers.value["mcp-protocol-version"];
    const era = eraOf(revision ?? "") ?? "legacy";
    return refuse(addressed, { ...NOTHING_KNOWN, era, revision }, classified.error);
  }
  const { kind } = classified.value;
  const known = { ...addressed, headers: headers.value };
  switch (kind) {
    case "message":
      return [
        { at: "awaitingBody", claim: classified.value.claim, ...known },
        { kind: "requestHeaders", awaits: "requestBody" },
      ];
    case "stream":
      return decideOn(known, sessionCall("GET", classified.value.revision), "headers");
    case "end-session":
      return decideOn(known, sessionCall("DELETE", classified.value.revision), "headers");
    default:
      return assertNever(kind);
  }
}

function onUnmatched(
  options: Options,
  destination: Destination,
  nowhere: { server: undefined; identity: Identity },
): RequestStep {
  if (options.unmatched === "refuse" || options.policies.mayBeServer(destination)) {
    const why = refusal("unknown-server", "this request goes to no MCP server that policy knows");
    return refuse(nowhere, undefined, why);
  }
  const permit = permitUnmatched();
  const decided: Decided = {
    ...nowhere,
    call: undefined,
    decision: "allow",
    mode: "Enforce",
    rule: permit.rule,
    reason: undefined,
  };
  return [
    { at: "unmatched", permit },
    { kind: "requestHeaders", permit, changes: NO_CHANGES, metadata: metadataOf(decided) },
  ];
}

function onBody(options: Options, state: RequestState & { at: "awaitingBody" }, body: Uint8Array): RequestStep {
  const unread: Known = { ...NOTHING_KNOWN, era: state.claim.era, revision: state.claim.revision };
  if (body.length > options.maxBodyBytes) {
    return refuse(state, unread, refusal("too-large", `the body is larger than ${options.maxBodyBytes} bytes`));
  }
  const json = scan(body, REQUEST_LIMITS);
  if (json.kind === "fault")
    return refuse(
      state,
      unread,
      refusal(json.reason === "too-large" ? "malformed-request" : json.reason, json.message),
    );
  const message = readMessage(json);
  if (message.kind === "invalid")
    return refuse(state, { ...unread, id: message.id }, refusal("malformed-request", message.message));
  const call = readCall(json, message, state.claim);
  if (!call.ok) return refuse(state, { ...unread, id: call.error.id }, call.error.refusal);
  return decideOn(state, call.value, json.canonical ? undefined : canonical(json));
}

/** `body`: what goes on in place of what came, or "headers" when the headers are all there is. */
function decideOn(addressed: Addressed, call: Call, body: Uint8Array | "headers" | undefined): RequestStep {
  const { server, identity, headers } = addressed;
  const decision = decide(server, identity, call);
  if (decision.verdict === "deny") {
    const { denial } = decision;
    return refuse(addressed, call, { ...denial, message: denialSentence(denial, server, identity, call) }, call);
  }
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
  };
  const readsAnswer = call.id !== undefined || call.method === "GET";
  const next: RequestState = { at: "permitted", permit, call, server, decided, readsAnswer };
  const metadata = metadataOf(decided);
  if (body === "headers")
    return [next, { kind: "requestHeaders", permit, changes: requestChanges(headers, call, undefined), metadata }];
  return [next, { kind: "requestBody", permit, body, changes: requestChanges(headers, call, body), metadata }];
}

type Known = Pick<Call, "method" | "era" | "id" | "revision">;
const NOTHING_KNOWN: Known = { method: "unknown", era: "legacy", id: undefined, revision: undefined };

function refuse(
  addressed: { server: Server | undefined; identity: Identity },
  known: Known | undefined,
  why: Refusal,
  call?: Call,
): RequestStep {
  const { server, identity } = addressed;
  const { id, era, method, revision } = known ?? NOTHING_KNOWN;
  const needsUser = server?.wantsUser === true && isAbsent(identity.user);
  const decided: Decided = {
    server: server?.name,
    identity,
    call,
    decision: "deny",
    mode: "Enforce",
    rule: why.rule,
    reason: why.reason,
  };
  const reply = localReply(why, { id: id === NO_ID ? undefined : id, era, method, revision, needsUser });
  const details = `toolgate_${why.reason}`;
  return [
    { at: "refused", decided, call },
    { kind: "immediateResponse", reply, details, metadata: metadataOf(decided) },
  ];
}

/** The status to end the gRPC stream with. OK tells Envoy to go on without us (proto, step 6). */
export function requestCloseStatus(state: RequestState): "OK" | "ABORTED" {
  switch (state.at) {
    case "permitted":
    case "unmatched":
    case "refused":
    case "answeredByEnvoy":
      return "OK";
    case "awaitingHeaders":
    case "awaitingBody":
      return "ABORTED";
    default:
      return assertNever(state);
  }
}
