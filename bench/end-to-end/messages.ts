/** What the load says and hears: a usual tool call, and answers of many parts. */
import { EVENTS, HALF_LIST, LIST, TOOL_RESULT, TOOLS } from "../documents.ts";
import { PASSING_HOST } from "../policies.ts";

export type Load = {
  readonly name: "call" | "decided" | "burst" | "events" | "list";
  readonly body: string;
  /** Of another server than the one at `/mcp`. */
  readonly host?: string;
  /** What the upstream answers: JSON, or events. */
  readonly answer: string | readonly string[];
  /** Of events: the time from one to the next. Undefined: all at once. */
  readonly everyMs?: number;
  /** How many parts it has: events, or entries of a list. */
  readonly parts: number;
  /** What `reader` gets of it through Toolgate, where that is not all. */
  readonly shown?: string;
};

/** Its answer is read: four messages between Envoy and the external processor. */
export const CALL: Load = {
  name: "call",
  body: '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"message":"the quick brown fox","language":"en"}}}',
  answer: TOOL_RESULT,
  parts: 1,
};

/** The same on a server whose answers pass: the stream ends with the decision, after two messages. */
const DECIDED: Load = { ...CALL, name: "decided", host: PASSING_HOST };

const REPORT =
  '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get-report","arguments":{"year":2026},"_meta":{"progressToken":7}}}';

/** Answered with 1,000 events that come all at once: many in a message between Envoy and the processor. */
const BURST: Load = { name: "burst", body: REPORT, answer: EVENTS, parts: EVENTS.length };

/** Answered with 1,000 events, each by itself, as a tool sends them that says what it has got to: a message for each. */
const EVENT_STREAM: Load = {
  name: "events",
  body: REPORT.replace("2026", "2027"),
  answer: EVENTS,
  everyMs: 1,
  parts: EVENTS.length,
};

/** Answered with 500 tools, of which the caller may see half. */
const TOOL_LIST: Load = {
  name: "list",
  body: '{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{}}',
  answer: LIST.toString(),
  parts: TOOLS.length,
  shown: HALF_LIST.toString(),
};

export const LOADS: readonly Load[] = [CALL, DECIDED, BURST, EVENT_STREAM, TOOL_LIST];

/** What is decided only, is answered as the call is: that is what it costs without a processor. */
export const isRead = ({ name }: Load): boolean => name !== DECIDED.name;

/** The body of the answer. */
export const answerText = ({ answer }: Load): string => (typeof answer === "string" ? answer : answer.join(""));

/** As the SDK clients on Node send them. */
export const requestHeaders = (token: string): Readonly<Record<string, string>> => ({
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
  "accept-encoding": "gzip, deflate",
  "accept-language": "*",
  "user-agent": "node",
  "mcp-protocol-version": "2025-11-25",
  "mcp-session-id": "2f1c9f0e-6d3b-4b1e-9a57-0c2f4f9a1b77",
  authorization: `Bearer ${token}`,
});
