/** How each tool ends a call that was let through; `upstream.ts` does it, and this says what it is to be called. */

export type Ending = {
  readonly outcome:
    | "ok"
    | "tool_error"
    | "rpc_error"
    | "transport_error"
    | "rejected"
    | "timeout"
    | "cancelled"
    | "unread"
    | "input_required";
  readonly code?: number;
  /** Of HTTP, where it is that of an error: the server's, or Envoy's own. */
  readonly status?: number;
  /** What its caller does. */
  readonly leaves?: "in the answer" | "before the answer" | "by a notification";
  /** Its route has a time-out. */
  readonly isImpatient?: true;
  /** The eras in which it can happen; default both. */
  readonly era?: "legacy" | "modern";
};

export const ENDINGS = {
  "json-ok": { outcome: "ok" },
  watched: { outcome: "ok" },
  "events-ok": { outcome: "ok" },
  "json-error": { outcome: "tool_error" },
  "events-error": { outcome: "tool_error" },
  "json-rpc-error": { outcome: "rpc_error", code: -32_602 },
  "events-rpc-error": { outcome: "rpc_error", code: -32_603 },
  "status-401": { outcome: "rejected", status: 401 },
  "status-404": { outcome: "rejected", status: 404 },
  "status-500": { outcome: "transport_error", status: 500 },
  "dies-at-once": { outcome: "transport_error", status: 503 },
  // Envoy tells its processor that the exchange is over, and not who has left it.
  "dies-in-json": { outcome: "cancelled" },
  "dies-in-events": { outcome: "cancelled" },
  "never-answers": { outcome: "timeout", status: 504, isImpatient: true },
  "ends-without-answer": { outcome: "transport_error" },
  // The client may come back for the answer on another stream.
  "ends-to-be-resumed": { outcome: "unread", era: "legacy" },
  "asks-for-input": { outcome: "input_required", era: "modern" },
  "is-left-in-answer": { outcome: "cancelled", leaves: "in the answer" },
  "is-left-before-answer": { outcome: "cancelled", leaves: "before the answer" },
  "is-taken-back": { outcome: "cancelled", leaves: "by a notification", era: "legacy" },
} satisfies Readonly<Record<string, Ending>>;

export type Tool = keyof typeof ENDINGS;
export const TOOLS = Object.keys(ENDINGS) as readonly Tool[];
export const endingOf = (tool: Tool): Ending => ENDINGS[tool];
