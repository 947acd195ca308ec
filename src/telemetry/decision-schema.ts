/**
 * The JSON Schema of the decision log's lines, for who reads them with a program. It is open: a later version of Toolgate
 * may add members and words. The types beside it, docs/decision-log.md and the lines themselves are held against it by tests.
 */
import type { ExchangeRecord } from "../core/exchange/record.ts";
import { MAX_ARGUMENT_LENGTH } from "../core/mcp/logged-arguments.ts";
import { LINE_VERSION, MAX_SENTENCE_LENGTH, MAX_VALUE_LENGTH, MAX_VALUES } from "./decision-line.ts";
import type { DecisionLine } from "./decision-line.ts";
import { ANSWER_FAULTS, OUTCOMES, REASONS } from "./decision-words.ts";
import type { Link, MarkLine } from "./mark-line.ts";

const MODES: Readonly<Record<ExchangeRecord["mode"], true>> = { Enforce: true, Audit: true };
const DECISIONS: Readonly<Record<DecisionLine["decision"], true>> = { allow: true, deny: true, audit: true };

type Property = { readonly description: string; readonly [keyword: string]: unknown };
/** All members of a line, or of any of several kinds of line. */
type Properties<Line> = Readonly<Record<Line extends unknown ? keyof Line : never, Property>>;

const text = (description: string, more: object = {}) => ({
  type: "string",
  maxLength: MAX_VALUE_LENGTH,
  ...more,
  description,
});
const named = (description: string) => ({ type: "string", description });
const word = (description: string, words: object) => ({ type: "string", examples: Object.keys(words), description });
const count = (description: string) => ({ type: "integer", minimum: 0, description });
const hash = (description: string) => ({ type: "string", pattern: "^[0-9a-f]{64}$", description });

const VERSION = { const: LINE_VERSION, description: "The version of the format: this page is about 1." };
const TIME = {
  type: "string",
  pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$",
};

const LINK = {
  seq: count("The line's number in its segment, from 0."),
  chain: hash("What vouches for this line and all before it. Always the last member."),
} satisfies Properties<Link>;

const DECISION = {
  v: VERSION,
  time: { ...TIME, description: "When Envoy asked, in UTC. Lines are in the order in which calls have ended." },
  request_id: text("Envoy's `x-request-id`: the same as in its access log."),
  trace_id: {
    type: "string",
    pattern: "^[0-9a-f]{32}$",
    description: "The trace that the call is part of (W3C Trace Context), by its caller's word or our own.",
  },
  server: named("The MCPServer, as `namespace/name`."),
  method: named("The method of MCP; `GET` and `DELETE` of a session; `answer` to a server's request; else `unknown`."),
  tool: text("The tool that is called, as the caller wrote it."),
  prompt: text("The prompt, likewise."),
  resource: text("The resource's URI, or its template, likewise."),
  arguments: {
    type: "object",
    additionalProperties: { type: "string", maxLength: MAX_ARGUMENT_LENGTH },
    description: "The arguments that `--audit-arguments` names; what is no string as JSON.",
  },
  arguments_withheld: count("How many other arguments there were."),
  caller: text("The caller in one word, as policies and metrics have it; `anonymous` for nobody."),
  workload: text("The workload that Envoy has verified: a SPIFFE ID, `dns:` or `subject:`."),
  issuer: text("`iss` of the JWT that Envoy has verified."),
  subject: text("`sub` of that JWT."),
  absent: named("Why there is no workload, and why no user."),
  decision: {
    enum: Object.keys(DECISIONS),
    description: "`audit`: policy says no, and its mode `Audit` lets the call through.",
  },
  mode: { enum: Object.keys(MODES), description: "The mode of the policies that decided." },
  policy: named("The policy of the rule, as `namespace/name`; `toolgate` for rules that are built in."),
  rule: named("The rule that decided."),
  reason: word("Why it was refused, or would have been: one of the words below.", REASONS),
  sentence: text("What the caller was told, or would have been told. For people: its wording may change.", {
    maxLength: MAX_SENTENCE_LENGTH,
  }),
  outcome: word("How the call ended: one of the words below.", OUTCOMES),
  error_code: { type: "integer", description: "The code of the JSON-RPC error." },
  http_status: { type: "integer", description: "The HTTP status of the answer, where it is not a success." },
  hidden_items: count("How many entries were taken out of the lists in the answer."),
  changed_tools: {
    type: "array",
    maxItems: MAX_VALUES,
    items: { type: "string", maxLength: MAX_VALUE_LENGTH },
    description: "Tools that were taken out because they are not any more what policy has pinned; the first 64.",
  },
  answer_fault: text("What of the answer was not delivered, and why: completes `it ...`. For people."),
  answer_fault_reason: word("The same in one of the words below.", ANSWER_FAULTS),
  revision: text("The revision of MCP that the request named."),
  duration_ms: {
    type: "number",
    minimum: 0,
    description: "From the request's headers to its answer, in milliseconds.",
  },
} satisfies Properties<DecisionLine>;

const MARK = {
  v: VERSION,
  time: { ...TIME, description: "When it was written, in UTC." },
  event: {
    enum: ["begin", "gap", "end"],
    description: "`begin`: a process begins a segment; `gap`: lines were lost here; `end`: it has ended in order.",
  },
  segment: named("A random name of the segment."),
  keyed: { type: "boolean", description: "Whether the chain was made with a key." },
  follows: hash("The chain of the last line that was in the file before."),
  unchained: {
    type: "object",
    required: ["bytes", "sha256"],
    properties: { bytes: { type: "integer", minimum: 1 }, sha256: hash("Their SHA-256.") },
    description:
      "What stands between that line and this one, and is no line of a chain: half a line of a killed process.",
  },
  lost: { type: "integer", minimum: 1, description: "How many lines were lost, because nobody read fast enough." },
} satisfies Properties<MarkLine>;

/** JSON Schema 2020-12 of one line. */
export const DECISION_SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: "https://toolgate.dev/schema/decision-log-1.json",
  title: "A line of Toolgate's decision log",
  oneOf: [
    {
      title: "A decision",
      type: "object",
      required: ["v", "time", "method", "caller", "decision", "mode", "policy", "rule", "outcome", "duration_ms"],
      properties: { ...DECISION, ...LINK },
    },
    {
      title: "An event of the log itself",
      type: "object",
      required: ["v", "time", "event"],
      properties: { ...MARK, ...LINK },
    },
  ],
} as const;
