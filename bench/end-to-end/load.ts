/**
 * A program: autocannon with what it lacks here, latencies finer than a millisecond and calls spread over the second
 * (its own rate option sends each second's share in one burst). Sending, parsing and connections are autocannon's.
 * A process of its own, so that its CPU is not counted as anybody else's. Prints one `LoadResult`.
 */
import { performance } from "node:perf_hooks";
import autocannon from "autocannon";
import type { Client } from "autocannon";

export type LoadOptions = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly connections: number;
  readonly seconds: number;
  /** Undefined: as fast as the connections allow. */
  readonly callsPerSecond: number | undefined;
};

export type LoadResult = {
  /** From the first call to the last, the warm-up too. */
  readonly calls: number;
  readonly cpuSeconds: number;
  /** After the warm-up. */
  readonly callsPerSecond: number;
  readonly latencyMs: { readonly p50: number; readonly p90: number; readonly p99: number; readonly p999: number };
  readonly statuses: Readonly<Record<string, number>>;
  /** Connections that broke, and calls without an answer. */
  readonly errors: number;
};

const WARM_UP_MS = 500;

/** Calls at even intervals, each over an idle connection. One that has to wait for a connection is late by that much. */
class Pace {
  readonly #idle: (() => void)[] = [];
  readonly #waiting: number[] = [];
  readonly #dueMs = new WeakMap<Client, number>();

  constructor(callsPerSecond: number) {
    const startMs = performance.now();
    let sent = 0;
    setInterval(() => {
      const nowMs = performance.now();
      for (; sent < ((nowMs - startMs) * callsPerSecond) / 1000; sent++) {
        this.#waiting.push(nowMs);
        this.#idle.shift()?.();
      }
    }, 1).unref();
  }

  /** Takes the place of the method by which autocannon sends the next request over a connection. */
  govern(client: Client): void {
    const sender = client as Client & { _doRequest: () => void };
    const send = sender._doRequest.bind(client);
    const sendNext = (): void => {
      const dueMs = this.#waiting.shift();
      if (dueMs === undefined) return void this.#idle.push(sendNext);
      this.#dueMs.set(client, dueMs);
      send();
    };
    sender._doRequest = sendNext;
  }

  latencyMs(client: Client): number {
    return performance.now() - (this.#dueMs.get(client) ?? performance.now());
  }
}

function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { url, headers, body, connections, seconds } = options;
  const pace = options.callsPerSecond === undefined ? undefined : new Pace(options.callsPerSecond);
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  let calls = 0;
  let lastMs = 0;
  const { promise, resolve, reject } = Promise.withResolvers<LoadResult>();
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  const run = autocannon(
    {
      url,
      method: "POST",
      headers: { ...headers },
      body,
      connections,
      duration: seconds,
      sampleInt: 100,
      ...(pace === undefined ? {} : { setupClient: (client: Client) => pace.govern(client) }),
    },
    (error: unknown, result) => {
      if (error !== null && error !== undefined) return reject(error);
      const { user, system } = process.cpuUsage(cpu);
      resolve({
        calls,
        cpuSeconds: (user + system) / 1e6,
        callsPerSecond: (latencies.length * 1000) / (lastMs - startMs - WARM_UP_MS),
        latencyMs: percentiles(latencies),
        statuses,
        errors: result.errors + result.timeouts,
      });
    },
  );
  run.on("response", (client, status, _bytes, tookMs) => {
    calls++;
    statuses[status] = (statuses[status] ?? 0) + 1;
    lastMs = performance.now();
    if (lastMs - startMs > WARM_UP_MS) latencies.push(pace?.latencyMs(client) ?? tookMs);
  });
  return promise;
}

function percentiles(values: number[]): LoadResult["latencyMs"] {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999) };
}

const given = process.argv[2];
if (given === undefined) throw new Error("load.ts takes its options as one JSON argument: run `npm run bench`");
process.stdout.write(`${JSON.stringify(await runLoad(JSON.parse(given) as LoadOptions))}\n`, () => process.exit());
