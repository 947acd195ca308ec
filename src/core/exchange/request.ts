/**
 * The request half of an exchange: from the headers to a decision. Read it beside external_processor.proto.
 *
 * | Envoy says | we write |
 * |---|---|
 * | one response for each request | `Step` is a pair |
 * | a BUFFERED body holds the headers until it is answered | only a reply with a permit lets the request go on |
 * | an immediate response ends processing | `refused`: the driver writes it (or a ping that carries it), ends OK and reads no more |
 * | an OK close lets go on what is not answered, unchecked | `isFinal` is total |
 *
 * awaitingHeaders -> awaitingBody -> permitted | refused; GET and DELETE are decided on their headers.
 */
import { EMPTY } from "../bytes.ts";
import { canonical } from "../jsonrpc/canonical.ts";
import { readMessage } from "../jsonrpc/message.ts";
import type { Message } from "../jsonrpc/message.ts";
import { scan } from "../jsonrpc/scan.ts";
import type { Json } from "../jsonrpc/scan.ts";
import type { Limits } from "../limits.ts";
import type { Asked } from "../mcp/asked.ts";
import { isBatch } from "../mcp/batch.ts";
import { trimInitialize } from "../mcp/capabilities.ts";
import { sessionCall } from "../mcp/call.ts";
import type { Call } from "../mcp/call.ts";
import { classify } from "../mcp/classify.ts";
import type { HeaderClaim } from "../mcp/classify.ts";
import { NO_CHANGES, readAddress, readHeaders } from "../mcp/headers.ts";
import { trimListen } from "../mcp/subscriptions.ts";
import { findMethod } from "../mcp/methods.ts";
import { refusal } from "../mcp/refusal.ts";
import type { Era } from "../mcp/revision.ts";
import type { Refusal } from "../mcp/refusal.ts";
import { sealDenial } from "../mcp/sealed-denial.ts";
import { permitUnmatched } from "../policy/decide.ts";
import type { Permit } from "../policy/decide.ts";
import { DEFAULT_DENY } from "../policy/decision.ts";
import type { Destination, Endpoint, PolicySet } from "../policy/policy-set.ts";
import { assertNever } from "../result.ts";
import { askedBy } from "./asked-by.ts";
import type { Sha256 } from "./asked-by.ts";
import { judgeBatch } from "./judge-batch.ts";
import type { StartSpans } from "./call-trace.ts";
import { requestChanges, unknownIn } from "./changes.ts";
import type { RequestEvent, RequestHeadersEvent } from "./event.ts";
import {
  immediate,
  judgeCall,
  judgeMessage,
  NOTHING_KNOWN,
  permittedCalls,
  refuse,
  refusePermitted,
  unread,
} from "./judge.ts";
import type { Addressed, Arrived, Judged, Known, Permitted, Refused } from "./judge.ts";
import { metadataOf } from "./metadata.ts";
import type { Decided } from "./metadata.ts";
import type { Reply } from "./reply.ts";
import { denialSentence } from "./sentence.ts";
import { withTraces } from "./with-traces.ts";
import { ProtocolViolation } from "./violation.ts";

export type Options = {
  /** In force now: see `reconsider`. */
  readonly policies: PolicySet;
  readonly unmatched: "refuse" | "pass";
  readonly limits: Limits;
  readonly sha256: Sha256;
  /** Undefined: no spans are made. */
  readonly startSpans?: StartSpans | undefined;
  /** The arguments that go on record, by their keys. Default: none. */
  readonly loggedArguments?: readonly string[];
};

export type RequestState =
  | { readonly at: "awaitingHeaders" }
  | ({ readonly at: "awaitingBody"; readonly claim: HeaderClaim } & Arrived)
  | {
      readonly at: "permitted";
      /** One, or the messages of a batch: those that went on, and those that did not. */
      readonly judged: readonly Judged[];
      readonly arrived: Arrived;
      readonly asked: Asked;
      /** Otherwise the stream ends with the decision. What gets no answer can bring one all the same. */
      readonly readsAnswer: boolean;
    }
  /** No server of ours: let through unseen, by configuration. */
  | { readonly at: "unmatched"; readonly permit: Permit }
  | { readonly at: "refused"; readonly judged: readonly Refused[] }
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
      if (event.kind === "requestHeaders") throw new ProtocolViolation("requestHeaders while the body is awaited");
      // With trailers alone there is no body.
      return onBody(state, event.kind === "requestBody" ? event.body : EMPTY);
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
  const { identity, forwarded, route } = event;
  const { startSpans } = options;
  const nowhere = { server: undefined, identity, headers: undefined, startSpans };
  const address = readAddress(event.headers);
  if (!address.ok) return refused(nowhere, address.error);
  const destination = { route, ...address.value };
  const endpoint = options.policies.match(destination);
  if (endpoint === undefined) return onUnmatched(options, destination, nowhere);
  const { server } = endpoint;
  const headers = readHeaders(event.headers);
  if (!headers.ok) return refused({ ...nowhere, server }, headers.error);
  const classified = classify(headers.value, !event.endOfStream, endpoint.transport);
  if (!classified.ok) {
    const known = { ...NOTHING_KNOWN, revision: headers.value["mcp-protocol-version"] };
    return refused({ ...nowhere, server, headers: headers.value }, classified.error, known);
  }
  const { kind } = classified.value;
  const arrived = {
    destination,
    endpoint,
    server,
    identity,
    forwarded,
    isFixed: event.isFixed,
    headers: headers.value,
    limits: options.limits,
    sha256: options.sha256,
    startSpans,
    loggedArguments: options.loggedArguments ?? [],
  };
  switch (kind) {
    case "message":
      return [
        { at: "awaitingBody", claim: classified.value.claim, ...arrived },
        { kind: "requestHeaders", awaits: "requestBody" },
      ];
    case "stream":
      return onSession(arrived, sessionCall("GET", classified.value.revision));
    case "end-session":
      return onSession(arrived, sessionCall("DELETE", classified.value.revision));
    default:
      return assertNever(kind);
  }
}

const notHere = (header: string, era: Era): Refusal =>
  refusal(
    "not-enforceable",
    `the header ${header} means nothing in ${era === "modern" ? "this revision" : "revisions before 2026-07-28"} of MCP, and cannot be taken out here`,
  );

function onUnmatched(
  options: Options,
  destination: Destination,
  nowhere: Addressed & { readonly server: undefined },
): RequestStep {
  if (options.unmatched === "refuse" || options.policies.mayBeServer(destination))
    return refused(nowhere, refusal("unknown-server", "this request goes to no MCP server that policy knows"));
  const permit = permitUnmatched();
  const decided: Decided = {
    server: undefined,
    identity: nowhere.identity,
    call: undefined,
    decision: "allow",
    mode: "Enforce",
    rule: permit.rule,
    reason: undefined,
    sentence: undefined,
    id: undefined,
    session: undefined,
    trace: undefined,
  };
  return [
    { at: "unmatched", permit },
    { kind: "requestHeaders", permit, changes: NO_CHANGES, metadata: metadataOf(decided) },
  ];
}

/** The headers are all there is. */
const onSession = (arrived: Arrived, call: Call): RequestStep => onJudged(arrived, judgeCall(arrived, call));

/** A message that has been judged without a body. */
export function onJudged(arrived: Arrived, judged: Judged): RequestStep {
  if (judged.verdict === "refused") return refusedAs(judged);
  const { call, permit, decided } = judged;
  const changes = requestChanges(arrived, call, undefined);
  const next = permitted(arrived, [judged], askedBy(arrived, [call]));
  return [next, { kind: "requestHeaders", permit, changes, metadata: metadataOf(decided) }];
}

function onBody(state: RequestState & { at: "awaitingBody" }, body: Uint8Array): RequestStep {
  const { claim, limits } = state;
  if (body.length > limits.maxBodyBytes) {
    const why = refusal("too-large", `the body is larger than ${limits.maxBodyBytes} bytes`);
    return refused(state, why, unread(claim));
  }
  const json = scan(body, limits.request);
  if (json.kind === "fault") return refused(state, refusal(json.reason, json.message), unread(claim));
  if (isBatch(json)) {
    const batch = judgeBatch(state, json);
    if ("reply" in batch) return [{ at: "refused", judged: batch.judged }, batch.reply];
    return goOn(state, batch.judged, batch.asked, batch.body ?? body, body);
  }
  const message = readMessage(json);
  if (message.kind === "invalid")
    return refused(state, refusal("malformed-request", message.message), { ...unread(claim), id: message.id });
  const judged = judgeMessage(state, json, message, claim, limits);
  if (judged.verdict === "refused") return onRefused(state, message, judged);
  const asked = askedBy(state, [judged.call]);
  if (judged.call.method === "subscriptions/listen") return onListen(state, judged, json, asked);
  const goes = judged.call.method === "initialize" ? trimInitialize(json, asked) : canonical(json);
  return goOn(state, [judged], asked, goes, body);
}

/** Only what the caller may see is subscribed to. */
function onListen(
  state: RequestState & { at: "awaitingBody" },
  judged: Permitted,
  json: Json,
  asked: Asked,
): RequestStep {
  const { call } = judged;
  const trimmed = trimListen(json, asked);
  if (trimmed !== "nothing") return goOn(state, [judged], asked, trimmed, json.bytes);
  const denial = { reason: "no-rule-allows", rule: DEFAULT_DENY } as const;
  const sentence = denialSentence(denial, state.server, state.identity, call);
  return refusedAs(refusePermitted(state, { ...denial, message: sentence }, judged));
}

/** `goes`: what goes on in place of what came, but for where it says it comes from. */
function goOn(
  arrived: Arrived,
  judged: readonly Judged[],
  asked: Asked,
  goes: Uint8Array,
  came: Uint8Array,
): RequestStep {
  const first = judged.find((one) => one.verdict === "permitted");
  if (first === undefined) throw new Error("nothing was permitted that could go on");
  const { call, permit, decided } = first;
  const [unknown] = arrived.isFixed ? unknownIn(call.era, arrived.headers) : [];
  if (unknown !== undefined) return refusedAs(refusePermitted(arrived, notHere(unknown, call.era), first));
  const traced = withTraces(goes, judged, arrived.limits);
  const body = traced === came ? undefined : traced;
  const changes = requestChanges(arrived, call, body);
  return [
    permitted(arrived, judged, asked),
    { kind: "requestBody", permit, body, changes, metadata: metadataOf(decided) },
  ];
}

function permitted(arrived: Arrived, judged: readonly Judged[], asked: Asked): RequestState {
  const { server } = arrived;
  const readsAnswer =
    server.answers === "read" ||
    asked.refused.length > 0 ||
    judged.some((one) => one.verdict === "permitted" && isAlwaysRead(one.call));
  return { at: "permitted", judged, arrived, asked, readsAnswer };
}

/**
 * The request under policies that have come since: a body that is awaited is decided by them, and an answer shows what they
 * show. Undefined when they would not have let it come this far.
 */
export function reconsider(policies: PolicySet, state: RequestState): RequestState | undefined {
  switch (state.at) {
    case "awaitingBody": {
      const endpoint = endpointIn(policies, state);
      return endpoint && { ...state, endpoint, server: endpoint.server };
    }
    case "permitted":
      return state.readsAnswer ? reconsiderPermitted(policies, state) : state;
    case "awaitingHeaders":
    case "unmatched":
    case "refused":
    case "answeredByEnvoy":
      return state;
    default:
      return assertNever(state);
  }
}

function reconsiderPermitted(policies: PolicySet, state: RequestState & { at: "permitted" }): RequestState | undefined {
  const endpoint = endpointIn(policies, state.arrived);
  if (endpoint === undefined) return undefined;
  const arrived = { ...state.arrived, endpoint, server: endpoint.server };
  const calls = permittedCalls(state.judged);
  if (calls.some((call) => judgeCall(arrived, call).verdict === "refused")) return undefined;
  const { takesBatches, refused } = state.asked;
  return { ...state, arrived, asked: { ...askedBy(arrived, calls), takesBatches, refused } };
}

/** Where the request went, if that is there still and speaks the same transport. */
function endpointIn(policies: PolicySet, { destination, endpoint: before }: Arrived): Endpoint | undefined {
  const endpoint = policies.match(destination);
  return endpoint?.transport === before.transport ? endpoint : undefined;
}

/** Lists are filtered also where answers pass, and any answer may come on a stream. */
const isAlwaysRead = ({ method }: Call): boolean => method === "GET" || findMethod(method)?.isListing === true;

/**
 * Over HTTP with SSE an answer comes on the stream of another exchange, and so does a denial; an HTTP error there ends the
 * session of some clients. Who has no access at all has no stream either.
 */
function onRefused(state: RequestState & { at: "awaitingBody" }, message: Message, judged: Refused): RequestStep {
  if (state.endpoint.transport !== "sse-messages" || message.kind !== "request") return refusedAs(judged);
  const ping = sessionCall("ping", state.claim.revision);
  const pinged = judgeCall(state, ping);
  if (pinged.verdict === "refused") return refusedAs(judged);
  const sealed = sealDenial(new TextDecoder().decode(judged.reply.body));
  const changes = requestChanges(state, ping, sealed);
  return [
    { at: "refused", judged: [judged] },
    { kind: "requestBody", permit: pinged.permit, body: sealed, changes, metadata: metadataOf(judged.decided) },
  ];
}

const refused = (addressed: Addressed, why: Refusal, known?: Known): RequestStep =>
  refusedAs(refuse(addressed, why, known));

const refusedAs = (judged: Refused): RequestStep => [
  { at: "refused", judged: [judged] },
  immediate(judged, judged.reply),
];
