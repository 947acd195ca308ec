/**
 * One JSON object a line for each decision: who, what, the rule that decided, how it ended. Never arguments or results:
 * the record has none.
 *
 * What callers wrote (names, ids, claims) is cut and escaped, so that a line is always one line, on a terminal too. The
 * lines of one turn of the event loop go out in one write; a reader that is too slow costs lines, counted, and neither
 * time nor memory.
 */
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExchangeRecord } from "../core/exchange/record.ts";
import { absenceReason, callerName, isAbsent } from "../core/identity/identity.ts";
import type { Telemetry } from "./telemetry.ts";

export type DecisionLogOptions = {
  /** Default: stdout. */
  readonly out?: Writable;
  /** Hears once that nothing can be written any more (the reader has gone). */
  readonly onError?: (error: Error) => void;
  /** Lines that wait for a slow reader. */
  readonly maxQueuedCharacters?: number;
};

export type DecisionLog = Telemetry & {
  /** Whether what is written now will be kept: the reader is there, and not more than half a queue behind. */
  isKept(): boolean;
  /** Lines lost so far. */
  dropped(): number;
  /** Writes what is left, and nothing more after that. Gives up after a second: what is left then counts as lost. */
  close(): Promise<void>;
};

const MAX_QUEUED_CHARACTERS = 8 * 1024 * 1024;
const MAX_VALUE_LENGTH = 256;
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * Costs 2.0 us a record with its share of the write (Node 24); 0.65 of it is `JSON.stringify`, and a line put together
 * by hand takes no less.
 */
export function createDecisionLog(options: DecisionLogOptions = {}): DecisionLog {
  const { out = process.stdout, maxQueuedCharacters = MAX_QUEUED_CHARACTERS } = options;
  let lines: string[] = [];
  let characters = 0;
  let dropped = 0;
  let scheduled = false;
  let ended = false;

  const drop = (): void => {
    dropped += lines.length;
    lines = [];
    characters = 0;
  };
  /** While `out` has more than it can take, lines wait here, where they are counted. */
  const flush = (): void => {
    scheduled = false;
    if (ended) drop();
    if (lines.length === 0 || out.writableNeedDrain) return;
    const batch = lines.join("");
    lines = [];
    characters = 0;
    out.write(batch);
  };
  const fail = (error: Error): void => {
    if (!ended) options.onError?.(error);
    ended = true;
    drop();
  };
  const writeOut = async (): Promise<void> => {
    while (lines.length > 0) {
      if (out.writableNeedDrain) await drainedOrFailed(out);
      flush();
    }
    await new Promise<void>((resolve) => out.write("", () => resolve()));
  };
  out.on("drain", flush);
  out.on("error", fail);

  return {
    record(record) {
      const line = formatDecision(record);
      if (ended || characters + line.length > maxQueuedCharacters) {
        dropped++;
        return;
      }
      lines.push(line);
      characters += line.length;
      if (scheduled) return;
      scheduled = true;
      setImmediate(flush);
    },
    isKept: () => !ended && characters <= maxQueuedCharacters / 2,
    dropped: () => dropped,
    async close() {
      await Promise.race([writeOut(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
      ended = true;
      drop();
      out.off("drain", flush);
    },
  };
}

const drainedOrFailed = (out: Writable): Promise<void> =>
  new Promise((resolve) => void out.once("drain", resolve).once("error", () => resolve()));

/** One record as its line. Members without a value are left out; the order is always the same. */
export function formatDecision(record: ExchangeRecord): string {
  const { identity, target, outcome } = record;
  const { workload, user } = identity;
  const name = cut(target?.name);
  const json = JSON.stringify({
    time: new Date(record.startedAtMs).toISOString(),
    request_id: cut(record.requestId),
    server: record.server,
    method: record.method,
    tool: target?.kind === "tool" ? name : undefined,
    prompt: target?.kind === "prompt" ? name : undefined,
    resource: target?.kind === "resource" ? name : undefined,
    caller: cut(callerName(identity)),
    workload: isAbsent(workload) ? undefined : workload.uri,
    issuer: isAbsent(user) ? undefined : cut(user.issuer),
    subject: isAbsent(user) ? undefined : cut(user.subject),
    absent: absenceReason(identity),
    decision: record.decision,
    mode: record.mode,
    policy: record.rule.policy,
    rule: record.rule.rule,
    reason: record.reason,
    outcome: outcome.kind,
    error_code: outcome.kind === "rpc_error" ? outcome.code : undefined,
    hidden_items: record.listed.length === 0 && record.hiddenItems === 0 ? undefined : record.hiddenItems,
    changed_tools: record.changedTools.length === 0 ? undefined : record.changedTools,
    answer_fault: cut(record.answerFault?.message),
    answer_fault_reason: record.answerFault?.reason,
    revision: cut(record.revision),
    duration_ms: Math.round(record.durationMs * 1_000) / 1_000,
  });
  return `${DECEPTIVE.test(json) ? json.replaceAll(DECEPTIVE_ALL, escape) : json}\n`;
}

/** What JSON lets through and a terminal or a line reader obeys: C1 controls, bidi and zero-width marks, U+2028, U+2029. */
const DECEPTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const DECEPTIVE_ALL = new RegExp(DECEPTIVE, "gu");

/** By UTF-16 units, as JSON escapes are. */
const escape = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
  ).join("");

const cut = (text: string | undefined): string | undefined =>
  text === undefined || text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH - 1)}…`;
