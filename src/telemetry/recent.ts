/** The last calls that policy refused, or would have refused in Enforce mode. */
import type { ExchangeRecord } from "../core/exchange/record.ts";
import type { Telemetry } from "./telemetry.ts";

export type Recent = Telemetry & {
  /** Newest first. */
  list(): readonly ExchangeRecord[];
};

export function createRecent(most = 100): Recent {
  const records: ExchangeRecord[] = [];
  let at = 0;
  return {
    record(record) {
      if (record.decision === "allow") return;
      records[at] = record;
      at = (at + 1) % most;
    },
    list: () => [...records.slice(0, at).toReversed(), ...records.slice(at).toReversed()],
  };
}
