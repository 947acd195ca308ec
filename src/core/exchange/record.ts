/** The one value telemetry gets when a call has ended. Metrics, span and decision log are three readers of it. */
import type { Identity } from "../identity/identity.ts";
import type { Id } from "../jsonrpc/message.ts";
import type { Fault } from "../mcp/answer.ts";
import type { ClientInfo } from "../mcp/client-info.ts";
import type { Listed } from "../mcp/filtering.ts";
import type { LoggedArguments } from "../mcp/logged-arguments.ts";
import type { MethodLabel } from "../mcp/methods.ts";
import type { Outcome } from "../mcp/outcome.ts";
import type { Reason } from "../mcp/refusal.ts";
import type { Mode, RuleRef } from "../policy/decision.ts";
import type { CallTrace } from "./call-trace.ts";

/** The tool, prompt or resource that a call names, as decoded text. It comes from the caller: never a label as it is. */
export type Target = { readonly kind: "tool" | "prompt" | "resource"; readonly name: string };

/** `audit`: policy said no, and the policy's mode let it through. */
export type DecisionLabel = "allow" | "deny" | "audit";

/** Of the bodies, as they came to us. `responseBytes`: until the answer was there; undefined when none was read. */
export type Sizes = { readonly requestBytes: number; readonly responseBytes: number | undefined };

export type ExchangeRecord = {
  /** `<namespace>/<name>` of the MCPServer; undefined when the request matched none. */
  readonly server: string | undefined;
  readonly method: MethodLabel;
  readonly target: Target | undefined;
  readonly identity: Identity;
  readonly decision: DecisionLabel;
  readonly mode: Mode;
  readonly rule: RuleRef;
  /** Why it was refused, or would have been; undefined for a plain allow. */
  readonly reason: Reason | undefined;
  /** What the caller was told of it, or would have been. */
  readonly sentence: string | undefined;
  readonly outcome: Outcome;
  /** The lists in an answer with their names, as the server gave them: what may become a label. */
  readonly listed: readonly Listed[];
  /** Tools taken out of a list answer because they are not any more what policy has pinned. */
  readonly changedTools: readonly string[];
  /** Entries taken out of a list answer because the caller may not use them. */
  readonly hiddenItems: number;
  /** Why the answer, or what may have been it, was not delivered. */
  readonly answerFault: Fault | undefined;
  /** Of the answer, where it is that of an error. */
  readonly httpStatus?: number | undefined;
  /** The protocol revision of the request, when its headers or body named one. */
  readonly revision: string | undefined;
  /** Envoy's `request.id`. */
  readonly requestId: string | undefined;
  /** Envoy's `source.address`, where it is told to send it. */
  readonly sourceAddress?: string | undefined;
  /** Wall clock, milliseconds since the epoch, when Envoy asked. */
  readonly startedAtMs: number;
  /** From the request's headers to the answer, not to the end of HTTP. */
  readonly durationMs: number;
  /** From the request's headers to the decision that has let it go on. Left out where it went nowhere, or nobody has looked. */
  readonly decidedMs?: number | undefined;
  /** Of the JSON-RPC request, as the JSON text it is echoed with; undefined for what gets no answer. */
  readonly id: Id | undefined;
  /** Of MCP, where the request named one. */
  readonly session: string | undefined;
  /** Undefined: nobody has said where it comes from, and no span is made of it. */
  readonly trace: CallTrace | undefined;
  /** Of a call that was let through: what its client says of itself, which nobody has checked. */
  readonly client: ClientInfo | undefined;
  /** Undefined for all but the first call of a batch. */
  readonly sizes: Sizes | undefined;
  /** Undefined unless some were asked for, and the call has any. */
  readonly arguments: LoggedArguments | undefined;
};
