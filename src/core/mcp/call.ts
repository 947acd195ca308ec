/**
 * From a message to the call that it asks for: which method, what it names, which grants that takes. The one place that
 * knows where MCP puts names. The modern era's headers are held against the body here (2026-07-28, "Standard Headers").
 */
import { foldCase } from "../fold-case.ts";
import { ABSENT, isObject, isString, keysOf, member, memberText, textAt } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import { NO_ID } from "../jsonrpc/message.ts";
import type { Id, Message } from "../jsonrpc/message.ts";
import type { Json } from "../jsonrpc/scan.ts";
import { err, ok } from "../result.ts";
import type { Result } from "../result.ts";
import type { HeaderClaim } from "./classify.ts";
import { decodeMcpName } from "./headers.ts";
import { findMethod, isKnownMethod } from "./methods.ts";
import type { KnownMethod, Method, MethodLabel } from "./methods.ts";
import { refusal } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import type { Era } from "./revision.ts";
import { eraOf } from "./revision.ts";
import { ANSWERS, methodSubject, nameSubject, resourceSubject, templateSubject } from "./subject.ts";
import type { Subject } from "./subject.ts";

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
};

/** A refusal, with the id to answer to when it could be read. */
export type CallFault = { readonly refusal: Refusal; readonly id: Id };

const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";

export function readCall(json: Json, message: Message, claim: HeaderClaim): Result<Call, CallFault> {
  const id = message.kind === "notification" ? NO_ID : message.id;
  const fail = (why: Refusal): Result<never, CallFault> => err({ refusal: why, id });
  if (message.kind === "answer") {
    if (claim.era === "modern") return fail(malformed("this revision of MCP has no answers from clients"));
    if (id === NO_ID) return fail(malformed("an answer has the id of what it answers"));
    return ok(answerCall(json, message, claim));
  }
  const meta = message.params === ABSENT ? ABSENT : member(json, message.params, "_meta");
  const metaFault = meta === ABSENT ? undefined : checkMeta(json, meta);
  if (metaFault !== undefined) return fail(refusal("invalid-params", metaFault));
  const mismatch = reconcileEra(json, message, meta, claim);
  if (mismatch !== undefined) return fail(mismatch);
  const method = findMethod(message.method);
  if (method === undefined || !isKnownMethod(message.method) || (method.era !== "both" && method.era !== claim.era)) {
    return fail(refusal("unknown-method", `the method ${JSON.stringify(message.method.slice(0, 64))} is not known`));
  }
  if (method.kind !== message.kind) return fail(malformed(`${message.method} is a ${method.kind}`));
  const named = readSubjects(json, message.method, method, message.params);
  if (!named.ok) return fail(refusal("invalid-params", named.error));
  const { target, subjects } = named.value;
  const headerFault = claim.era === "modern" ? reconcileHeaders(message, target, claim) : undefined;
  if (headerFault !== undefined) return fail(headerFault);
  return ok({
    method: message.method,
    era: claim.era,
    revision: claim.revision,
    id: message.kind === "request" ? message.id : undefined,
    target,
    subjects,
    base: method.grant === "base",
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
  };
}

/** A GET or a DELETE: the session's stream and its end. */
export const sessionCall = (method: "GET" | "DELETE", revision: string | undefined): Call => ({
  method,
  era: "legacy",
  revision,
  id: undefined,
  target: undefined,
  subjects: [],
  base: true,
});

const malformed = (message: string): Refusal => refusal("malformed-request", message);

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
  if (version !== ABSENT && !isString(json, version)) return mismatch("MCP-Protocol-Version", "the version in _meta");
  const said = version === ABSENT ? undefined : textAt(json, version);
  if (claim.era === "legacy") {
    if (said === undefined || eraOf(said) === "legacy") return undefined;
    return mismatch("MCP-Protocol-Version", "the version in _meta");
  }
  // Header rules for notifications are undefined; the Go client sends notifications/cancelled without `_meta`.
  if (said === claim.revision || (said === undefined && message.kind === "notification")) return undefined;
  return mismatch("MCP-Protocol-Version", "the version in _meta");
}

function reconcileHeaders(
  message: Message & { method: string },
  target: Subject | undefined,
  claim: HeaderClaim,
): Refusal | undefined {
  if (message.kind === "notification" && claim.method === undefined && claim.name === undefined) return undefined;
  if (claim.method !== message.method) return mismatch("Mcp-Method", "the method");
  const name = claim.name === undefined ? undefined : decodeMcpName(claim.name);
  const expected = NAME_HEADER.has(message.method) ? target?.name : undefined;
  if (claim.name !== undefined && name === undefined) return mismatch("Mcp-Name", "a name in canonical form");
  if (name === expected) return undefined;
  // Clients up to 2.0.0 of the TypeScript SDK sent it for every method with a name: true, so harmless.
  return expected === undefined && name === target?.name ? undefined : mismatch("Mcp-Name", "what the body names");
}

const NAME_HEADER: ReadonlySet<string> = new Set(["tools/call", "prompts/get", "resources/read"]);

const mismatch = (header: string, expected: string): Refusal =>
  refusal("header-mismatch", `the header ${header} is not ${expected}`);

type Named = { readonly target: Subject | undefined; readonly subjects: readonly Subject[] };

/** The params that a method with a name may have: another one could name something else to another reader. */
const NAMED_PARAMS: { readonly [method: string]: readonly string[] } = {
  "tools/call": ["name", "arguments", "_meta", "inputResponses", "requestState"],
  "prompts/get": ["name", "arguments", "_meta", "inputResponses", "requestState"],
  "resources/read": ["uri", "_meta", "inputResponses", "requestState"],
  "completion/complete": ["ref", "argument", "context", "_meta"],
};
/** Params that answer a server's requests: they need a grant beyond the name's. */
const ANSWERING = ["inputResponses", "requestState"];

function readSubjects(json: Json, name: KnownMethod, method: Method, params: At): Result<Named, string> {
  const own = method.grant === "named" ? [] : [methodSubject(name)];
  if (method.names === undefined) return ok({ target: undefined, subjects: own });
  if (params === ABSENT) return err(`${name} needs params`);
  const allowed = NAMED_PARAMS[name] ?? [];
  const keys = keysOf(json, params);
  const odd = keys.find((key) => !allowed.includes(key));
  if (odd !== undefined) return err(`${name} has no parameter ${JSON.stringify(odd.slice(0, 64))}`);
  const args = member(json, params, "arguments");
  if (args !== ABSENT && !isObject(json, args)) return err('"arguments" must be an object');
  const target = method.names === "reference" ? readReference(json, params) : readName(json, params, method.names);
  if (!target.ok) return target;
  const more = keys.some((key) => ANSWERING.includes(key)) ? [ANSWERS] : [];
  return ok({ target: target.value, subjects: [target.value, ...own, ...more] });
}

function readName(json: Json, params: At, kind: "tool" | "prompt" | "resource"): Result<Subject, string> {
  const key = kind === "resource" ? "uri" : "name";
  const text = memberText(json, params, key);
  if (text === undefined) return err(`"${key}" must be a string`);
  const subject = kind === "resource" ? resourceSubject(text) : nameSubject(kind, text);
  return subject.ok ? subject : err(`the ${kind}'s ${key} ${subject.error}`);
}

/** `completion/complete`: a prompt by name, or a resource by URI or URI template. */
function readReference(json: Json, params: At): Result<Subject, string> {
  const ref = member(json, params, "ref");
  if (!isObject(json, ref)) return err('"ref" must be an object');
  const type = memberText(json, ref, "type");
  const odd = (allowed: readonly string[]): boolean => keysOf(json, ref).some((key) => !allowed.includes(key));
  if (type === "ref/prompt") {
    return odd(["type", "name", "title"])
      ? err('"ref" has a member of another kind of reference')
      : readName(json, ref, "prompt");
  }
  if (type === "ref/resource" && odd(["type", "uri"])) return err('"ref" has a member of another kind of reference');
  if (type !== "ref/resource") return err('"ref.type" must be "ref/prompt" or "ref/resource"');
  const uri = memberText(json, ref, "uri");
  if (uri === undefined) return err('"ref.uri" must be a string');
  const subject = uri.includes("{") ? templateSubject(uri) : resourceSubject(uri);
  return subject.ok ? subject : err(`the resource's uri ${subject.error}`);
}
