/**
 * Everything that one run needs, started and checked: the upstream, the no-op processor, Toolgate (and other checkouts of
 * it), and one Envoy with one worker and a listener for each way to the upstream.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createCallers } from "../../src/cli/demo/callers.ts";
import { findEnvoy } from "../../src/cli/envoy-binary.ts";
import { platformPolicies } from "../policies.ts";
import { benchEnvoyConfig } from "./envoy-config.ts";
import type { Listener } from "./envoy-config.ts";
import { CALL, NOTIFICATION, requestHeaders, TOOL_RESULT } from "./messages.ts";
import type { Load } from "./messages.ts";
import { freePorts, ownProgram, Processes } from "./processes.ts";

/** One way from the load to the upstream, and who takes part in it. */
export type Way = {
  readonly name: string;
  readonly load: Load;
  readonly url: string;
  readonly envoyPid: number | undefined;
  readonly processorPid: number | undefined;
};

export type Testbed = AsyncDisposable & {
  readonly ways: readonly Way[];
  readonly headers: Readonly<Record<string, string>>;
  readonly upstreamPid: number;
};

export type TestbedOptions = {
  /** Other checkouts, each measured as a way of its own. */
  readonly against: readonly string[];
  /** Where Toolgate leaves a CPU profile when it ends. */
  readonly profileInto: string | undefined;
};

export const TOOLGATE = "Toolgate";
export const NO_OP = "no-op ext_proc";
export const ENVOY_ALONE = "Envoy alone";

type Processor = {
  readonly name: string;
  readonly pid: number;
  readonly ports: Readonly<Record<Load["name"], number>>;
};

export async function startTestbed(options: TestbedOptions): Promise<Testbed> {
  await using stack = new AsyncDisposableStack();
  const processes = stack.use(new Processes());
  const policies = join(import.meta.dirname, "..", "results", "policies");
  await mkdir(policies, { recursive: true });
  const documents = platformPolicies().map((document) => JSON.stringify(document));
  await writeFile(join(policies, "policies.yaml"), documents.join("\n---\n"));

  const upstream = await processes.start("the upstream", ownProgram("upstream"), "stdout", toPorts);
  const [upstreamPort = 0] = upstream.ready;
  const processors = [await startNoOp(processes)];
  const profile = options.profileInto === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", options.profileInto];
  processors.push(await startToolgate(processes, TOOLGATE, profile, join(import.meta.dirname, "..", ".."), policies));
  for (const checkout of options.against) {
    processors.push(await startToolgate(processes, `${TOOLGATE} of ${checkout}`, [], checkout, policies));
  }
  const callers = await createCallers();
  const envoy = await startEnvoy(processes, upstreamPort, processors, callers.keySet);
  const headers = requestHeaders(callers.tokens.reader);
  const direct = { name: "direct", url: urlAt(upstreamPort), envoyPid: undefined, processorPid: undefined, load: CALL };
  const ways = [direct, ...envoy];
  for (const way of ways) await check(way, headers);
  const started = stack.move();
  return { ways, headers, upstreamPid: upstream.pid, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

const urlAt = (port: number): string => `http://127.0.0.1:${port}/mcp`;
const toPorts = (line: string): readonly number[] => JSON.parse(line) as number[];

async function startNoOp(processes: Processes): Promise<Processor> {
  const { pid, ready } = await processes.start("the no-op processor", ownProgram("no-op"), "stdout", toPorts);
  const [call = 0, notification = 0] = ready;
  return { name: NO_OP, pid, ports: { call, notification } };
}

/** As in production, with the decision log on: it goes where nobody reads it. */
async function startToolgate(
  processes: Processes,
  name: string,
  nodeOptions: readonly string[],
  checkout: string,
  policies: string,
): Promise<Processor> {
  const main = join(checkout, "src", "main.ts");
  const listen = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
  const command = [process.execPath, ...nodeOptions, main, "serve", "--policies", policies, ...listen] as const;
  const { pid, ready: port } = await processes.start(name, command, "stderr", listenPort);
  return { name, pid, ports: { call: port, notification: port } };
}

/** From its log line "ready". */
const listenPort = (line: string): number | undefined => {
  const found = /"listen":"127\.0\.0\.1:(\d+)".*"msg":"ready"/.exec(line)?.[1];
  return found === undefined ? undefined : Number(found);
};

async function startEnvoy(
  processes: Processes,
  upstreamPort: number,
  processors: readonly Processor[],
  keySet: string,
): Promise<readonly Way[]> {
  const found = await findEnvoy({ env: process.env, report: (line) => void process.stderr.write(`${line}\n`) });
  if (!found.ok) throw new Error(found.error);
  const asked = processors.flatMap((processor) => [CALL, NOTIFICATION].map((load) => ({ processor, load })));
  const [adminPort = 0, alonePort = 0, ...ports] = await freePorts(asked.length + 2);
  const ways = asked.map(({ processor, load }, i) => ({ processor, load, port: ports[i] ?? 0 }));
  const listeners: Listener[] = [
    { name: "alone", port: alonePort, processorPort: undefined },
    ...ways.map(({ processor, load, port }, i) => ({
      name: `way${i}`,
      port,
      processorPort: processor.ports[load.name],
    })),
  ];
  const config = await benchEnvoyConfig({ adminPort, upstreamPort, listeners }, keySet);
  const flags = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "info"];
  const command = [found.value.path, "--config-yaml", config, ...flags] as const;
  const { pid } = await processes.start("Envoy", command, "stderr", (line) =>
    line.includes("all dependencies initialized. starting workers") ? true : undefined,
  );
  return [
    { name: ENVOY_ALONE, load: CALL, url: urlAt(alonePort), envoyPid: pid, processorPid: undefined },
    ...ways.map(({ processor, load, port }) => ({
      name: processor.name,
      load,
      url: urlAt(port),
      envoyPid: pid,
      processorPid: processor.pid,
    })),
  ];
}

/** A refused call is answered faster than an allowed one, and must not be what is measured. */
async function check({ name, url, load }: Way, headers: Readonly<Record<string, string>>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const response = await fetch(url, { method: "POST", headers, body: load.body });
    const body = await response.text();
    if (response.status === load.status && body === (load.status === 200 ? TOOL_RESULT : "")) return;
    // Envoy's connections to its processors are made with the first calls.
    if (attempt === 20) throw new Error(`${name}: a ${load.name} was answered with ${response.status} ${body}`);
    await sleep(50);
  }
}
