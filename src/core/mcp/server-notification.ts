/**
 * What a server tells its client: one of a closed set, with the params of that one, about what the caller may see. A
 * caller from whom nothing is hidden gets the rest too.
 */
import { ABSENT, everyKey, isOneOf, keyIs, member } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import type { Filtering } from "./filtering.ts";
import { SERVER_NOTIFICATIONS } from "./methods.ts";
import { filterResult } from "./result-filter.ts";
import { methodSubject } from "./subject.ts";
import { hideSubscriptions } from "./subscriptions.ts";

export const ACKNOWLEDGED = "notifications/subscriptions/acknowledged";

/** `params` ABSENT when there are none. Answers what about it cannot be delivered to this caller. */
export function filterNotification(filtering: Filtering, method: string, params: At): string | undefined {
  const { json, asked, splice } = filtering;
  const known = SERVER_NOTIFICATIONS.get(method);
  if (known === undefined) {
    return asked.seesAll() ? undefined : `is a notification that is not known, ${method.slice(0, 64)}`;
  }
  if (known.needs !== undefined && !asked.isVisible(methodSubject(known.needs)))
    return `is ${method}, which needs a rule that allows ${known.needs}`;
  if (params === ABSENT) return undefined;
  if (method === "notifications/resources/updated" && !filtering.isReadable(params, "uri"))
    return "is about a resource that no rule lets the caller read";
  if (method === ACKNOWLEDGED) hideSubscriptions(filtering, member(json, params, "notifications"));
  if (method === "notifications/tasks") {
    const fault = filterResult(filtering, params);
    if (fault !== undefined) return fault;
  }
  const isKnown = (key: At): boolean => keyIs(json, key, "_meta") || isOneOf(json, key, known.params);
  if (!everyKey(json, params, isKnown) && !asked.seesAll()) splice.keep(params, isKnown);
  return undefined;
}
