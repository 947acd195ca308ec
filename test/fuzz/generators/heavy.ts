/**
 * Requests and answers that cost as much as their size allows, each in one way: what a parser, a key check, a matcher or a
 * filter would have to go over again and again if it were written without care.
 */
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { utf8 } from "../../fixtures/bytes.ts";
import { MESSAGES_PATH } from "../world.ts";

export type Heavy = {
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  /** What is answered to it; undefined where the request is what is heavy. */
  readonly answer: { readonly type: string; readonly body: Uint8Array } | undefined;
};

const POST: HeaderList = [
  [":method", "POST"],
  [":path", "/mcp"],
  ["content-type", "application/json"],
];
const LIST = utf8('{"jsonrpc":"2.0","id":1,"method":"tools/list"}');
const request = (text: string, more: HeaderList = []): Heavy => ({
  headers: [...POST, ...more],
  body: utf8(text),
  answer: undefined,
});
const call = (args: string, more?: HeaderList): Heavy =>
  request(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":${args}}}`, more);
const META = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}';
/** Of the modern era, whose headers are held against the body. */
const modern = (method: string, params: string, more: HeaderList): Heavy =>
  request(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":{${params},${META}}}`, [
    ["mcp-protocol-version", "2026-07-28"],
    ["mcp-method", method],
    ...more,
  ]);
const CALL = "tools/call";
/** Envoy lets 100 headers through, of 60 KiB together, unless it is told otherwise. */
const MAX_HEADERS = 90;
const answered = (type: string, text: string): Heavy => ({
  headers: POST,
  body: LIST,
  answer: { type, body: utf8(text) },
});
const json = (result: string): Heavy => answered("application/json", `{"jsonrpc":"2.0","id":1,"result":${result}}`);
const events = (text: string): Heavy => answered("text/event-stream", text);
const stream = (text: string): Heavy => ({
  headers: [
    [":method", "GET"],
    [":path", "/mcp"],
  ],
  body: new Uint8Array(),
  answer: { type: "text/event-stream", body: utf8(text) },
});

const list = (count: number, one: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => one(i)).join(",");
/** Strings of one hash in `keys.ts`: "Aa" and "BB" have the same, and so have all words of them. */
const colliding = (i: number): string => i.toString(2).padStart(16, "0").replaceAll("0", "Aa").replaceAll("1", "BB");
const PARAM_HEADERS: HeaderList = [
  ["mcp-name", "echo"],
  ...Array.from({ length: MAX_HEADERS }, (_, i) => [`mcp-param-${i}`, "z"] as const),
];

/** Each makes about `size` bytes. */
export const HEAVY: Readonly<Record<string, (size: number) => Heavy>> = {
  "a long string": (size) => call(`{"a":"${"x".repeat(size)}"}`),
  "white space": (size) => call(`{"a":${" ".repeat(size)}1}`),
  escapes: (size) => call(`{"a":"${"\\u0041".repeat(size / 6)}"}`),
  "escaped keys": (size) => call(`{${list(size / 24, (i) => `"\\u0041${i}":{"\\u0062":1}`)}}`),
  "surrogate pairs": (size) => call(`{"a":"${"\\ud83d\\ude00".repeat(size / 12)}"}`),
  depth: (size) => call(`{"a":${"[".repeat(size / 2)}${"]".repeat(size / 2)}}`),
  "arrays at the deepest level": (size) =>
    call(`{"a":${"[".repeat(60)}${list(size / 3, () => "[]")}${"]".repeat(60)}}`),
  "many keys": (size) => call(`{${list(size / 12, (i) => `"k${i}":1`)}}`),
  "keys of one hash": (size) => call(`{${list(size / 40, (i) => `"${colliding(i)}":1`)}}`),
  "objects with keys of one hash": (size) =>
    call(`{${list(size / 520, (i) => `"k${i}":{${list(14, (j) => `"${colliding(j)}":1`)}}`)}}`),
  "keys like integers": (size) => call(`{${list(size / 12, (i) => `"${i * 65_536}":1`)}}`),
  "long numbers": (size) => call(`{"a":[${list(size / 62, () => "1".repeat(60))}]}`),
  "an endless number": (size) => call(`{"a":${"1".repeat(size)}}`),
  "a long name": (size) =>
    request(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${"x".repeat(size)}"}}`),
  "a long method": (size) => request(`{"jsonrpc":"2.0","id":1,"method":"${"x".repeat(size)}"}`),
  "a long id": (size) => request(`{"jsonrpc":"2.0","id":"${"x".repeat(size)}","method":"ping"}`),
  "a long URI": (size) =>
    request(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"demo://${"a/".repeat(size / 2)}"}}`),
  "keys of _meta": (size) =>
    request(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{${list(size / 12, (i) => `"K${i}":1`)}}}}`),
  "a long header": (size) => modern(CALL, '"name":"echo"', [["mcp-name", `=?base64?${"QUJD".repeat(size / 4)}?=`]]),
  "a header of spaces": (size) => modern(CALL, '"name":"echo"', [["mcp-name", `x${" ".repeat(size)}x`]]),
  "many headers": (size) =>
    call(
      "{}",
      Array.from({ length: size / 10 }, (_, i) => [`x-h-${i}`, "1"] as const),
    ),
  "headers of parameters": (size) =>
    modern(CALL, `"name":"echo","arguments":{${list(size / 8, (i) => `"a${i}":${i}`)},"z":"z"}`, PARAM_HEADERS),
  "headers of parameters and a long argument": (size) =>
    modern(CALL, `"name":"echo","arguments":{"a":"${"\\n".repeat(size / 2)}","z":"z"}`, PARAM_HEADERS),
  "a batch": (size) => request(`[${list(size / 60, (i) => `{"jsonrpc":"2.0","id":${i},"method":"ping"}`)}]`),
  subscriptions: (size) =>
    modern(
      "subscriptions/listen",
      `"notifications":{"resourceSubscriptions":[${list(size / 12, (i) => `"demo://r${i}"`)}]}`,
      [],
    ),

  "a list of entries": (size) => json(`{"tools":[${list(size / 20, (i) => `{"name":"t${i}"}`)}]}`),
  "a list of entries that stay": (size) => json(`{"tools":[${list(size / 20, (i) => `{"name":"get-${i}"}`)}]}`),
  "entries with many keys": (size) =>
    json(`{"tools":[${list(size / 160, (i) => `{"name":"t${i}",${list(12, (j) => `"naMe${j}":1`)}}`)}]}`),
  "resources with dots": (size) =>
    json(`{"resources":[${list(size / 300, (i) => `{"uri":"demo://resource/static/${"a/../".repeat(50)}${i}"}`)}]}`),
  "resources with escapes": (size) =>
    json(`{"resources":[${list(size / 300, (i) => `{"uri":"demo://resource/static/${"%C3%A9".repeat(40)}${i}"}`)}]}`),
  templates: (size) =>
    json(
      `{"resourceTemplates":[${list(size / 90, (i) => `{"uriTemplate":"demo://resource/static/{a}{b}{c}/{d${i}}"}`)}]}`,
    ),
  "content to take out": (size) =>
    json(`{"content":[${list(size / 60, (i) => `{"type":"resource_link","uri":"demo://r${i}","name":"x"}`)}]}`),
  "content within content": (size) =>
    json(`{"content":${`{"content":[`.repeat(25)}${list(size / 10, () => '{"a":1}')}${"]}".repeat(25)}}`),
  "input requests": (size) =>
    json(
      `{"resultType":"input_required","inputRequests":{${list(size / 40, (i) => `"k${i}":{"method":"roots/list"}`)}}}`,
    ),
  "brackets that never close": (size) => answered("application/json", "[".repeat(size)),
  "a document and more": (size) => answered("application/json", `{}${"x".repeat(size)}`),

  "blank lines": (size) => events("\n".repeat(size)),
  "lines ended by CR": (size) => events("data: 1\r".repeat(size / 8)),
  "CR and LF in turn": (size) => events("\r\n\n\r".repeat(size / 4)),
  "data lines of one event": (size) => events(`${"data: 1\n".repeat(size / 8)}\n`),
  "comments of one event": (size) => events(`${": c\n".repeat(size / 4)}\n`),
  "a line without end": (size) => events(`data: ${"x".repeat(size)}`),
  "line separators": (size) =>
    events(
      `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"a":"${"\u2028".repeat(size / 3)}"}}\n\n`,
    ),
  "separators all but": (size) => events(`: ${"\u2027".repeat(size / 3)}\n\n`),
  "small events": (size) =>
    stream('data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n'.repeat(size / 70)),
  "second answers": (size) => events('data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n'.repeat(size / 45)),
  "lists on a stream": (size) =>
    stream(
      `data: {"jsonrpc":"2.0","id":1,"result":{"tools":[${list(9, (i) => `{"name":"t${i}"}`)}]}}\n\n`.repeat(
        size / 190,
      ),
    ),
  "an endpoint": (size) => stream(`event: endpoint\ndata: ${MESSAGES_PATH}?${"a".repeat(size)}\n\n`),
};
