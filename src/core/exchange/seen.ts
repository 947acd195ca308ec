/** What of an answer has come by so far, and how the calls have ended that waited for it. */
import type { Id } from "../jsonrpc/message.ts";
import { answeredBy } from "../mcp/answer.ts";
import type { Delivery, Fault } from "../mcp/answer.ts";
import type { Asked, Pending } from "../mcp/asked.ts";
import type { Listed } from "../mcp/filtering.ts";
import { errorBody } from "../mcp/local-reply.ts";
import { BROKEN } from "../mcp/outcome.ts";
import type { Outcome } from "../mcp/outcome.ts";

type Answered = { readonly id: Id | undefined; readonly outcome: Outcome };

export type Seen = {
  /** The calls whose answers have come, in their order: one, but for a batch. */
  readonly answered: readonly Answered[];
  /** How all other calls have ended, once that is known. */
  readonly rest: Outcome | undefined;
  readonly hiddenItems: number;
  readonly listed: readonly Listed[];
  readonly changedTools: readonly string[];
  /** Why the answer, or a message that may have been it, was not delivered. */
  readonly lost: Fault | undefined;
  /** The server has said that a subscription has begun. */
  readonly isAcknowledged: boolean;
  /** Of HTTP, where it is that of an error and has gone on. */
  readonly httpStatus: number | undefined;
  /** Events had ids: what did not come here can be asked for on another stream (2025-03-26 to 2025-11-25). */
  readonly isResumable: boolean;
};

export const NOTHING_SEEN: Seen = {
  answered: [],
  rest: undefined,
  hiddenItems: 0,
  listed: [],
  changedTools: [],
  lost: undefined,
  isAcknowledged: false,
  httpStatus: undefined,
  isResumable: false,
};

export const outcomeOf = (seen: Seen, id: Id | undefined): Outcome | undefined =>
  seen.answered.find((one) => one.id === id)?.outcome ?? seen.rest;

export function merge(seen: Seen, asked: Asked, delivery: Delivery): Seen {
  const { outcome, fault } = delivery;
  if (tellsNothing(delivery)) return seen;
  const id = answeredBy(asked, delivery);
  const isLost =
    fault !== undefined && (fault.reason === "unreadable" || fault.reason === "too-large" || outcome !== undefined);
  return {
    answered: id === undefined || outcome === undefined ? seen.answered : [...seen.answered, { id, outcome }],
    rest: seen.rest,
    hiddenItems: seen.hiddenItems + delivery.hiddenItems,
    listed: listedBy(seen, asked, delivery),
    changedTools: delivery.changedTools.length === 0 ? seen.changedTools : delivery.changedTools,
    lost: isLost ? fault : seen.lost,
    isAcknowledged: seen.isAcknowledged || delivery.isAcknowledgement,
    httpStatus: seen.httpStatus,
    isResumable: seen.isResumable,
  };
}

/** Those of answers, of which each call has one. On a stream that nobody's request opened they have no end: the last one. */
function listedBy({ listed }: Seen, { pending }: Asked, delivery: Delivery): readonly Listed[] {
  if (delivery.listed.length === 0 || delivery.outcome === undefined) return listed;
  return pending === undefined ? delivery.listed : [...listed, ...delivery.listed];
}

/** As most events of a stream. */
const tellsNothing = ({ outcome, fault, listed, hiddenItems, changedTools, isAcknowledgement }: Delivery): boolean =>
  outcome === undefined &&
  fault === undefined &&
  listed.length === 0 &&
  hiddenItems === 0 &&
  changedTools.length === 0 &&
  !isAcknowledgement;

/** What did not come by now, does not come. */
export const withoutRest = (seen: Seen, { pending }: Asked): Seen =>
  pending === undefined
    ? { ...seen, rest: seen.rest ?? BROKEN }
    : { ...seen, answered: [...seen.answered, ...unanswered(seen, pending).map((id) => ({ id, outcome: BROKEN }))] };

/** Nobody waits for the end of it: it is a stream, as that of a GET was before 2026-07-28. */
export const isSubscribed = (seen: Seen, method: string | undefined): boolean =>
  seen.isAcknowledged && method === "subscriptions/listen";

/** The requests that still wait. */
export const unanswered = (seen: Seen, pending: readonly Pending[]): readonly (Id | undefined)[] =>
  pending.map(({ id }) => id).filter((id) => !isAnswered(seen, id));

export const answeredIds = (seen: Seen): readonly (Id | undefined)[] => seen.answered.map(({ id }) => id);

const isAnswered = (seen: Seen, id: Id | undefined): boolean => seen.answered.some((one) => one.id === id);

export const sentence = (fault: string): string => `The server's answer was not delivered: it ${fault}.`;
/** What a client gets in place of an answer that is withheld, or it would wait for it for ever. */
export const errorInstead = (id: Id, { fault }: Delivery): Uint8Array =>
  errorBody(id, sentence(fault?.message ?? "is empty"));
