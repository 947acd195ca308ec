/** What an answer is held against: the id that was asked with, and the eyes of the caller it goes to. */
import type { Asked } from "../mcp/answer.ts";
import type { Call } from "../mcp/call.ts";
import { isVisible } from "../policy/decide.ts";
import type { Server } from "../policy/policy-set.ts";
import type { Decided } from "./metadata.ts";

export const deliverable = (permitted: {
  readonly server: Server;
  readonly call: Call;
  readonly decided: Decided;
}): Asked => ({
  id: permitted.call.id,
  isVisible: (subject) => isVisible(permitted.server, permitted.decided.identity, subject),
});
