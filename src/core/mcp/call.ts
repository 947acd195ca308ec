/**
 * From a message to the call that it asks for: which method, what it names, which grants that takes. The one place that
 * knows where MCP puts names. The modern era's headers are held against the body here (2026-07-28, "Standard Headers").
 */
import { foldCase } from "../fold-case.ts";
import { ABSENT, isObject, isString, keysOf, kindAt, member, memberText, textAt } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import { NULL } from "../jsonrpc/tape.ts";
import { NO_ID, readId } from "../jsonrpc/message.ts";
import type { Id, Message } from "../jsonrpc/message.ts";
import type { Json } from "../jsonrpc/scan.ts";
import type { Limits } from "../limits.ts";
import { assertNever, err, ok } from "../result.ts";
import type { Result } from "../result.ts";
import { unknownVersion } from "./classify.ts";
import { readClientInfo } from "./client-info.ts";
import type { ClientInfo } from "./client-info.ts";
import type { HeaderClaim } from "./classify.ts";
import { findMethod, isKnownMethod } from "./methods.ts";
import type { KnownMethod, Method, MethodLabel } from "./methods.ts";
import { reconcileHeaders, versionMismatch } from "./reconcile.ts";
import { malformed, refusal } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import { isSealed } from "./sealed-denial.ts";
import type { Era } from "./revision.ts";
import { eraOf } from "./revision.ts";
import { ANSWERS, checkedName, methodSubject, nameSubject, resourceSubject, templateSubject } from "./subject.ts";
import type { Subject, SubjectFault } from "./subject.ts";
import { filterFault } from "./subscriptions.ts";
import { readTraceContext } from "./trace-context.ts";
import type { TraceContext } from "./trace-context.ts";

/** Everything that policy, answer and record need to know of one message. */
export type Call = {
  readonly method: MethodLabel;
  readonly era: Era;
  readonly revision: string | undefined;
  /** Of a request; undefined for what gets no answer. */
  readonly id: Id | undefined;
  /** The tool, prompt or resource that it names. */
  readonly target: Subject | undefined;
  /** All of them must be granted. */
  readonly subjects: readonly Subject[];
  /** Granted by base access alone. */
  readonly base: boolean;
  /** Of `notifications/cancelled`: the request that needs no answer any more. */
  readonly cancels: Id | undefined;
  /** What its `_meta` says of where it comes from. */
  readonly trace: TraceContext | undefined;
  /** As it says of itself, where it does. */
  readonly client: ClientInfo | undefined;
};

/** A refusal, with the id to answer to when it could be read. */
export type CallFault = { readonly refusal: Refusal; readonly id: Id; readonly trace: TraceContext | undefined };

export const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";

export function readCall(json: Json, message: Message, claim: HeaderClaim, limits: Limits): Result<Call, CallFault> {
  const id = message.kind === "notification" ? NO_ID : message.id;
  let trace: TraceContext | undefined;
  const fail = (why: Refusal): Result<never, CallFault> => err({ refusal: why, id, trace });
  if (isSealed(id)) return fail(malformed("the id begins like one of Toolgate's own"));
  if (claim.revision !== undefined && eraOf(claim.revision) === undefined) return fail(unknownVersion(claim.revision));
  if (message.kind === "answer") {
    if (claim.era === "modern") return fail(malformed("this revision of MCP has no answers from clients"));
    if (id === NO_ID) return fail(malformed("an answer has the id of what it answers"));
    return ok(answerCall(json, message, claim));
  }
  const meta = message.params === ABSENT ? ABSENT : member(json, message.params, "_meta");
  const metaFault = meta === ABSENT ? undefined : checkMeta(json, meta);
  if (metaFault !== undefined) return fail(refusal("invalid-params", metaFault));
  trace = readTraceContext(json, meta);
  const mismatch = claim.isModernPossible ? reconcileEra(json, message, meta, claim) : undefined;
  if (mismatch !== undefined) return fail(mismatch);
  const method = findMethod(message.method);
  if (method === undefined || !isKnownMethod(message.method) || (method.era !== "both" && method.era !== claim.era))
    return fail(unknownMethod(message.method, claim));
  if (method.kind !== message.kind) return fail(malformed(`${message.method} is a ${method.kind}`));
  const named = readNames(json, message.method, method, message.params, claim.era, limits);
  if (!named.ok) return fail(refusal(named.error.reason, named.error.message));
  const { target, subjects, headerName } = named.value;
  const headerFault = claim.era === "modern" ? reconcileHeaders(json, message, headerName, claim) : undefined;
  if (headerFault !== undefined) return fail(headerFault);
  const requestId = message.params === ABSENT ? ABSENT : member(json, message.params, "requestId");
  return ok({
    method: message.method,
    era: claim.era,
    revision: claim.revision,
    id: message.kind === "request" ? message.id : undefined,
    target,
    subjects,
    base: method.grant === "base",
    cancels: message.method === "notifications/cancelled" && requestId !== ABSENT ? readId(json, requestId) : undefined,
    trace,
    client: readClientInfo(json, message.method, message.params, meta),
  });
}

/** An empty result answers a ping of the server, and carries nothing: base access is enough for it. */
function answerCall(json: Json, message: Message & { kind: "answer" }, claim: HeaderClaim): Call {
  const isPong = message.result !== ABSENT && keysOf(json, message.result).length === 0;
  return {
    method: "answer",
    era: claim.era,
    revision: claim.revision,
    id: undefined,
    target: undefined,
    subjects: isPong ? [] : [ANSWERS],
    base: isPong,
    cancels: undefined,
    trace: undefined,
    client: undefined,
  };
}

/** A GET or a DELETE, which are the session's stream and its end, or a ping: base access is enough for them. */
export const sessionCall = (method: "GET" | "DELETE" | "ping" | "unknown", revision: string | undefined): Call => ({
  method,
  era: "legacy",
  revision,
  id: undefined,
  target: undefined,
  subjects: [],
  base: true,
  cancels: undefined,
  trace: undefined,
  client: undefined,
});

/** Keys of `_meta` that differ in case only are read as one by some servers (encoding/json of Go folds K and long s too). */
function checkMeta(json: Json, meta: At): string | undefined {
  if (!isObject(json, meta)) return '"_meta" must be an object';
  const keys = keysOf(json, meta);
  const folded = new Set(keys.map(foldCase));
  return folded.size === keys.length ? undefined : 'two keys of "_meta" differ only in case';
}

/** The era is what header and body agree on. */
function reconcileEra(json: Json, message: Message, meta: At, claim: HeaderClaim): Refusal | undefined {
  const version = meta === ABSENT ? ABSENT : member(json, meta, VERSION_KEY);
  if (version !== ABSENT && !isString(json, version)) return versionMismatch();
  const said = version === ABSENT ? undefined : textAt(json, version);
  if (claim.era === "legacy") {
    return said === undefined || eraOf(said) === "legacy" ? undefined : versionMismatch();
  }
  if (said === claim.revision) return undefined;
  if (said !== undefined) return versionMismatch();
  // Header rules for notifications are undefined; the Go client sends notifications/cancelled without `_meta`.
  return message.kind === "notification" ? undefined : refusal("invalid-params", `"_meta" must have "${VERSION_KEY}"`);
}

/** Who asks for it with an older version is told which there are, and does not fall back to `initialize` for want of it. */
const unknownMethod = (method: string, { era, isModernPossible }: HeaderClaim): Refusal =>
  method === "server/discover" && era === "legacy" && isModernPossible
    ? refusal("unsupported-version", "server/discover is a method of MCP 2026-07-28 and later")
    : refusal("unknown-method", `the method ${JSON.stringify(method.slice(0, 64))} is not known`);

type Named = {
  readonly target: Subject | undefined;
  readonly subjects: readonly Subject[];
  /** What `Mcp-Name` repeats, and whether it has to. */
  readonly headerName: { readonly text: string; readonly isRequired: boolean } | undefined;
};

/** Params that answer a server's requests: they need a grant beyond the name's. */
const ANSWERING = ["inputResponses", "requestState"];

const invalid = (message: string): Result<never, SubjectFault> => err({ reason: "invalid-params", message });

function readNames(
  json: Json,
  name: KnownMethod,
  method: Method,
  params: At,
  era: Era,
  limits: Limits,
): Result<Named, SubjectFault> {
  const own = method.grant === "named" ? [] : [methodSubject(name)];
  if (method.names === undefined) return ok({ target: undefined, subjects: own, headerName: undefined });
  if (params === ABSENT) return invalid(`${name} needs params`);
  const keys = keysOf(json, params);
  const odd = keys.find((key) => key !== "_meta" && method.params?.includes(key) !== true);
  if (odd !== undefined) return invalid(`${name} has no parameter ${JSON.stringify(odd.slice(0, 64))}`);
  const more: Subject[] = keys.some((key) => ANSWERING.includes(key)) ? [ANSWERS] : [];
  // The result comes by another call, which must be granted. Since 2026-07-28 servers ignore it.
  if (name === "tools/call" && keys.includes("task") && era === "legacy") more.push(methodSubject("tasks/get"));
  const args = member(json, params, "arguments");
  // The SDK for Go writes null where there are none.
  if (args !== ABSENT && !isObject(json, args) && kindAt(json, args) !== NULL)
    return invalid('"arguments" must be an object');
  const headerName = (text: string): Named["headerName"] => ({ text, isRequired: method.hasNameHeader === true });
  switch (method.names) {
    case "task": {
      const id = memberText(json, params, "taskId");
      if (id === undefined) return invalid('"taskId" must be a string');
      const text = checkedName(id, limits);
      if (!text.ok) return about("the task's id", text);
      return ok({ target: undefined, subjects: [...own, ...more], headerName: headerName(id) });
    }
    case "subscriptions": {
      const fault = filterFault(json, member(json, params, "notifications"));
      return fault === undefined ? ok({ target: undefined, subjects: own, headerName: undefined }) : invalid(fault);
    }
    case "reference":
    case "tool":
    case "prompt":
    case "resource": {
      const target =
        method.names === "reference"
          ? readReference(json, params, limits)
          : readName(json, params, method.names, limits);
      if (!target.ok) return target;
      const subjects = [target.value, ...own, ...more];
      return ok({ target: target.value, subjects, headerName: headerName(target.value.name) });
    }
    default:
      return assertNever(method.names);
  }
}

function about<T>(what: string, result: Result<T, SubjectFault>): Result<T, SubjectFault> {
  return result.ok ? result : err({ ...result.error, message: `${what} ${result.error.message}` });
}

function readName(
  json: Json,
  params: At,
  kind: "tool" | "prompt" | "resource",
  limits: Limits,
): Result<Subject, SubjectFault> {
  const key = kind === "resource" ? "uri" : "name";
  const text = memberText(json, params, key);
  if (text === undefined) return invalid(`"${key}" must be a string`);
  const subject = kind === "resource" ? resourceSubject(text, limits) : nameSubject(kind, text, limits);
  return about(`the ${kind}'s ${key}`, subject);
}

/** `completion/complete`: a prompt by name, or a resource by URI or URI template. */
function readReference(json: Json, params: At, limits: Limits): Result<Subject, SubjectFault> {
  const ref = member(json, params, "ref");
  if (!isObject(json, ref)) return invalid('"ref" must be an object');
  const type = memberText(json, ref, "type");
  const odd = (allowed: readonly string[]): boolean => keysOf(json, ref).some((key) => !allowed.includes(key));
  if (type === "ref/prompt") {
    return odd(["type", "name", "title"])
      ? invalid('"ref" has a member of another kind of reference')
      : readName(json, ref, "prompt", limits);
  }
  if (type !== "ref/resource") return invalid('"ref.type" must be "ref/prompt" or "ref/resource"');
  if (odd(["type", "uri"])) return invalid('"ref" has a member of another kind of reference');
  const uri = memberText(json, ref, "uri");
  if (uri === undefined) return invalid('"ref.uri" must be a string');
  const subject = uri.includes("{") ? templateSubject(uri, limits) : resourceSubject(uri, limits);
  return about("the resource's uri", subject);
}
