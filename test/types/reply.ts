/** Must not compile: replies with fields that Envoy would ignore without a word. Checked by `tsc -p .`, never run. */
import { NO_CHANGES } from "../../src/core/mcp/headers.ts";
import type { Metadata } from "../../src/core/exchange/metadata.ts";
import type { Reply } from "../../src/core/exchange/reply.ts";
import type { Permit } from "../../src/core/policy/decide.ts";

declare const permit: Permit;
declare const metadata: Metadata;

// @ts-expect-error: a mode override counts in answers to headers only
export const a: Reply = { kind: "requestBody", permit, body: undefined, changes: NO_CHANGES, metadata, readBody: true };

// @ts-expect-error: the headers of an answer whose body is STREAMED have gone
export const b: Reply = { kind: "responseBody", body: undefined, changes: NO_CHANGES };

// @ts-expect-error: there is no mode left to override
export const c: Reply = { kind: "responseBody", body: undefined, readBody: true };

// @ts-expect-error: the body that was asked about is not in this message
export const d: Reply = { kind: "requestHeaders", awaits: "requestBody", body: new Uint8Array() };

// @ts-expect-error: trailers carry nothing
export const f: Reply = { kind: "responseTrailers", body: new Uint8Array() };

// @ts-expect-error: whether the body is read has to be said
export const g: Reply = { kind: "responseHeaders" };

// @ts-expect-error: and whether it stays as it is
export const h: Reply = { kind: "responseBody" };
