/** A real OpenTelemetry Collector, and the spans that it has written down. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { freePort } from "../free-port.ts";
import { jsonLines, Program } from "../program.ts";
import { ENVOY_PATH } from "../real-envoy.ts";
import { findCollector } from "./build.ts";

const PATH = ENVOY_PATH === "" ? undefined : await findCollector();

export const describeWithCollector = describe.skipIf(PATH === undefined);

/** As OTLP has it in JSON, with attributes as an object. */
export type Span = {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Left out of a root. */
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
};
export const [SERVER, CLIENT] = [2, 3];
export const ERROR = 2;

export class Collector implements AsyncDisposable {
  readonly #program: Program;
  readonly #folder: string;
  readonly endpoints: { readonly grpc: string; readonly http: string };

  private constructor(program: Program, folder: string, [grpc, http]: readonly [number, number]) {
    this.#program = program;
    this.#folder = folder;
    this.endpoints = { grpc: `http://127.0.0.1:${grpc}`, http: `http://127.0.0.1:${http}` };
  }

  static async start(): Promise<Collector> {
    const folder = await mkdtemp(join(tmpdir(), "toolgate-collector-"));
    const ports = [await freePort(), await freePort()] as const;
    const config = join(folder, "config.yaml");
    await writeFile(config, configuration(join(folder, "spans.jsonl"), ports));
    const program = new Program({ name: "the Collector", command: PATH ?? "", args: ["--config", `file:${config}`] });
    for (const port of ports) await program.until("listening", () => isListening(port));
    return new Collector(program, folder, ports);
  }

  /** All spans so far. */
  async spans(): Promise<readonly Span[]> {
    const text = await readFile(join(this.#folder, "spans.jsonl"), "utf8").catch(() => "");
    return jsonLines(text).flatMap((line) => spansIn(line as Batch));
  }

  /** The spans of a trace, once there are so many; the one of kind SERVER first. */
  async trace(traceId: string, count = 1): Promise<readonly Span[]> {
    const spans = await this.#program.until(`${count} spans of the trace ${traceId}`, async () => {
      const found = (await this.spans()).filter((span) => span.traceId === traceId);
      return found.length >= count ? found : undefined;
    });
    return spans.toSorted((one, other) => one.kind - other.kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const configuration = (file: string, [grpc, http]: readonly [number, number]): string => `
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:${grpc}" }
      http: { endpoint: "127.0.0.1:${http}" }
exporters:
  file: { path: "${file}", flush_interval: 20ms }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [file] }
`;

function isListening(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("connect", () => resolve(true)).on("error", () => resolve(undefined));
    socket.on("connect", () => socket.destroy());
  });
}

type Attribute = { readonly key: string; readonly value: { readonly stringValue?: string } };
type Batch = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<Span, "attributes" | "resource"> & {
        readonly attributes: readonly Attribute[];
      })[];
    }[];
  }[];
};

const spansIn = ({ resourceSpans }: Batch): Span[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        attributes: toObject(span.attributes),
        resource: toObject(resource.attributes),
      })),
    ),
  );

const toObject = (attributes: readonly Attribute[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value]));
