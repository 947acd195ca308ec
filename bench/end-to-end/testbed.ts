/**
 * Everything that one run needs, started and checked: the upstream, the no-op processor, Toolgate (and other checkouts of
 * it), and one Envoy with one worker and a listener for each way to the upstream.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createCallers } from "../../src/cli/demo/callers.ts";
import { findEnvoy } from "../../src/cli/envoy-binary.ts";
import { platformPolicies } from "../policies.ts";
import { benchEnvoyConfig } from "./envoy-config.ts";
import type { Listener } from "./envoy-config.ts";
import { answerText, isRead, requestHeaders } from "./messages.ts";
import type { Load } from "./messages.ts";
import { freePorts, ownProgram, Processes } from "./processes.ts";

/** One way from the load to the upstream, and who takes part in it. */
export type Way = {
  readonly name: string;
  readonly load: Load;
  /** The body that has to come through. */
  readonly answer: string;
  readonly url: string;
  readonly envoyPid: number | undefined;
  readonly processorPid: number | undefined;
  /** How many messages Envoy has sent to the processor over this way. */
  readonly messages: () => Promise<number | undefined>;
};

export type Testbed = AsyncDisposable & {
  readonly ways: readonly Way[];
  readonly headers: (load: Load) => Readonly<Record<string, string>>;
  readonly upstreamPid: number;
};

export type TestbedOptions = {
  readonly loads: readonly Load[];
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
  readonly port: (load: Load) => number;
  /** Lists come through filtered. */
  readonly filters: boolean;
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
  const envoy = await startEnvoy(processes, upstreamPort, processors, options.loads, callers.keySet);
  const headers = ({ host }: Load): Readonly<Record<string, string>> => ({
    ...requestHeaders(callers.tokens.reader),
    ...(host === undefined ? {} : { host }),
  });
  const direct = options.loads.filter(isRead).map((load): Way => ({
    name: "direct",
    load,
    answer: answerText(load),
    url: urlAt(upstreamPort),
    envoyPid: undefined,
    processorPid: undefined,
    messages: () => Promise.resolve(undefined),
  }));
  const ways = [...direct, ...envoy];
  for (const way of ways) await check(way, headers(way.load));
  const started = stack.move();
  return { ways, headers, upstreamPid: upstream.pid, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

const urlAt = (port: number): string => `http://127.0.0.1:${port}/mcp`;
const toPorts = (line: string): readonly number[] => JSON.parse(line) as number[];

async function startNoOp(processes: Processes): Promise<Processor> {
  const { pid, ready } = await processes.start("the no-op processor", ownProgram("no-op"), "stdout", toPorts);
  const [read = 0, decidedOnly = 0] = ready;
  return { name: NO_OP, pid, port: (load) => (isRead(load) ? read : decidedOnly), filters: false };
}

/** As in production, with the decision log on: it goes where nobody reads it. */
async function startToolgate(
  processes: Processes,
  name: string,
  nodeOptions: readonly string[],
  checkout: string,
  policies: string,
): Promise<Processor> {
  const main = resolve(checkout, "src", "main.ts");
  const listen = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
  const command = [process.execPath, ...nodeOptions, main, "serve", "--policies", policies, ...listen] as const;
  const { pid, ready: port } = await processes.start(name, command, "stderr", listenPort);
  return { name, pid, port: () => port, filters: true };
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
  loads: readonly Load[],
  keySet: string,
): Promise<readonly Way[]> {
  const found = await findEnvoy({ env: process.env, report: (line) => void process.stderr.write(`${line}\n`) });
  if (!found.ok) throw new Error(found.error);
  const asked = processors.flatMap((processor) => loads.map((load) => ({ processor, load })));
  const [adminPort = 0, alonePort = 0, ...ports] = await freePorts(asked.length + 2);
  const ways = asked.map(({ processor, load }, i) => ({ processor, load, name: `way${i}`, port: ports[i] ?? 0 }));
  const listeners: Listener[] = [
    { name: "alone", port: alonePort, processorPort: undefined },
    ...ways.map(({ processor, load, name, port }) => ({ name, port, processorPort: processor.port(load) })),
  ];
  const config = await benchEnvoyConfig({ adminPort, upstreamPort, listeners }, keySet);
  const flags = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "info"];
  const command = [found.value.path, "--config-yaml", config, ...flags] as const;
  const { pid } = await processes.start("Envoy", command, "stderr", (line) =>
    line.includes("all dependencies initialized. starting workers") ? true : undefined,
  );
  const alone = loads.filter(isRead).map((load): Way => ({
    name: ENVOY_ALONE,
    load,
    answer: answerText(load),
    url: urlAt(alonePort),
    envoyPid: pid,
    processorPid: undefined,
    messages: () => Promise.resolve(undefined),
  }));
  const through = ways.map(({ processor, load, name, port }): Way => ({
    name: processor.name,
    load,
    answer: (processor.filters ? load.shown : undefined) ?? answerText(load),
    url: urlAt(port),
    envoyPid: pid,
    processorPid: processor.pid,
    messages: () => messagesSent(adminPort, name),
  }));
  return [...alone, ...through];
}

/** By Envoy's own count. */
async function messagesSent(adminPort: number, listener: string): Promise<number> {
  const name = `http.${listener}.ext_proc.stream_msgs_sent`;
  const stats = await (await fetch(`http://127.0.0.1:${adminPort}/stats?filter=^${name}$`)).text();
  return Number(stats.slice(stats.indexOf(":") + 1));
}

/** A refused call is answered faster than an allowed one, and a list faster that lacks more: neither must be measured. */
async function check({ name, url, load, answer }: Way, headers: Readonly<Record<string, string>>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const response = await fetch(url, { method: "POST", headers, body: load.body });
    const body = await response.text();
    if (response.status === 200 && body === answer) return;
    // Envoy's connections to its processors are made with the first calls.
    if (attempt === 20) {
      const got = `${response.status} and ${body.length} bytes, ${body.slice(0, 200)}`;
      throw new Error(`${name}: ${load.name} was answered with ${got}`);
    }
    await sleep(50);
  }
}
