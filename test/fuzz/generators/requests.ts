/**
 * Requests of MCP as clients of both eras send them: headers that fit, every method, parameters as the specification has
 * them. Then some are spoiled: by edits of the body (`edits.ts`), by odd headers; and some begin as attacks of the corpus.
 */
import * as fc from "fast-check";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";
import type { RequestCase } from "../case.ts";
import { MESSAGES_PATH, STREAM_PATH } from "../world.ts";
import type { CallerName } from "../world.ts";
import { CORPUS_REQUESTS } from "./corpus-seeds.ts";
import { edited } from "./edited.ts";
import { edit } from "./edits.ts";
import type { Edit } from "./edits.ts";
import { headerEdit, withHeaderEdit } from "./header-edits.ts";
import type { HeaderEdit } from "./header-edits.ts";
import { arrayText, bracesAround, memberText, objectText, turned } from "./json.ts";
import { sketches } from "./sketches.ts";
import type { Sketch } from "./sketches.ts";

const MODERN = "2026-07-28";
const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";

const ids = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom("1", '"a"', "0", "9007199254740991", "-3", '"\\u0061\u00e9"') },
  {
    weight: 1,
    arbitrary: fc.constantFrom("null", "1.0", "1e0", "-0", "true", '""', "9007199254740993", '"\\n"', "{}"),
  },
);

/** How the same request is written. */
const manner = fc.record({
  era: fc.constantFrom("modern", "modern", "2025-11-25", "2025-06-18", "2025-03-26", undefined),
  meta: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(undefined, undefined, '{"progressToken":1}', '{"a/b":{"c":[1.50]}}') },
    { weight: 1, arbitrary: fc.constantFrom('{"a":1,"A":2}', "{}", "null", `{"${VERSION_KEY}":"2025-06-18"}`) },
  ),
  turn: fc.nat(5),
  turnParams: fc.nat(5),
  encodesName: fc.boolean(),
  path: fc.oneof(
    { weight: 12, arbitrary: fc.constant("/mcp") },
    { weight: 1, arbitrary: fc.constantFrom(`${MESSAGES_PATH}?sessionId=abc`, MESSAGES_PATH, STREAM_PATH) },
  ),
  isPretty: fc.constantFrom(false, false, true),
});
type Manner = typeof manner extends fc.Arbitrary<infer T> ? T : never;

function bodyOf({ method, params, kind }: Sketch, id: string, how: Manner): string {
  const meta =
    how.era === "modern"
      ? objectText({ [VERSION_KEY]: JSON.stringify(MODERN), progressToken: how.meta && "1" })
      : how.meta;
  const members = Object.entries({ ...params, ...(meta === undefined || kind === "answer" ? {} : { _meta: meta }) });
  const inner = bracesAround(
    turned(
      members.map(([key, value]) => memberText(key, value)),
      how.turnParams,
    ),
  );
  const whole = [
    memberText("jsonrpc", '"2.0"'),
    ...(kind === "notification" ? [] : [memberText("id", id)]),
    ...(kind === "answer" ? [] : [memberText("method", JSON.stringify(method))]),
    ...(members.length === 0 && kind !== "answer" ? [] : [memberText(kind === "answer" ? method : "params", inner)]),
  ];
  const space = how.isPretty ? " \n" : "";
  return `${space}{${turned(whole, how.turn).join(`,${space}`)}${space}}${space}`;
}

function headersOf({ method, name, repeated, kind }: Sketch, how: Manner): HeaderList {
  const isModern = how.era === "modern";
  const version = isModern ? MODERN : how.era;
  const isPlain = name !== undefined && /^[!-~](?:[ -~]*[!-~])?$/.test(name) && !name.startsWith("=?");
  const written =
    name === undefined || (isPlain && !how.encodesName) ? name : `=?base64?${Buffer.from(name).toString("base64")}?=`;
  return [
    [":method", "POST"],
    [":path", how.path],
    [":authority", "mcp.example"],
    ["content-type", "application/json"],
    ["accept", "application/json, text/event-stream"],
    ...(version === undefined ? [] : [["mcp-protocol-version", version] as const]),
    ...(isModern && kind !== "answer" ? [["mcp-method", method] as const] : []),
    ...(isModern && written !== undefined ? [["mcp-name", written] as const] : []),
    ...repeated,
  ];
}

const callers = fc.oneof(
  { weight: 3, arbitrary: fc.constant<CallerName>("reader") },
  { weight: 5, arbitrary: fc.constant<CallerName>("operator") },
  { weight: 1, arbitrary: fc.constant<CallerName>("admin") },
  { weight: 1, arbitrary: fc.constantFrom<CallerName>("stranger", "nobody") },
);

/** As a client would send it, whoever it is and whatever it may. */
const honestRequests: fc.Arbitrary<RequestCase> = fc
  .record({ caller: callers, what: sketches, id: ids, how: manner })
  .map(({ caller, what, id, how }) => ({ caller, headers: headersOf(what, how), body: utf8(bodyOf(what, id, how)) }));

/** Of the revision that has them, as a rule. */
const batches: fc.Arbitrary<RequestCase> = fc
  .tuple(
    fc.array(honestRequests, { minLength: 1, maxLength: 4 }),
    fc.constantFrom("2025-03-26", undefined, "2025-06-18"),
  )
  .map(([all, version]) => ({
    caller: all[0]?.caller ?? "reader",
    headers: [
      ...(all[0]?.headers ?? []).filter(([name]) => !name.startsWith("mcp-")),
      ...(version === undefined ? [] : [["mcp-protocol-version", version] as const]),
    ],
    body: utf8(arrayText(all.map(({ body }) => textOf(body)))),
  }));

const bodiless = fc.constantFrom("GET", "DELETE", "POST", "HEAD", "OPTIONS", "PUT", "get").chain((method) =>
  fc.tuple(callers, honestRequests).map(([caller, { headers }]) => ({
    caller,
    headers: headers.map(([name, value]) => [name, name === ":method" ? method : value] as const),
    body: new Uint8Array(),
  })),
);

const bases = fc.oneof(
  { weight: 16, arbitrary: honestRequests },
  { weight: 3, arbitrary: fc.constantFrom(...CORPUS_REQUESTS) },
  { weight: 1, arbitrary: bodiless },
  { weight: 2, arbitrary: batches },
);

/** All of it: most as they are, the rest spoiled a little. */
export const requests: fc.Arbitrary<RequestCase> = fc
  .record({
    base: bases,
    edits: fc.oneof(
      { weight: 3, arbitrary: fc.constant<Edit[]>([]) },
      { weight: 2, arbitrary: fc.array(edit, { minLength: 1, maxLength: 2 }) },
    ),
    headerEdits: fc.oneof(
      { weight: 5, arbitrary: fc.constant<HeaderEdit[]>([]) },
      { weight: 1, arbitrary: fc.array(headerEdit, { minLength: 1, maxLength: 2 }) },
    ),
  })
  .map(({ base, edits, headerEdits }) => {
    const body = edits.length === 0 ? base.body : edited(base.body, edits);
    return { ...base, headers: withLength(headerEdits.reduce(withHeaderEdit, base.headers), body), body };
  });

/** Envoy has held the length against the body before it asks us. */
const withLength = (headers: HeaderList, body: Uint8Array): HeaderList =>
  headers.map(([name, value]) => [name, name === "content-length" ? String(body.length) : value]);
