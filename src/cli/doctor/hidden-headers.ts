/** Headers that a filter does not show to Toolgate. What is not shown goes on unjudged. */
import { isJudged } from "../../core/mcp/headers.ts";
import type { Finding, Place } from "./place.ts";

export function hiddenHeaders(allowed: Place, disallowed: Place): readonly Finding[] {
  const hidden = disallowed.at("patterns").items.filter((pattern) => {
    const name = pattern.at("exact").text;
    return name === undefined || isJudged(name.toLowerCase());
  });
  return [
    ...(allowed.isThere ? [{ at: allowed, message: "leave it out: Toolgate judges requests by headers too" }] : []),
    ...hidden.map((at) => ({ at, message: "take it out: Toolgate judges requests by headers too" })),
  ];
}
