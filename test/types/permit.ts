/** Must not compile: what would let a request go on without a decision. Checked by `tsc -p .`, never run. */
import { NO_CHANGES } from "../../src/core/mcp/headers.ts";
import type { Permitted } from "../../src/core/exchange/judge.ts";
import type { Metadata } from "../../src/core/exchange/metadata.ts";
import type { Reply } from "../../src/core/exchange/reply.ts";
import type { RequestState } from "../../src/core/exchange/request.ts";
import type { Decision, Permit } from "../../src/core/policy/decide.ts";
import { BASE_ACCESS } from "../../src/core/policy/decision.ts";

declare const metadata: Metadata;
declare const judged: Permitted;
declare const permit: Permit;

// The same values with a permit do compile: what follows fails for want of one alone.
export const granted: Reply = { kind: "requestBody", permit, body: undefined, changes: NO_CHANGES, metadata };
export const passed: Permitted = { ...judged, permit };
export const unseen: RequestState = { at: "unmatched", permit };

// @ts-expect-error: a permit has a property whose key only decide.ts knows
export const forged: Permit = { rule: BASE_ACCESS, audited: undefined };

// @ts-expect-error: nor does another symbol do
export const minted: Permit = { rule: BASE_ACCESS, audited: undefined, [Symbol("minted")]: true };

// @ts-expect-error: a decision to allow carries one
export const allowed: Decision = { verdict: "allow" };

// @ts-expect-error: what was permitted has a permit
export const judged1: Permitted = { ...judged, permit: undefined };

// @ts-expect-error: and so does what goes to no server of ours
export const state2: RequestState = { at: "unmatched" };

// @ts-expect-error: a body goes on with a permit only
export const body: Reply = { kind: "requestBody", body: undefined, changes: NO_CHANGES, metadata };

// @ts-expect-error: and so do headers, unless they wait for the body
export const headers: Reply = { kind: "requestHeaders", changes: NO_CHANGES, metadata };

// @ts-expect-error: which is the only thing they may wait for
export const waits: Reply = { kind: "requestHeaders", awaits: "requestTrailers" };
