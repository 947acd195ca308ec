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
  /** Set where answers may come in arrays. `refused`: our answers to messages that did not go on, to be added. */
  readonly batch: { readonly refused: readonly Uint8Array[] } | undefined;
  /** On the stream of HTTP with SSE (2024-11-05): where its client has to send its messages. */
  readonly messagesPath: string | undefined;
};
