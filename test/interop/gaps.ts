/**
 * What does not yet pass through Toolgate as it does without. Each is run all the same, by a test that fails as soon as it
 * passes: then its line goes.
 */
import { eraOf } from "./peers.ts";
import type { ClientPeer, ServerPeer } from "./peers.ts";
import type { Era } from "./scenario.ts";

export type Gap = {
  readonly scenario: string;
  readonly era: Era;
  /** Undefined for all SDKs of the era. */
  readonly sdks?: readonly string[];
  readonly because: string;
};

export const GAPS: readonly Gap[] = [
  { scenario: "resource: update", era: "legacy", because: "`resources/subscribe` is refused as not known" },
  { scenario: "resource: update", era: "modern", because: "`subscriptions/listen` is refused as not known" },
  { scenario: "list_changed", era: "modern", because: "`subscriptions/listen` is refused as not known" },
  {
    scenario: "task",
    era: "legacy",
    sdks: ["ts-v1", "py-v1"],
    because: "`tools/call` with the parameter `task` is refused",
  },
];

/** Why a scenario is not the same between these two, or undefined when it has to be. */
export function gapOf(scenario: string, client: ClientPeer, server: ServerPeer): Gap | undefined {
  const era = eraOf(client, server);
  const plays = ({ sdks = [client.id, server.id] }: Gap): boolean =>
    sdks.includes(client.id) && sdks.includes(server.id);
  // The Inspector's command line has none of these.
  if (client.id === "inspector") return undefined;
  return GAPS.find((gap) => gap.scenario === scenario && gap.era === era && plays(gap));
}
