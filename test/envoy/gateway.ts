/**
 * A real Envoy with `envoy-config/demo.yaml`, on ports that the system chooses. Beside a longer time-out, a test changes in
 * the parsed document what it is about and nothing else: what is tested is what people copy.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demoEnvoyConfig } from "../../src/cli/demo/envoy-config.ts";
import { Program, jsonLines } from "./program.ts";
import { ENVOY_PATH } from "./real-envoy.ts";

/** A configuration as it was parsed: what is changed in a test is known to be there, or the test fails. */
export type Node = Record<string, unknown>;

export type GatewayOptions = {
  /** Of Toolgate, or of what stands in for it. */
  readonly extProcPort: number;
  readonly upstreamPort: number;
  /** A JSON Web Key Set. */
  readonly keySet: string;
  readonly change?: (config: Node) => void;
  /** Where another Envoy is than the one that all tests run. */
  readonly envoy?: string;
};

const FILTER_CHAIN = ["static_resources", "listeners", 0, "filter_chains", 0];
const MANAGER = [...FILTER_CHAIN, "filters", 0, "typed_config"];

/** The one filter chain of the listener. */
export const filterChain = (config: Node): Node => at(config, FILTER_CHAIN);
/** The HTTP connection manager in it. */
export const manager = (config: Node): Node => at(config, MANAGER);
/** The route to the MCP server. */
export const firstRoute = (config: Node): Node =>
  at(manager(config), ["route_config", "virtual_hosts", 0, "routes", 0]);
/** The configuration of the ext_proc filter. */
export function extProcFilter(config: Node): Node {
  const filters = manager(config)["http_filters"] as readonly Node[];
  const filter = filters.find(({ name }) => name === "toolgate.ext_proc");
  if (filter === undefined) throw new Error("the configuration has no filter toolgate.ext_proc");
  return at(filter, ["typed_config"]);
}

function at(config: Node, path: readonly (string | number)[]): Node {
  const found = path.reduce<unknown>((node, key) => (node as Node | undefined)?.[key], config);
  if (typeof found !== "object" || found === null) throw new Error(`the configuration has no ${path.join(".")}`);
  return found as Node;
}

/** Two Envoys with hot restart share memory. The access log is what tests wait for. */
const FLAGS = "--disable-hot-restart --concurrency 2 --log-level warning --file-flush-interval-msec 10".split(" ");

export class Gateway implements AsyncDisposable {
  readonly program: Program;
  /** The port for clients. */
  readonly port: number;
  readonly #admin: string;

  private constructor(program: Program, { port, admin }: Listening) {
    this.program = program;
    this.port = port;
    this.#admin = admin;
  }

  static async start(options: GatewayOptions): Promise<Gateway> {
    const folder = await mkdtemp(join(tmpdir(), "toolgate-envoy-"));
    const addressFile = join(folder, "admin");
    const args = ["--config-yaml", await configuration(options), "--admin-address-path", addressFile, ...FLAGS];
    const program = new Program({ name: "Envoy", command: options.envoy ?? ENVOY_PATH, args });
    try {
      return new Gateway(program, await program.until("being ready", () => listening(addressFile)));
    } catch (error: unknown) {
      await program[Symbol.asyncDispose]();
      throw error;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.port}/mcp`);
  }

  get adminUrl(): string {
    return `http://${this.#admin}`;
  }

  get accessLog(): readonly Readonly<Record<string, unknown>>[] {
    return jsonLines(this.program.stdout);
  }

  /** The first access log line that has these members. */
  async logged(members: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    const wanted = Object.entries(members);
    return this.program.until(`an access log line with ${JSON.stringify(members)}`, () =>
      this.accessLog.find((line) => wanted.every(([name, value]) => line[name] === value)),
    );
  }

  /** A counter or gauge of Envoy's. */
  async stat(name: string): Promise<number> {
    const stats = await (await fetch(`${this.adminUrl}/stats?filter=^${name}$`)).text();
    return Number(stats.split(": ").at(-1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }
}

async function configuration({ extProcPort, upstreamPort, keySet, change }: GatewayOptions): Promise<string> {
  const unused = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const text = await demoEnvoyConfig(
    {
      port: 0,
      envoyAdminPort: 0,
      listen: { ...unused, port: extProcPort },
      adminListen: unused,
      serverPort: upstreamPort,
      policies: "",
      upstream: undefined,
      once: false,
      load: false,
    },
    keySet,
  );
  const config = JSON.parse(text) as Node;
  // A busy machine must not turn a slow answer into a failed one. Tests of what a time-out does set their own.
  extProcFilter(config)["message_timeout"] = "20s";
  change?.(config);
  return JSON.stringify(config);
}

type ListenerStatuses = {
  readonly listener_statuses?: readonly {
    readonly local_address: { readonly socket_address: { readonly port_value: number } };
  }[];
};

type Listening = { readonly port: number; readonly admin: string };

/** Undefined until Envoy serves. */
async function listening(addressFile: string): Promise<Listening | undefined> {
  const admin = await readFile(addressFile, "utf8").catch(() => "");
  if (admin === "") return undefined;
  const ready = await fetch(`http://${admin}/ready`).catch(() => undefined);
  await ready?.body?.cancel();
  if (ready?.status !== 200) return undefined;
  const listeners = await fetch(`http://${admin}/listeners?format=json`);
  const { listener_statuses: statuses } = (await listeners.json()) as ListenerStatuses;
  const port = statuses?.[0]?.local_address.socket_address.port_value;
  return port === undefined ? undefined : { port, admin };
}
