/** A process with two servers that Envoy could ask: one with all of telemetry as `serve` has it, and one with none. */
import process from "node:process";
import { Writable } from "node:stream";
import { DEFAULT_LIMITS } from "../src/core/limits.ts";
import { compile } from "../src/core/policy/compile.ts";
import { createExtProc, EXT_PROC_PATH } from "../src/grpc/ext-proc.ts";
import { Load } from "../src/grpc/load.ts";
import { createGrpcServer } from "../src/grpc/server.ts";
import { createLatest } from "../src/policies/latest.ts";
import { createDecisionLog } from "../src/telemetry/decision-log.ts";
import type { Meter } from "../src/telemetry/meter.ts";
import { createMetrics } from "../src/telemetry/metrics.ts";
import { createRecent } from "../src/telemetry/recent.ts";
import { createTap } from "../src/telemetry/tap.ts";
import { fanOut } from "../src/telemetry/telemetry.ts";
import type { Telemetry } from "../src/telemetry/telemetry.ts";
import { createTraffic } from "../src/telemetry/traffic.ts";
import { platformPolicies } from "./policies.ts";

const { policies } = compile(platformPolicies(), [], { trustDomain: "cluster.local" });

async function serve(telemetry: Telemetry, meter: Meter): Promise<number> {
  const extProc = createExtProc({
    policies: createLatest(policies),
    telemetry,
    meter,
    beliefs: [],
    unmatched: "refuse",
    limits: DEFAULT_LIMITS,
    load: new Load({ maxStreams: 10_000, maxHeldBytes: 2 ** 30, isAudited: () => true, onRefused: () => {} }),
    jwtPayloadKey: "payload",
    trust: { workload: "peer", trustDomain: "cluster.local" },
    onMisconfigured: (message) => {
      throw new Error(message);
    },
  });
  const handlers = new Map([[EXT_PROC_PATH, extProc]]);
  const onFault = (fault: unknown): never => {
    throw fault;
  };
  const address = await createGrpcServer({ handlers, maxMessageBytes: 2 ** 22, onFault }).listen({
    host: "127.0.0.1",
    port: 0,
  });
  if ("path" in address) throw new Error("a socket where a port was asked for");
  return address.port;
}

const { isNamed } = policies;
const metrics = createMetrics({
  version: "0.0.0",
  isNamed,
  inForce: () => policies,
  policy: () => ({ ...policies.counts, generation: 1, lastSyncedAtMs: 0, problems: 0 }),
  decisionLogDropped: () => 0,
  decisionLogQueuedBytes: () => 0,
  certificateExpiresAtMs: () => undefined,
  load: () => undefined,
  isLogKept: () => true,
});
const log = createDecisionLog({ out: new Writable({ write: (_chunk, _encoding, done) => done() }) });
const on = fanOut([metrics, log, createTraffic({ isNamed }), createRecent(), createTap()]);
const nothing = (): void => {};
const silent: Meter = {
  open: new Set(),
  processed: nothing,
  streamEvents: nothing,
  streamEnded: nothing,
  streamResumed: nothing,
};

process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
process.send?.([await serve(on, metrics.meter), await serve({ record: nothing }, silent)]);
