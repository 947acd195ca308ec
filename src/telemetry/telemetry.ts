/**
 * Where the records go: every reader (metrics, decision log, spans) takes the same value, and nobody upstream
 * knows which readers there are.
 */
import type { ExchangeRecord } from "../core/exchange/record.ts";

export type Telemetry = {
  /** Called once for each call that has ended, on the path of the next one: it neither waits nor throws. */
  record(record: ExchangeRecord): void;
};

/** Why an exchange was not taken on: too many are open, too much is held, or nothing is kept of what is decided. */
export type Overload = "streams" | "memory" | "audit";

type Complete = (record: ExchangeRecord) => ExchangeRecord;

/** Hands each record to all readers, in this order. `complete`: adds what they all are to know. */
export const fanOut = (readers: readonly Telemetry[], complete: Complete = (record) => record): Telemetry => ({
  record(record) {
    const completed = complete(record);
    for (const reader of readers) reader.record(completed);
  },
});
