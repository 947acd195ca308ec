/** telemetry: one record into the metrics, and into the decision log with its share of a write that costs nothing. */
import { Writable } from "node:stream";
import { createDecisionLog } from "../src/telemetry/decision-log.ts";
import { callRecord } from "./exchange.bench.ts";
import type { Micro } from "./micro.ts";
import { create } from "../test/telemetry/samples.ts";

const record = callRecord();
const metrics = create({ isNamed: () => true });
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
