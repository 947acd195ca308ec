/** What an answer is held against: who may be answered, and the eyes of the caller it goes to. */
import type { Id } from "../jsonrpc/message.ts";
import type { Limits } from "../limits.ts";
import type { MethodLabel } from "./methods.ts";
import type { Era } from "./revision.ts";
import type { Subject } from "./subject.ts";

/** A request that waits for its answer. */
export type Pending = { readonly id: Id | undefined; readonly method: MethodLabel };

export type Asked = {
  /** More than one in a batch. Undefined on a stream that nobody's request opened: any answer may come on it. */
  readonly pending: readonly Pending[] | undefined;
  readonly era: Era;
  readonly isVisible: (subject: Subject) => boolean;
  /** Nothing is hidden from the caller, so that nothing has to be judged that cannot be. */
  readonly seesAll: () => boolean;
  readonly limits: Limits;
  /** Whether a tool's definition (`definition.ts`) is the one that policy has pinned, if it has. */
  readonly isPinned: (tool: string, definition: () => Uint8Array) => boolean;
  /** The session of the request. A server may give another one only where it begins a session. */
  readonly session: { readonly id: string | undefined; readonly mayBegin: boolean };
  /** Answers may come in arrays. */
  readonly takesBatches: boolean;
  /** Our answers to the messages of a batch that did not go on, to be delivered with the server's. */
  readonly refused: readonly Uint8Array[];
  /** On the stream of HTTP with SSE (2024-11-05): where its client has to send its messages. */
  readonly messages: { readonly host: string | undefined; readonly path: string } | undefined;
};
