/**
 * Mixed load on a real Envoy and `toolgate serve` for as long as one likes, while policies change and the process is
 * stopped, killed and started anew. After each stretch of load comes a quiet point, at which every call is accounted for:
 * what was sent, what was answered, what the upstream did, what the decision log and the metrics of that process say.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Canary, inEvents, inJson } from "../envoy/canary.ts";
import type { Answer } from "../envoy/canary.ts";
import { manager } from "../envoy/gateway.ts";
import type { Node } from "../envoy/gateway.ts";
import { MEASURED, memoryOf, metric, untilMetric } from "../envoy/measured.ts";
import { CANARY_POLICIES, CANARY_SERVER, policyFor } from "../envoy/policies.ts";
import type { Program } from "../envoy/program.ts";
import { jsonLines } from "../envoy/program.ts";
import { startStack } from "../envoy/stack.ts";
import type { Stack } from "../envoy/stack.ts";
import { ALL_KINDS, call, isAnswered, isCutOff, isLeak, isRecorded } from "./calls.ts";
import type { AnswerForm, Call, Caller, Kind } from "./calls.ts";

const CALLS_PER_STRETCH = 500;
const CONCURRENCY = 16;
const RETRY_MS = 20;

/** What the process may hold more at the end than in its first stretches: compiled code and tables that grow once. */
const HEAP_MARGIN_BYTES = 8 * 2 ** 20;

const WIDER = [CANARY_SERVER, policyFor("reader", '[{ tools: ["allowed*", "extra*"] }]')].join("---");
const INVALID = [CANARY_SERVER, policyFor("reader", '[{ tool: ["*"] }]'), "\nkind: ["].join("---");
const EDITS = [CANARY_POLICIES, WIDER, INVALID] as const;

/** Ids as callers choose them, so that a call is found again; and no second log of what is asserted here anyway. */
function withIdsOfCallers(config: Node): void {
  manager(config)["preserve_external_request_id"] = true;
  delete manager(config)["access_log"];
}

const answer: Answer = (message, response) => {
  const form = (message.params?.["_meta"] as { answer?: AnswerForm } | undefined)?.answer;
  if (form === "idle") inEvents({ method: "GET" }, response);
  else if (form === "events") inEvents(message, response);
  else inJson(message, response);
};

export type SoakOptions = { readonly seed: number; readonly seconds: number };

export type SoakReport = {
  calls: number;
  readonly kinds: Partial<Record<Kind, number>>;
  stretches: number;
  edits: number;
  stops: number;
  kills: number;
  /** Calls that were not answered because the process was gone or going. */
  unanswered: number;
  /** Calls that were answered, and whose lines were still in a process that was killed. */
  unlogged: number;
  /** In bytes: the least after one of the first three stretches of a process, and at its end. */
  readonly heap: { readonly atFirst: number; readonly atLast: number; readonly calls: number }[];
};

/** Half of the time with one process, to see what adds up; then with ones that end, by SIGTERM and SIGKILL in turn. */
export async function soak({ seed, seconds }: SoakOptions): Promise<SoakReport> {
  await using canary = await Canary.start();
  await using stack = await startStack({
    policies: CANARY_POLICIES,
    upstreamPort: canary.port,
    change: withIdsOfCallers,
    flags: ["--drain-seconds", "2"],
    env: MEASURED,
  });
  const tokens = { reader: await stack.token("reader"), stranger: await stack.token("stranger") };
  const run = new Soak(canary, stack, { url: stack.gateway.url, tokens }, randomFrom(seed));
  const startedAt = performance.now();
  const hasTimeUntil = (share: number): boolean => performance.now() - startedAt < seconds * 1000 * share;
  await run.live(() => hasTimeUntil(0.5));
  do {
    await run.endInTheMiddle("SIGTERM");
    await run.live(() => false);
    await run.endInTheMiddle("SIGKILL");
    await run.live(() => false);
  } while (hasTimeUntil(1));
  return run.report;
}

class Soak {
  readonly #canary: Canary;
  readonly #stack: Stack;
  readonly #caller: Caller;
  readonly #random: (below: number) => number;
  /** How much of the decision log of this process has been read, in characters. */
  #read = 0;
  /** What this process has counted, at the last quiet point. */
  #counted = 0;
  /** Calls of which a record may come at any time: their callers have left before Toolgate knew of them. */
  readonly #mayCome = new Set<string>();
  readonly report: SoakReport = {
    calls: 0,
    kinds: {},
    stretches: 0,
    edits: 0,
    stops: 0,
    kills: 0,
    unanswered: 0,
    unlogged: 0,
    heap: [],
  };

  constructor(canary: Canary, stack: Stack, caller: Caller, random: (below: number) => number) {
    this.#canary = canary;
    this.#stack = stack;
    this.#caller = caller;
    this.#random = random;
    canary.answer = answer;
  }

  /** Load and quiet points, at least three, with policies that change; the same process all the time. */
  async live(goesOn: () => boolean): Promise<void> {
    const { toolgate } = this.#stack;
    let [atFirst, atLast, calls] = [0, 0, 0];
    for (let stretch = 0; stretch < 3 || goesOn(); stretch++) {
      const made = await this.#load(() => this.#edit(EDITS[this.#random(EDITS.length)] ?? CANARY_POLICIES));
      for (const one of made)
        if (!isAnswered(one) && !isCutOff(one)) throw new Error(`not as it must be: ${JSON.stringify(one)}`);
      await this.#settle(made);
      calls += made.length;
      atLast = (await memoryOf(toolgate)).liveBytes;
      if (stretch < 3) atFirst = stretch === 0 ? atLast : Math.min(atFirst, atLast);
    }
    this.report.heap.push({ atFirst, atLast, calls });
    if (atLast - atFirst > HEAP_MARGIN_BYTES)
      throw new Error(`the heap has grown from ${atFirst} to ${atLast} bytes in ${calls} calls`);
  }

  /** Ends the process under load and starts it anew; what it has answered until then must be on record. */
  async endInTheMiddle(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const { toolgate } = this.#stack;
    await this.#edit(CANARY_POLICIES);
    const ending = toolgate.program;
    const made = await this.#load(async () => {
      ending.signal(signal);
      const code = await ending.exitCode();
      if (signal === "SIGTERM" && code !== 0) throw new Error(`Toolgate has ended with ${code} after SIGTERM`);
      await toolgate.restart();
    });
    const left = linesOf(ending, this.#read);
    expectNothingUnexpected(ending);
    [this.#read, this.#counted] = [0, 0];
    made.push(...(await this.#untilServed()));
    const without = await this.#settle(made, left);
    if (signal === "SIGTERM" && without > 0) throw new Error(`${without} answered calls are not on record`);
    this.report.unlogged += without;
    this.report[signal === "SIGTERM" ? "stops" : "kills"]++;
  }

  /** Some hundred calls of all kinds; `event` happens in the middle of them, and has happened when they are over. */
  async #load(event: () => Promise<void>): Promise<Call[]> {
    const made: Call[] = [];
    const events: Promise<void>[] = [];
    const progress = { begun: 0, isOver: false };
    const work = async (): Promise<void> => {
      while (progress.begun < CALLS_PER_STRETCH || !progress.isOver) {
        if (++progress.begun === CALLS_PER_STRETCH / 2) events.push(event().finally(() => (progress.isOver = true)));
        const one = await this.#call(ALL_KINDS[this.#random(ALL_KINDS.length)] ?? "allowed");
        made.push(one);
        if (!isAnswered(one)) await sleep(RETRY_MS);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    await Promise.all(events);
    this.report.stretches++;
    return made;
  }

  async #call(kind: Kind): Promise<Call> {
    const one = await call(this.#caller, kind, ++this.report.calls);
    this.report.kinds[kind] = (this.report.kinds[kind] ?? 0) + 1;
    if (isLeak(one)) throw new Error(`hidden, and shown: ${JSON.stringify(one)}`);
    if (!isRecorded(one)) this.#mayCome.add(one.id);
    return one;
  }

  async #edit(policies: string): Promise<void> {
    this.report.edits++;
    await this.#stack.toolgate.edit(policies);
  }

  /** Envoy may need some time to notice that Toolgate is there again. */
  async #untilServed(): Promise<Call[]> {
    const made: Call[] = [];
    await this.#stack.toolgate.program.until("a call that is served", async () => {
      const one = await this.#call("allowed");
      made.push(one);
      return isAnswered(one) || undefined;
    });
    return made;
  }

  /**
   * Waits until nothing is under way, and accounts for all calls since the last time; `earlier` is what a process that
   * has ended since then had logged. Returns how many calls were answered and are not on record.
   */
  async #settle(made: readonly Call[], earlier: readonly string[] = []): Promise<number> {
    const { toolgate } = this.#stack;
    await untilMetric(toolgate, "toolgate_open_exchanges", 0);
    await untilMetric(toolgate, "toolgate_held_bytes", 0);
    const lines = await toolgate.program.until("a line for each call that is counted", async () => {
      const counted = (await metric(toolgate, "toolgate_requests_total")) - this.#counted;
      const found = linesOf(toolgate.program, this.#read);
      return found.length === counted ? found : undefined;
    });
    this.#counted += lines.length;
    this.#read = toolgate.program.stdout.length;
    expectNothingUnexpected(toolgate.program);
    this.#checkUpstream();

    const logged = [...earlier, ...lines];
    const onRecord = new Set(logged);
    if (onRecord.size !== logged.length) throw new Error("a call is on record twice");
    const sent = new Set(made.map(({ id }) => id));
    const strange = logged.filter((id) => !sent.has(id) && !this.#mayCome.has(id));
    if (strange.length > 0) throw new Error(`on record, and not sent: ${strange.join(", ")}`);
    this.report.unanswered += made.filter((one) => !isAnswered(one)).length;
    const without = made.filter((one) => isRecorded(one) && isAnswered(one) && !onRecord.has(one.id));
    if (without.length > 0 && earlier.length === 0) throw new Error(`not on record: ${JSON.stringify(without)}`);
    return without.length;
  }

  /** Whatever is called `hidden`, whoever asked and however it ended, has not been asked of the upstream. */
  #checkUpstream(): void {
    const executed = this.#canary.executed.map(({ params }) => String(params?.["name"]));
    const wrong = executed.filter((name) => name.startsWith("hidden"));
    if (wrong.length > 0) throw new Error(`denied, and executed: ${wrong.join(", ")}`);
    this.#canary.forget();
    this.#canary.answer = answer;
  }
}

/** The request ids in a decision log. */
const linesOf = ({ stdout }: Program, from: number): string[] =>
  jsonLines(stdout.slice(from)).map((line) => String(line["request_id"]));

/** Everything a process has said on stderr: news, what is wrong with the policies of the test, and its memory. */
function expectNothingUnexpected({ stderr }: Program): void {
  const isExpected = (line: string): boolean =>
    line === "" || /^\{"(level":"info"|level":"error".*"msg":"policy: |msg":"memory")/.test(line);
  const unexpected = stderr.split("\n").filter((line) => !isExpected(line));
  if (unexpected.length > 0) throw new Error(`on stderr: ${unexpected.join("\n")}`);
}

/** Mulberry32: whole numbers from 0, the same ones for the same seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
