/**
 * What went by in the last minutes, for whoever asks this process: `toolgate stat` and its kin, and the page. Counted in
 * slots of ten seconds, under label values that are bounded as those of the metrics are: a caller's inventions take no
 * room, and everything together takes at most 10 MB.
 */
import { performance } from "node:perf_hooks";
import type { ExchangeRecord } from "../core/exchange/record.ts";
import { absenceReason, isAbsent } from "../core/identity/identity.ts";
import type { Identity } from "../core/identity/identity.ts";
import { createLabelSets } from "./label-sets.ts";
import { createLabels, isOperation } from "./labels.ts";
import type { LabelOptions } from "./labels.ts";
import { BOUNDS_SECONDS, BUCKETS, bucketOf } from "./latency.ts";
import type { Latency } from "./latency.ts";
import { classOf } from "./outcome-class.ts";
import type { OutcomeClass } from "./outcome-class.ts";
import type { Telemetry } from "./telemetry.ts";

const KEY = ["server", "method", "name", "result", "decision", "policy", "rule", "mode", "caller", "identity"] as const;

/** What calls are told apart by. `name`: of the tool or the prompt. */
export type TrafficKey = Readonly<Record<(typeof KEY)[number], string>> & { readonly result: OutcomeClass };

/** Calls that are alike. */
export type TrafficRow = TrafficKey & {
  readonly requests: number;
  /** Let through by a policy in Audit mode, which would have refused them. */
  readonly audited: number;
  /** Of those that have ended as they should be timed: answered by the server, and no stream. */
  readonly latency: Latency;
};

export type Window = { readonly seconds: number; readonly rows: readonly TrafficRow[] };

/** Calls that are alike, slot by slot. */
export type TrafficSeries = TrafficKey & {
  readonly slots: readonly { readonly requests: number; readonly latency: Latency }[];
};

export type History = {
  readonly slotSeconds: number;
  /** When each began, in seconds since 1970. Only those that have ended. */
  readonly slots: readonly number[];
  readonly series: readonly TrafficSeries[];
};

export type RuleHits = { readonly allowed: number; readonly denied: number; readonly audited: number };

export type Traffic = Telemetry & {
  /** The rows of the last seconds, and as many more as the slot holds in which they began. */
  window(seconds: number): Window;
  history(seconds: number): History;
  /** Since the start. Undefined: never. */
  hits(policy: string, rule: string): RuleHits | undefined;
};

export type TrafficOptions = Pick<LabelOptions, "isNamed"> & {
  /** Never set back, unlike the time of day. */
  readonly nowMs?: () => number;
  readonly maxRows?: number;
};

const SLOT_MS = 10_000;
/** The longest window, the slot it begins in, and the one that runs. */
const SLOTS = 32;
export const MAX_WINDOW_SECONDS = ((SLOTS - 2) * SLOT_MS) / 1_000;
const IDLE_MS = 10 * 60_000;
/** Policies come and go: what is counted of rules that are not there any more is let go of. */
const MAX_RULES = 10_000;

/** Costs 0.9 us a record (Node 24, 50 callers, 20 tools). */
export function createTraffic(options: TrafficOptions): Traffic {
  const { nowMs = () => performance.now(), maxRows = 2_000 } = options;
  const labels = createLabels({ isNamed: options.isNamed, onOverflow, maxNamesPerServer: 200, maxCallers: 500 });
  const closed = ["result", "decision", "mode"] as const;
  const sets = createLabelSets({ names: KEY, closed, cap: maxRows, create: createRing, onOverflow });
  const rules = new Map<string, Map<string, { allowed: number; denied: number; audited: number }>>();
  const startedAtMs = nowMs();
  let lastSlot = 0;
  const slotOf = (ms: number): number => Math.floor((ms - startedAtMs) / SLOT_MS);

  const hit = ({ rule: { policy, rule }, decision }: ExchangeRecord): void => {
    let ofPolicy = rules.get(policy);
    if (ofPolicy === undefined) {
      if (rules.size >= MAX_RULES) rules.clear();
      rules.set(policy, (ofPolicy = new Map()));
    }
    let hits = ofPolicy.get(rule);
    if (hits === undefined) {
      if (ofPolicy.size >= MAX_RULES) ofPolicy.clear();
      ofPolicy.set(rule, (hits = { allowed: 0, denied: 0, audited: 0 }));
    }
    hits[HIT[decision]] += 1;
  };

  return {
    record(record) {
      const now = nowMs();
      const slot = slotOf(now);
      if (slot !== lastSlot) {
        lastSlot = slot;
        labels.expire(now - IDLE_MS);
        sets.expire(now - IDLE_MS);
      }
      const call = labels.call(record, now);
      const { outcome, rule } = record;
      const result = classOf(
        call.mcp_method_name,
        outcome.kind,
        outcome.kind === "rpc_error" ? outcome.code : undefined,
      );
      const key: TrafficKey = {
        server: call.mcp_server,
        method: call.mcp_method_name,
        name: call.gen_ai_tool_name || call.gen_ai_prompt_name,
        result,
        decision: record.decision,
        policy: rule.policy,
        rule: rule.rule,
        mode: record.mode,
        caller: call.caller,
        identity: identityWord(record.identity),
      };
      const isTimed = isOperation(record) && !UNTIMED.has(result);
      sets.at(key, now).add(slot, isTimed ? bucketOf(record.durationMs) : undefined);
      hit(record);
    },
    window(seconds) {
      const now = nowMs();
      const current = slotOf(now);
      const first = Math.max(0, current - Math.ceil((seconds * 1_000) / SLOT_MS));
      const rows = [...sets.values()].map(({ labels: key, item }) => {
        const { requests, latency } = item.sum(first, current);
        return { ...(key as TrafficKey), requests, audited: key.decision === "audit" ? requests : 0, latency };
      });
      // In its first second a process has no rate worth the name.
      return { seconds: Math.max(1, (now - startedAtMs - first * SLOT_MS) / 1_000), rows };
    },
    history(seconds) {
      const now = nowMs();
      const current = slotOf(now);
      const first = Math.max(0, current - Math.ceil((seconds * 1_000) / SLOT_MS));
      const numbers = Array.from({ length: current - first }, (_, i) => first + i);
      const startOf = (slot: number): number => Math.round((Date.now() - (now - startedAtMs - slot * SLOT_MS)) / 1_000);
      return {
        slotSeconds: SLOT_MS / 1_000,
        slots: numbers.map(startOf),
        series: [...sets.values()].flatMap(({ labels: key, item }) => {
          const slots = numbers.map((slot) => item.sum(slot, slot));
          return slots.some(({ requests }) => requests > 0) ? [{ ...(key as TrafficKey), slots }] : [];
        }),
      };
    },
    hits: (policy, rule) => rules.get(policy)?.get(rule),
  };
}

/** The metrics count it. */
const onOverflow = (): void => {};

const HIT = { allow: "allowed", deny: "denied", audit: "audited" } as const;

/** Nobody waited for these to their end, or they took no more than our refusal. */
const UNTIMED: ReadonlySet<OutcomeClass> = new Set(["denied", "cancelled", "unread"]);

/** What vouches for the caller, in one word; for nobody, why. */
function identityWord(identity: Identity): string {
  const { workload, user } = identity;
  if (!isAbsent(workload)) return workload.uri.startsWith("spiffe:") ? "spiffe" : "mtls";
  return isAbsent(user) ? `anonymous:${absenceReason(identity) ?? ""}` : "jwt";
}

const createRing = (): Ring => new Ring();

/** The slots of one row, overwritten when their turn comes again: first the number of calls, then the buckets. */
class Ring {
  readonly #counts = new Uint32Array(SLOTS * (BUCKETS + 1));
  /** Which slot each place holds now. */
  readonly #slots = new Float64Array(SLOTS).fill(-1);

  add(slot: number, bucket: number | undefined): void {
    const place = slot % SLOTS;
    const start = place * (BUCKETS + 1);
    if (this.#slots[place] !== slot) {
      this.#slots[place] = slot;
      this.#counts.fill(0, start, start + BUCKETS + 1);
    }
    this.#increment(start);
    if (bucket !== undefined) this.#increment(start + 1 + bucket);
  }

  #increment(at: number): void {
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /** Of the slots from `first` to `last`, both included. */
  sum(first: number, last: number): { readonly requests: number; readonly latency: Latency } {
    let sums: Float64Array | undefined;
    for (let slot = first; slot <= last; slot++) {
      const place = slot % SLOTS;
      if (this.#slots[place] !== slot) continue;
      sums ??= new Float64Array(BUCKETS + 1);
      const start = place * (BUCKETS + 1);
      for (let i = 0; i <= BUCKETS; i++) sums[i] = (sums[i] ?? 0) + (this.#counts[start + i] ?? 0);
    }
    if (sums === undefined) return NONE;
    return { requests: sums[0] ?? 0, latency: { bounds: BOUNDS_SECONDS, counts: sums.subarray(1) } };
  }
}

const NONE = { requests: 0, latency: { bounds: BOUNDS_SECONDS, counts: [] } };
