/** A process of its own, as Node reads CAs only when it starts: sends one span as `serve` would, and prints what came of it. */
import { resourceFromAttributes } from "@opentelemetry/resources";
import { newIds } from "../../../src/telemetry/traces/sampling.ts";
import { spansOf } from "../../../src/telemetry/traces/spans.ts";
import { createExporter } from "../../../src/telemetry/traces/traces.ts";
import { record } from "../records.ts";

const [, , protocol, endpoint = ""] = process.argv;
const maker = { resource: resourceFromAttributes({}), instrumentationScope: { name: "toolgate" } };
const exporter = createExporter(protocol === "grpc" ? "grpc" : "http", endpoint);
const said = exporter.send(spansOf(record(), newIds(undefined, false), maker)).then(
  () => "taken",
  (error: unknown) => String(error),
);
process.stdout.write(await said);
await exporter.close();
