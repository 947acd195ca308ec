/**
 * From a record to label values, bounded by construction: what a caller can invent is never a label. A tool or a prompt
 * has its name as a label only if a policy names it or the server listed it, a caller only as Envoy verified it, a
 * resource never (a URI is the caller's text). Each kind of value has a cap, so that verified callers and honest servers
 * cannot flood the metrics either.
 */
import type { ExchangeRecord, Target } from "../core/exchange/record.ts";
import { callerName } from "../core/identity/identity.ts";
import { assertNever } from "../core/result.ts";
import { createAdmission } from "./admission.ts";
import type { Admission } from "./admission.ts";

/** In place of a name that nobody vouches for, and of a server that matched none. */
const UNKNOWN = "_unknown";
/** In place of a name for which there was no room. */
export const OVERFLOW = "_overflow";
/** In place of an error code for which there was no room. */
const OTHER = "_other";

/** Who and what, as label values. Empty is the same as absent to Prometheus. */
export type CallLabels = {
  readonly caller: string;
  readonly mcp_server: string;
  readonly mcp_method_name: string;
  readonly gen_ai_tool_name: string;
  readonly gen_ai_prompt_name: string;
};

export type LabelOptions = {
  /** Whether a policy on that server has the exact name. */
  readonly isNamed: (server: string, kind: "tool" | "prompt", name: string) => boolean;
  /** Hears of each value that gave way to `_overflow` or `_other`. */
  readonly onOverflow: (label: string) => void;
  readonly maxNamesPerServer: number;
  readonly maxCallers: number;
};

export type Labels = {
  call(record: ExchangeRecord, nowMs: number): CallLabels;
  /** The tools of a server that are known before anybody calls them: those that `named` has, and those that it listed. */
  tools(server: string, named: Iterable<string>, nowMs: number): Iterable<string>;
  /** The client's name and major version, as it says them. */
  client(record: ExchangeRecord, nowMs: number): string | undefined;
  /** As OpenTelemetry's `error.type`: the code of JSON-RPC or HTTP, or a word; empty when nothing went wrong. */
  errorType(record: ExchangeRecord, nowMs: number): string;
  expire(idleSinceMs: number): void;
};

const MAX_LABEL_LENGTH = 512;
/** Names kept from the lists of one server: far over its cap of labels, so that its real tools are told from inventions. */
const MAX_LISTED_PER_SERVER = 2_000;
/** Codes of servers' own making. Those that JSON-RPC, MCP and Toolgate define need no room. */
const MAX_OTHER_CODES = 50;
const MAX_CLIENTS = 50;
const MAX_CLIENT_LENGTH = 64;
const DEFINED_CODES = [
  -32700, -32600, -32601, -32602, -32603, -32000, -32001, -32002, -32020, -32021, -32022, -32042, -31403,
];
/** Of HTTP. Others are `4xx` and the like. */
const USUAL_STATUSES: ReadonlySet<number> = new Set([
  307, 308, 400, 401, 403, 404, 405, 406, 409, 413, 415, 429, 500, 502, 503, 504,
]);

/** A line break in a label would be legal, but no eye would read it right. */
const UNREADABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const isReadable = (text: string): boolean => text.length <= MAX_LABEL_LENGTH && !UNREADABLE.test(text);

/** What one server has listed, and which of its names are labels now. */
type ServerNames = {
  readonly tool: Set<string>;
  readonly prompt: Set<string>;
  readonly admitted: Admission;
  /** Tools that are labels without being called: up to half of the cap, the same ones for as long as they are known. */
  held: Set<string>;
};

export function createLabels(options: LabelOptions): Labels {
  const servers = new Map<string, ServerNames>();
  const callers = createAdmission(options.maxCallers);
  const codes = createAdmission(MAX_OTHER_CODES);
  const clients = createAdmission(MAX_CLIENTS);
  const definedCodes: ReadonlySet<number> = new Set(DEFINED_CODES);

  const namesOf = (server: string): ServerNames => {
    let names = servers.get(server);
    if (names === undefined) {
      const admitted = createAdmission(options.maxNamesPerServer);
      names = { tool: new Set(), prompt: new Set(), admitted, held: new Set() };
      servers.set(server, names);
    }
    return names;
  };

  const overflow = (label: string): string => {
    options.onOverflow(label);
    return OVERFLOW;
  };

  const callerLabel = (record: ExchangeRecord, nowMs: number): string => {
    const name = callerName(record.identity);
    if (!isReadable(name)) return UNKNOWN;
    return callers.admit(name, nowMs) ? name : overflow("caller");
  };

  const targetLabel = (server: string | undefined, target: Target, nowMs: number): string => {
    const { kind, name } = target;
    if (kind === "resource") return "";
    if (server === undefined) return UNKNOWN;
    const names = namesOf(server);
    if (!names[kind].has(name) && !options.isNamed(server, kind, name)) return UNKNOWN;
    if (!isReadable(name)) return UNKNOWN;
    return names.admitted.admit(`${kind} ${name}`, nowMs) ? name : overflow(`gen_ai_${kind}_name`);
  };

  const codeLabel = (code: number, nowMs: number): string => {
    const text = String(code);
    if (definedCodes.has(code) || codes.admit(text, nowMs)) return text;
    options.onOverflow("error_type");
    return OTHER;
  };

  return {
    call(record, nowMs) {
      const { server, target } = record;
      if (server !== undefined) {
        for (const { kind, names } of record.listed) remember(namesOf(server)[kind], names);
      }
      const name = target === undefined ? "" : targetLabel(server, target, nowMs);
      return {
        caller: callerLabel(record, nowMs),
        mcp_server: server ?? UNKNOWN,
        mcp_method_name: record.method,
        gen_ai_tool_name: target?.kind === "tool" ? name : "",
        gen_ai_prompt_name: target?.kind === "prompt" ? name : "",
      };
    },
    client({ client }, nowMs) {
      if (client === undefined) return undefined;
      const { name, version = "" } = client;
      if (name.length > MAX_CLIENT_LENGTH || !isReadable(name)) return UNKNOWN;
      const [, major] = /^v?(\d{1,4})(?![^.+-])/.exec(version) ?? [];
      const label = major === undefined ? name : `${name}/${major}`;
      return clients.admit(label, nowMs) ? label : overflow("client");
    },
    tools(server, named, nowMs) {
      const names = namesOf(server);
      const before = names.held;
      const isKnown = (name: string): boolean => names.tool.has(name) || options.isNamed(server, "tool", name);
      names.held = new Set();
      for (const name of concat(before, named, names.tool)) {
        if (names.held.size >= options.maxNamesPerServer / 2) break;
        if (isKnown(name) && isReadable(name) && names.admitted.admit(`tool ${name}`, nowMs)) names.held.add(name);
      }
      return names.held;
    },
    errorType(record, nowMs) {
      const error = errorOf(record);
      if (typeof error === "string") return error;
      return record.outcome.kind === "rpc_error" ? codeLabel(error, nowMs) : statusLabel(error);
    },
    expire(idleSinceMs) {
      callers.expire(idleSinceMs);
      codes.expire(idleSinceMs);
      clients.expire(idleSinceMs);
      for (const { admitted } of servers.values()) admitted.expire(idleSinceMs);
    },
  };
}

const statusLabel = (status: number): string =>
  USUAL_STATUSES.has(status) ? String(status) : `${Math.trunc(status / 100)}xx`;

function* concat(...all: readonly Iterable<string>[]): Iterable<string> {
  for (const one of all) yield* one;
}

/** The names listed longest ago give way: a server that lists without end forgets its own names, nobody else's. */
function remember(listed: Set<string>, names: readonly string[]): void {
  for (const name of names) {
    if (name.length > MAX_LABEL_LENGTH) continue;
    listed.delete(name);
    listed.add(name);
    if (listed.size <= MAX_LISTED_PER_SERVER) continue;
    for (const oldest of listed) {
      listed.delete(oldest);
      break;
    }
  }
}

/** What the conventions mean by an operation: not the legacy stream, its end, or an answer to the server. */
export const isOperation = ({ method }: Pick<ExchangeRecord, "method">): boolean =>
  method !== "GET" && method !== "DELETE" && method !== "answer";

/** What went wrong, as a code of JSON-RPC or of HTTP, or in a word; empty when nothing did. */
export function errorOf({
  outcome,
  reason,
  httpStatus,
}: Pick<ExchangeRecord, "outcome" | "reason" | "httpStatus">): number | string {
  const { kind } = outcome;
  switch (kind) {
    case "rpc_error":
      return outcome.code;
    case "rejected":
    case "transport_error":
      return httpStatus ?? kind;
    case "ok":
    case "input_required":
    case "task":
    case "unread":
      return "";
    case "denied":
      return reason ?? kind;
    case "tool_error":
    case "cancelled":
    case "timeout":
      return kind;
    default:
      return assertNever(kind);
  }
}
