/** A process with two servers that Envoy could ask: one with all of telemetry as `serve` has it, and one with none. */
import process from "node:process";
import { Writable } from "node:stream";
import { compiled } from "../test/fixtures/policies.ts";
import { createExtProc, EXT_PROC_PATH } from "../src/grpc/ext-proc.ts";
import { createGrpcServer } from "../src/grpc/server.ts";
import { createDecisionLog } from "../src/telemetry/decision-log.ts";
import type { Meter } from "../src/telemetry/meter.ts";
import { createRecent } from "../src/telemetry/recent.ts";
import { createTap } from "../src/telemetry/tap.ts";
import { fanOut } from "../src/telemetry/telemetry.ts";
import type { Telemetry } from "../src/telemetry/telemetry.ts";
import { createTraffic } from "../src/telemetry/traffic.ts";
import { silentMeter } from "../test/fixtures/meter.ts";
import { extProcOptions } from "../test/fixtures/services.ts";
import { create } from "../test/telemetry/samples.ts";
import { platformPolicies } from "./policies.ts";

const { policies } = compiled(platformPolicies());

async function serve(telemetry: Telemetry, meter: Meter): Promise<number> {
  const extProc = createExtProc(extProcOptions(policies, { telemetry, meter }));
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
const metrics = create({ isNamed, inForce: () => policies });
const log = createDecisionLog({ out: new Writable({ write: (_chunk, _encoding, done) => done() }) });
const on = fanOut([metrics, log, createTraffic({ isNamed }), createRecent(), createTap()]);
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
process.send?.([await serve(on, metrics.meter), await serve({ record: () => {} }, silentMeter())]);
