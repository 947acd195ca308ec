/** What of an exchange is under way. */
import type { SseParser } from "../sse/parse.ts";
import type { Exchange } from "./exchange.ts";
import { isOver } from "./response.ts";
import { isSubscribed, unanswered } from "./seen.ts";

/** The server that a request was let through to. */
export const permittedServer = ({ request }: Exchange): string | undefined =>
  request.at === "permitted" ? request.arrived.server.name : undefined;

/** Of those calls that were let through, and whose answers are read, how many have none yet. */
export function callsInFlight({ request, response }: Exchange): number {
  if (request.at !== "permitted" || !request.readsAnswer || isOver(response)) return 0;
  const { seen } = response;
  const pending = (request.asked.pending ?? []).filter(({ method }) => !isSubscribed(seen, method));
  return unanswered(seen, pending).length;
}

/** The stream that the answer is; undefined before it begins, after it has ended, and for an answer that is none. */
export const openStream = ({ response }: Exchange): SseParser | undefined =>
  response.at === "followingEvents" ? response.parser : undefined;

/** The client has lost a stream before, and says how far it had read (2025-03-26, "Resumability and Redelivery"). */
export const isResumption = ({ request }: Exchange): boolean =>
  request.at === "permitted" && request.arrived.headers["last-event-id"] !== undefined;
