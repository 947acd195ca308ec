/**
 * P7. Whatever a server says and however it frames it, no client gets to see what its caller may not use. What clients
 * find is read by JSON.parse, by a reader that takes the first of two keys, and by one that ignores case.
 */
import { isUtf8 } from "node:buffer";
import assert from "node:assert/strict";
import { cutAt, latin1TextOf, utf8 } from "../../fixtures/bytes.ts";
import { LISTS, readAnswer } from "../answer-reading.ts";
import type { AnswerReading } from "../answer-reading.ts";
import type { AnswerCase } from "../case.ts";
import { isObject, seenBy } from "../client-view.ts";
import { answers } from "../generators/answers.ts";
import { deliver } from "../judge.ts";
import type { Property } from "../property.ts";
import { CALLERS, mayAnswer, mayUse, MESSAGES_PATH, POLICIES, seesAll, STREAM_PATH } from "../world.ts";
import type { CallerName } from "../world.ts";

export const nonLeak: Property<AnswerCase> = {
  name: "non-leak",
  promise: "no client finds in an answer what its caller may not use, however it is framed",
  needs: ["python", "httpx-sse", "go"],
  cases: answers,
  async check({ request, headers, body, cuts, secrets, isNarrow = false }, readers) {
    const { caller } = request;
    const ask = { ...request, policies: POLICIES, identity: CALLERS[caller], isNarrow };
    const delivered = deliver(ask, { headers, pieces: cutAt(body, cuts), trailers: false });
    if (delivered === undefined) return "not asked";
    const given = delivered.headers.filter(([name]) => name === "mcp-session-id");
    assert(given.length === 0 || mayBegin(request), "a session is given where none begins");
    const { messages, endpoints } = await seenBy(delivered, readers);
    for (const endpoint of endpoints) checkEndpoint(endpoint);
    assert(
      messages.every((message) => !message.includes("\ufffd")) || isUtf8(Buffer.from(delivered.body)),
      "a message is not UTF-8",
    );
    const text = latin1TextOf(delivered.body);
    for (const { mark, kind } of secrets) assert(!text.includes(mark), `something hidden is there as text: ${kind}`);
    const isModern = request.headers.some(([name, value]) => name === "mcp-protocol-version" && value === MODERN);
    const parsed = messages.map((message) => JSON.parse(message) as unknown);
    const others = await Promise.all(messages.map((message) => readers.answers(utf8(message))));
    for (const [i, message] of parsed.entries())
      for (const [name, reading] of Object.entries({ "JSON.parse": readAnswer(message), ...others[i] }))
        checkReading(reading, caller, name, isModern);
    const ids = parsed.filter((one) => isObject(one) && ("result" in one || "error" in one)).map(idOf);
    const waited = ids.filter((id) => id !== null);
    assert(request.body.length === 0 || new Set(waited).size === waited.length, "two answers to one request");
    return delivered.ending;
  },
};

const MODERN = "2026-07-28";

function checkReading(reading: AnswerReading, caller: CallerName, reader: string, isModern: boolean): void {
  assert(!("error" in reading), `${reader} cannot read a message`);
  const { asks, tells, type, task, inputs, lists, uris } = reading;
  const mayFollow = mayUse(caller, "method", "tasks/get");
  assert(asks === null || (!isModern && mayBeAsked(caller, asks)), `${reader} is asked what no rule allows`);
  assert(tells === null || seesAll(caller) || isTold(caller, tells), `${reader} is told what no rule allows`);
  assert((task === null && type !== "task") || mayFollow, `${reader} finds a task`);
  const mayAsk = inputs.every((one) => one !== null && mayBeAsked(caller, one));
  assert(mayAsk, `${reader} is asked for input`);
  assert(type !== "input_required" || inputs.length > 0 || mayAnswer(caller), `${reader} is given a state`);
  for (const list of Object.keys(LISTS) as (keyof typeof LISTS)[]) {
    const { kind } = LISTS[list];
    assert(
      lists[list].every((name) => mayUse(caller, kind, name)),
      `${reader} finds a hidden entry of ${list}`,
    );
    assert(new Set(lists[list]).size === lists[list].length, `${reader} finds two entries of one name in ${list}`);
  }
  assert(
    uris.every((uri) => mayUse(caller, "resource", uri)),
    `${reader} finds a hidden resource, or a link to one`,
  );
}

const mayBeAsked = (caller: CallerName, method: string): boolean =>
  method === "ping" || mayUse(caller, "method", method);

const TOLD = [
  "notifications/cancelled",
  "notifications/progress",
  "notifications/resources/updated",
  "notifications/resources/list_changed",
  "notifications/tools/list_changed",
  "notifications/prompts/list_changed",
  "notifications/subscriptions/acknowledged",
];
const TOLD_WITH: Readonly<Record<string, string>> = {
  "notifications/message": "logging/setLevel",
  "notifications/elicitation/complete": "elicitation/create",
  "notifications/tasks": "tasks/get",
  "notifications/tasks/status": "tasks/get",
};
const isTold = (caller: CallerName, method: string): boolean =>
  TOLD.includes(method) || mayUse(caller, "method", TOLD_WITH[method] ?? "");

/** Where the client then sends its messages: there, and nowhere else, they are decided on. */
function checkEndpoint(endpoint: string): void {
  assert(!/[^!-~]/.test(endpoint), "the client is sent to more than an address");
  const url = URL.parse(endpoint, `https://mcp.example${STREAM_PATH}`);
  assert.equal(url?.pathname, MESSAGES_PATH, "the client is sent to another path");
  assert.equal(url.origin, "https://mcp.example", "the client is sent to another host");
}

/** Only then the answer may have the id of a session that the request did not have. */
const mayBegin = ({ body }: AnswerCase["request"]): boolean => latin1TextOf(body).includes('"initialize"');

const idOf = (message: unknown): unknown => (isObject(message) ? (message["id"] ?? null) : null);
