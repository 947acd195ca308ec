/** Traces as they are configured. What they need is loaded only when they are on. */
import type { Logger } from "pino";
import type { Config } from "../config/options.ts";
import type { Traces } from "../telemetry/traces/traces.ts";
import { oncePerMinute } from "./once-per-minute.ts";
import { VERSION } from "./version.ts";

/** Undefined: they are off. */
export async function startTraces(config: Config, log: Logger): Promise<Traces | undefined> {
  const { traces: mode, otlpEndpoint, otlpProtocol, traceSampling: ratio } = config;
  if (mode === "off") return undefined;
  const { createExporter, createTraces } = await import("../telemetry/traces/traces.ts");
  const onFault = oncePerMinute((why) => log.warn({ why }, "spans are lost: the collector has not taken them"));
  const exporter = createExporter(otlpProtocol, otlpEndpoint);
  return createTraces({ version: VERSION, mode, ratio, exporter, onFault: ({ message }) => onFault(message) });
}
