/** Must not compile: rows that are missing or cannot be meant, text that nobody has checked. Checked by `tsc -p .`, never run. */
import type { Id } from "../../src/core/jsonrpc/message.ts";
import type { KnownMethod, Method, MethodLabel } from "../../src/core/mcp/methods.ts";
import { METHODS } from "../../src/core/mcp/methods.ts";
import { refusal } from "../../src/core/mcp/refusal.ts";
import type { Reason } from "../../src/core/mcp/refusal.ts";
import type { CheckedText, Subject } from "../../src/core/mcp/subject.ts";
import type { SubjectKind } from "../../src/core/policy/policy-set.ts";

export const complete: Method = { kind: "request", era: "both", grant: "base" };

// @ts-expect-error: a method says what it takes to be allowed
export const noGrant: Method = { kind: "request", era: "both" };

// @ts-expect-error: and in which era it is known
export const noEra: Method = { kind: "request", grant: "base" };

// @ts-expect-error: and whether it is answered
export const noKind: Method = { era: "both", grant: "base" };

// @ts-expect-error: "response" is none of the kinds
export const oddKind: Method = { kind: "response", era: "both", grant: "base" };

// @ts-expect-error: a list is one of those that are filtered
export const oddList: Method = { kind: "request", era: "both", grant: "base", lists: "roots" };

// @ts-expect-error: a table by method has a row for each
export const byMethod: Record<KnownMethod, true> = { initialize: true, ping: true };

// @ts-expect-error: what a caller wrote is no method of the table
export const label: MethodLabel = "tools/run";

// @ts-expect-error: nor can one be looked up
export const row = METHODS["tools/run"];

// @ts-expect-error: a table by reason has a row for each, also for the next one
export const byReason: Record<Reason, number> = { "too-large": 413, "malformed-json": 400 };

// @ts-expect-error: a rule's denial is not one of the built-in refusals
export const denied = refusal("denied-by-rule", "");

// @ts-expect-error: raw text is no name: it has to be decoded and checked
export const raw: Subject = { kind: "tool", name: "echo" };

// @ts-expect-error: not by way of its type either
export const text: CheckedText = "echo";

// @ts-expect-error: an id is made by the reader of messages
export const id: Id = "1";

// @ts-expect-error: rules are kept by kind, for all kinds
export const byKind: Record<SubjectKind, number> = { tool: 1, prompt: 2, resource: 3 };
