/**
 * What the decision log says of one call: who, what, the rule that decided, how it ended. Never results, and arguments
 * only where they were asked for. What is in a line is a contract: `decision-schema.ts` and docs/decision-log.md.
 *
 * What callers wrote (names, ids, claims) is cut and escaped, so that a line is always one line, on a terminal too.
 */
import type { DecisionLabel, ExchangeRecord } from "../core/exchange/record.ts";
import { absenceReason, callerName, isAbsent } from "../core/identity/identity.ts";
import type { FaultReason } from "../core/mcp/answer.ts";
import type { MethodLabel } from "../core/mcp/methods.ts";
import type { Outcome } from "../core/mcp/outcome.ts";
import type { Reason } from "../core/mcp/refusal.ts";
import type { Mode } from "../core/policy/decision.ts";

/** A new number means that a reader of the one before may misread a line; new members alone do not change it. */
export const LINE_VERSION = 1;

/** Members without a value are left out; the order is always this one. */
export type DecisionLine = {
  readonly v: typeof LINE_VERSION;
  readonly time: string;
  readonly request_id?: string | undefined;
  readonly trace_id?: string | undefined;
  readonly server?: string | undefined;
  readonly method: MethodLabel;
  readonly tool?: string | undefined;
  readonly prompt?: string | undefined;
  readonly resource?: string | undefined;
  readonly arguments?: Readonly<Record<string, string>> | undefined;
  readonly arguments_withheld?: number | undefined;
  readonly caller: string;
  readonly workload?: string | undefined;
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly absent?: string | undefined;
  readonly decision: DecisionLabel;
  readonly mode: Mode;
  readonly policy: string;
  readonly rule: string;
  readonly reason?: Reason | undefined;
  readonly sentence?: string | undefined;
  readonly outcome: Outcome["kind"];
  readonly error_code?: number | undefined;
  readonly http_status?: number | undefined;
  readonly hidden_items?: number | undefined;
  readonly changed_tools?: readonly string[] | undefined;
  readonly answer_fault?: string | undefined;
  readonly answer_fault_reason?: FaultReason | undefined;
  readonly revision?: string | undefined;
  readonly duration_ms: number;
};

/** The longest value that somebody else wrote, and the longest sentence about several of them. */
export const MAX_VALUE_LENGTH = 256;
export const MAX_SENTENCE_LENGTH = 1_024;
/** Of a list that a server wrote. */
export const MAX_VALUES = 64;

let secondMs = NaN;
let secondText = "";

/** As `toISOString`, which takes 0.6 us, of which 0.5 are for what a whole second of lines has in common. */
function isoTime(ms: number): string {
  const startMs = Math.floor(ms / 1_000) * 1_000;
  if (startMs !== secondMs) {
    secondMs = startMs;
    secondText = new Date(startMs).toISOString().slice(0, -"000Z".length);
  }
  return `${secondText}${String(Math.trunc(ms - startMs)).padStart(3, "0")}Z`;
}

/** What of a record is told: the decision log, the admin interface and the tap say it in the same words. */
export function decisionOf(record: ExchangeRecord): DecisionLine {
  const { identity, target, outcome } = record;
  const { workload, user } = identity;
  const name = cut(target?.name);
  return {
    v: LINE_VERSION,
    time: isoTime(record.startedAtMs),
    request_id: cut(record.requestId),
    trace_id: record.trace?.traceId ?? record.trace?.parent?.traceId,
    server: record.server,
    method: record.method,
    tool: target?.kind === "tool" ? name : undefined,
    prompt: target?.kind === "prompt" ? name : undefined,
    resource: target?.kind === "resource" ? name : undefined,
    arguments: record.arguments?.values,
    arguments_withheld: record.arguments?.withheld,
    caller: cut(callerName(identity)),
    workload: isAbsent(workload) ? undefined : cut(workload.uri),
    issuer: isAbsent(user) ? undefined : cut(user.issuer),
    subject: isAbsent(user) ? undefined : cut(user.subject),
    absent: absenceReason(identity),
    decision: record.decision,
    mode: record.mode,
    policy: record.rule.policy,
    rule: record.rule.rule,
    reason: record.reason,
    sentence: cut(record.sentence, MAX_SENTENCE_LENGTH),
    outcome: outcome.kind,
    error_code: outcome.kind === "rpc_error" ? outcome.code : undefined,
    http_status: record.httpStatus,
    hidden_items: record.listed.length === 0 && record.hiddenItems === 0 ? undefined : record.hiddenItems,
    changed_tools: record.changedTools.length === 0 ? undefined : cutList(record.changedTools),
    answer_fault: cut(record.answerFault?.message),
    answer_fault_reason: record.answerFault?.reason,
    revision: cut(record.revision),
    duration_ms: Math.round(record.durationMs * 1_000) / 1_000,
  };
}

/** As it is told to those who have not asked for arguments. */
export const withoutArguments = (record: ExchangeRecord): ExchangeRecord => ({ ...record, arguments: undefined });

/** One record as its line. */
export const formatDecision = (record: ExchangeRecord): string => `${formatLine(decisionOf(record))}\n`;

/** An object or a text as JSON in one line, without its end. */
export function formatLine(line: object | string): string {
  const json = JSON.stringify(line);
  // The first test takes half of what the second one does, and nearly all lines are ASCII.
  return NOT_PLAIN.test(json) && DECEPTIVE.test(json) ? json.replaceAll(DECEPTIVE_ALL, escape) : json;
}

/** What JSON lets through and a terminal or a line reader obeys: C1 controls, bidi and zero-width marks, U+2028, U+2029. */
const DECEPTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const NOT_PLAIN = /[^ -~]/;
const DECEPTIVE_ALL = new RegExp(DECEPTIVE, "gu");

/** By UTF-16 units, as JSON escapes are. */
const escape = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
  ).join("");

function cut(text: string, length?: number): string;
function cut(text: string | undefined, length?: number): string | undefined;
function cut(text: string | undefined, length = MAX_VALUE_LENGTH): string | undefined {
  return text === undefined || text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

const cutList = (names: readonly string[]): readonly string[] => names.slice(0, MAX_VALUES).map((name) => cut(name));
