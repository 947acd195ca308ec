/** Answers of servers to calls that are allowed: as JSON or as events, of every status and type, honest or spoiled. */
import * as fc from "fast-check";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { cuts } from "../../fixtures/arbitraries.ts";
import { utf8 } from "../../fixtures/bytes.ts";
import type { AnswerCase, RequestCase } from "../case.ts";
import { MESSAGES_PATH, STREAM_PATH } from "../world.ts";
import type { CallerName } from "../world.ts";
import { CORPUS_ANSWERS } from "./corpus-seeds.ts";
import { edited } from "./edited.ts";
import { edit } from "./edits.ts";
import type { Edit } from "./edits.ts";
import { framed, framings } from "./framings.ts";
import { arrayText } from "./json.ts";
import { joined, part } from "./part.ts";
import { serverMessages } from "./server-messages.ts";

const MODERN = "2026-07-28";
const LEGACY = "2025-06-18";
const TOOL = '"method":"tools/call","params":{"name":"echo"';
const META = `"_meta":{"io.modelcontextprotocol/protocolVersion":"${MODERN}"}`;

type Question = { readonly version: string; readonly path?: string; readonly name?: string; readonly body: string };

/** What is asked: the answer may be of any kind all the same. Without a body it is a stream. */
const QUESTIONS: readonly Question[] = [
  { version: LEGACY, body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' },
  { version: LEGACY, body: `{"jsonrpc":"2.0","id":1,${TOOL}}}` },
  { version: LEGACY, body: '{"jsonrpc":"2.0","id":1,"method":"initialize"}' },
  { version: LEGACY, body: '{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"t"}}' },
  { version: MODERN, name: "echo", body: `{"jsonrpc":"2.0","id":1,${TOOL},${META}}}` },
  { version: "2025-03-26", body: `[{"jsonrpc":"2.0","id":1,${TOOL}}},{"jsonrpc":"2.0","id":2,"method":"ping"}]` },
  { version: "2025-03-26", body: `[{"jsonrpc":"2.0","id":1,${TOOL}}},{"jsonrpc":"2.0","id":3,"method":"tasks/list"}]` },
  { version: LEGACY, body: "" },
  { version: LEGACY, path: STREAM_PATH, body: "" },
];
const asked: fc.Arbitrary<RequestCase> = fc
  .tuple(
    fc.constantFrom<CallerName>("reader", "reader", "operator", "operator", "admin"),
    fc.constantFrom(...QUESTIONS),
  )
  .map(([caller, { version, path, name, body }]) => ({
    caller,
    headers: [
      [":method", body === "" ? "GET" : "POST"],
      [":path", path ?? "/mcp"],
      [":authority", "mcp.example"],
      ...(body === "" ? [] : [["content-type", "application/json"] as const]),
      ["mcp-protocol-version", version],
      ...(name === undefined
        ? []
        : ([
            ["mcp-method", "tools/call"],
            ["mcp-name", name],
          ] as const)),
    ],
    body: utf8(body),
  }));

const JSON_TYPES = [
  "application/json",
  "application/json",
  "application/json",
  "application/json; charset=utf-8",
  "Application/JSON",
  "application/jsonx",
  "text/plain",
];
const EVENT_TYPES = ["text/event-stream", "text/event-stream", "text/event-stream;charset=UTF-8", "TEXT/event-stream"];
const statuses = fc.oneof(
  { weight: 12, arbitrary: fc.constant("200") },
  { weight: 1, arbitrary: fc.constantFrom("201", "202", "204", "206", "304", "400", "404", "500") },
);
const oddHeaders = fc.oneof(
  { weight: 12, arbitrary: fc.constant<HeaderList>([]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<HeaderList>(
      [["content-encoding", "gzip"]],
      [["content-length", "0"]],
      [["content-type", "text/html"]],
      [["content-range", "bytes 0-1/2"]],
      [["mcp-session-id", "s"]],
    ),
  },
);

/** One message, or several in an array. */
const documents = fc.oneof(
  { weight: 8, arbitrary: serverMessages },
  { weight: 1, arbitrary: fc.array(serverMessages, { maxLength: 3 }).map((all) => joined(all, arrayText)) },
);
const json = documents.chain(({ text, secrets }) =>
  fc
    .record({
      type: fc.constantFrom(...JSON_TYPES),
      hasMark: fc.constantFrom("", "", "", "\ufeff"),
      after: fc.constantFrom("", "", "\n", "{}", "x"),
    })
    .map(({ type, hasMark, after }) => ({ type, text: hasMark + text + after, secrets })),
);
/** As the client of 2024-11-05 is told where to send its messages. */
const endpoints = fc
  .constantFrom(
    `${MESSAGES_PATH}?sessionId=a`,
    `https://mcp.example${MESSAGES_PATH}?sessionId=a`,
    `https://evil.example${MESSAGES_PATH}?sessionId=a`,
    `https://mcp.example\\other${MESSAGES_PATH}?a`,
    "/other?sessionId=a",
    "//evil.example/messages",
    "messages?sessionId=a",
    `/other/..${MESSAGES_PATH}?a`,
  )
  .map((text) => ({ ...part(text), event: "endpoint" }));
const events = fc
  .record({
    messages: fc.array(
      fc.oneof(
        { weight: 12, arbitrary: documents.map((one) => ({ ...one, event: undefined })) },
        { weight: 1, arbitrary: endpoints },
      ),
      { maxLength: 4 },
    ),
    framing: framings,
    type: fc.constantFrom(...EVENT_TYPES),
  })
  .map(({ messages, framing, type }) => ({
    type,
    text: framed(messages, framing),
    secrets: messages.flatMap(({ secrets }) => secrets),
  }));

/** As a server means it. */
const honest: fc.Arbitrary<AnswerCase> = fc
  .record({
    request: asked,
    status: statuses,
    more: oddHeaders,
    content: fc.oneof(json, events, events),
    at: cuts,
    isNarrow: fc.constantFrom(false, false, false, false, true),
  })
  .map(({ request, status, more, content, at, isNarrow }) => ({
    request,
    isNarrow,
    headers: [[":status", status], ["content-type", content.type], ...more],
    // Envoy lets no body through that has a length of 0.
    body: more.some(([name]) => name === "content-length") ? new Uint8Array(0) : utf8(content.text),
    cuts: at,
    secrets: content.secrets.filter(({ isFor }) => !isFor(request.caller)).map(({ kind, mark }) => ({ kind, mark })),
  }));

/** An edit may put a mark where it is no secret any more: what readers find has to be enough then. */
const spoiled = (cases: fc.Arbitrary<AnswerCase>): fc.Arbitrary<AnswerCase> =>
  fc
    .tuple(cases, fc.array<Edit>(edit, { minLength: 1, maxLength: 3 }), cuts)
    .map(([one, edits, at]) => ({ ...one, body: edited(one.body, edits), cuts: at, secrets: [] }));

const corpus = fc.tuple(fc.constantFrom(...CORPUS_ANSWERS), cuts).map(([one, at]) => ({ ...one, cuts: at }));

export const answers: fc.Arbitrary<AnswerCase> = fc.oneof(
  { weight: 8, arbitrary: honest },
  { weight: 4, arbitrary: spoiled(honest) },
  { weight: 1, arbitrary: corpus },
  { weight: 1, arbitrary: spoiled(corpus) },
);
