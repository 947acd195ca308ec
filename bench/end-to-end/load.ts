/**
 * A program: autocannon with what it lacks here, latencies finer than a millisecond, an end that cuts no call off, and
 * calls spread over the second (its own rate option sends each second's share in one burst). Sending, parsing and
 * connections are autocannon's. A process of its own, so that its CPU is not counted as anybody else's. Prints one
 * `LoadResult`.
 */
import { performance } from "node:perf_hooks";
import autocannon from "autocannon";
import type { Client } from "autocannon";

export type LoadOptions = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The length of each answer's body. */
  readonly answerBytes: number;
  readonly connections: number;
  readonly seconds: number;
  /** For how long nothing counts that is answered. */
  readonly warmUpMs: number;
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
  /** Connections that broke, calls without an answer, and answers of another length. */
  readonly errors: number;
};

/** How late autocannon may see that the time is up. */
const STOP_WITHIN_MS = 100;
/** How long calls under way are waited for. */
const GRACE_SECONDS = 5;

/** By which autocannon sends the next request over a connection. Not part of its interface: 9.0.0 has it. */
const SEND_NEXT = "_doRequest";

type Sender = Client & Record<typeof SEND_NEXT | "destroy", () => void>;

/** When the next call is sent over a connection that has none. */
type Order = {
  govern(client: Client): void;
  /** Since when the call was due that has just been answered, in milliseconds; undefined: since it was sent. */
  latencyMs(client: Client): number | undefined;
};

/** As fast as they go. When the time is up, those under way are waited for: cut off, they would be work for nothing. */
class AtOnce implements Order {
  readonly #untilMs: number;

  constructor(seconds: number) {
    this.#untilMs = performance.now() + seconds * 1000;
  }

  govern(client: Client): void {
    const sender = client as Sender;
    const send = sender[SEND_NEXT].bind(client);
    sender[SEND_NEXT] = () => (performance.now() < this.#untilMs ? send() : sender.destroy());
  }

  latencyMs(): undefined {
    return undefined;
  }
}

/** Calls at even intervals, each over an idle connection. One that has to wait for a connection is late by that much. */
class Pace implements Order {
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

  govern(client: Client): void {
    const sender = client as Sender;
    const send = sender[SEND_NEXT].bind(client);
    const sendNext = (): void => {
      const dueMs = this.#waiting.shift();
      if (dueMs === undefined) return void this.#idle.push(sendNext);
      this.#dueMs.set(client, dueMs);
      send();
    };
    sender[SEND_NEXT] = sendNext;
  }

  latencyMs(client: Client): number {
    return performance.now() - (this.#dueMs.get(client) ?? performance.now());
  }
}

/** What was heard so far. */
class Heard {
  readonly latenciesMs: number[] = [];
  readonly statuses: Record<string, number> = {};
  readonly #fromMs: number;
  #lastMs = 0;
  calls = 0;

  constructor(warmUpMs: number) {
    this.#fromMs = performance.now() + warmUpMs;
  }

  add(status: number, tookMs: number): void {
    this.calls++;
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
    this.#lastMs = performance.now();
    if (this.#lastMs > this.#fromMs) this.latenciesMs.push(tookMs);
  }

  get callsPerSecond(): number {
    return (this.latenciesMs.length * 1000) / (this.#lastMs - this.#fromMs);
  }
}

async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { url, headers, body, answerBytes, connections, seconds, warmUpMs, callsPerSecond } = options;
  const order: Order = callsPerSecond === undefined ? new AtOnce(seconds) : new Pace(callsPerSecond);
  const load = { url, method: "POST", headers: { ...headers }, body, connections } as const;
  const duration = callsPerSecond === undefined ? seconds + GRACE_SECONDS : seconds;
  const hooks = {
    setupClient: (client: Client) => order.govern(client),
    verifyBody: (text: unknown) => typeof text === "string" && text.length === answerBytes,
  };
  const heard = new Heard(warmUpMs);
  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const run = autocannon({ ...load, ...hooks, duration, sampleInt: STOP_WITHIN_MS }, (error: unknown, result) =>
    error ? reject(error) : resolve(result),
  );
  run.on("response", (client, status, _bytes, tookMs) => heard.add(status, order.latencyMs(client) ?? tookMs));
  const cpu = process.cpuUsage();
  const result = await promise;
  const { user, system } = process.cpuUsage(cpu);
  return {
    calls: heard.calls,
    cpuSeconds: (user + system) / 1e6,
    callsPerSecond: heard.callsPerSecond,
    latencyMs: percentiles(heard.latenciesMs),
    statuses: heard.statuses,
    errors: result.errors + result.timeouts + result.mismatches,
  };
}

function percentiles(values: number[]): LoadResult["latencyMs"] {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999) };
}

const given = process.argv[2];
if (given === undefined) throw new Error("load.ts takes its options as one JSON argument: run `npm run bench`");
process.stdout.write(`${JSON.stringify(await runLoad(JSON.parse(given) as LoadOptions))}\n`, () => process.exit());
