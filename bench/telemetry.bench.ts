/** telemetry: one record into the metrics, and into the decision log with its share of a write that costs nothing. */
import { Writable } from "node:stream";
import { EMPTY_POLICY_SET } from "../src/core/policy/policy-set.ts";
import { createDecisionLog } from "../src/telemetry/decision-log.ts";
import { createMetrics } from "../src/telemetry/metrics.ts";
import { callRecord } from "./exchange.bench.ts";
import type { Micro } from "./micro.ts";

const record = callRecord();
const metrics = createMetrics({
  version: "0.0.0",
  isNamed: () => true,
  inForce: () => EMPTY_POLICY_SET,
  policy: () => ({ generation: 1, servers: 5, policies: 10, rules: 50, invalid: 0, problems: 0, lastSyncedAtMs: 0 }),
  decisionLogDropped: () => 0,
  decisionLogQueuedBytes: () => 0,
  certificateExpiresAtMs: () => undefined,
  load: () => undefined,
  isLogKept: () => true,
});
const log = createDecisionLog({ out: new Writable({ write: (_chunk, _encoding, done) => done() }) });
const LINES = 20;

export const telemetryBenches: readonly Micro[] = [
  { name: "metrics, one record", run: () => metrics.record(record) },
  {
    name: `decision log, ${LINES} records and their write`,
    async run() {
      for (let i = 0; i < LINES; i++) log.record(record);
      await new Promise((resolve) => void setImmediate(resolve));
    },
  },
];
