import * as fc from "fast-check";
import { expect, test } from "vitest";
import { jsonText } from "../fixtures/arbitraries.ts";
import { textOf } from "../fixtures/bytes.ts";
import { optionsWith, play, requestBody, requestHeaders } from "../fixtures/exchanges.ts";
import { allow, FROM_READER, policyDocument, policySetWith } from "../fixtures/policies.ts";
import { OTHER, PARENT, TRACE_ID } from "../fixtures/traces.ts";

const POLICIES = policySetWith(policyDocument("p", [allow("a", FROM_READER, { tools: ["echo"] })]));
const CLIENT = "2".repeat(16);
const spans = { traceId: TRACE_ID, server: "1".repeat(16), client: CLIENT };

const metas = fc
  .record({
    before: fc.boolean(),
    parent: fc.constantFrom("", PARENT, OTHER, "no"),
    state: fc.boolean(),
    other: jsonText,
  })
  .map(({ before, parent, state, other }) => {
    const members = [
      ...(parent === "" ? [] : [`"traceparent" : "${parent}"`]),
      ...(state ? [`"trace\\u0073tate":"a=1"`] : []),
    ];
    const rest = `"other": ${other}`;
    return `{ ${(before ? [rest, ...members] : [...members, rest]).join(" ,")} }`;
  });
const bodies = fc
  .record({ args: jsonText, meta: fc.option(metas), isFirst: fc.boolean() })
  .map(({ args, meta, isFirst }) => {
    const named = `"name":"echo","arguments":{"a":${args}}`;
    const params = meta === null ? named : isFirst ? `"_meta":${meta},${named}` : `${named} , "_meta" : ${meta}`;
    return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{${params}}}`;
  });

/** The text that goes on of `body`; undefined when it is refused. */
function sent(body: string, startSpans: (() => typeof spans) | undefined): string | undefined {
  const { replies } = play({ ...optionsWith(POLICIES), startSpans }, [requestHeaders(), requestBody(body)]);
  const reply = replies[1];
  return reply?.kind === "requestBody" ? (reply.body === undefined ? body : textOf(reply.body)) : undefined;
}

const TRACE = /"trace(?:parent|state)":"[^"]*"/g;
const OURS = new RegExp(`"traceparent":"00-${TRACE_ID}-${CLIENT}-01"`, "g");

/** Without what says where it comes from, and without what only held that. */
const stripped = (text: string): string =>
  text
    .replaceAll(TRACE, "")
    .replaceAll(/,+/g, ",")
    .replaceAll(/([{[]),|,([}\]])/g, "$1$2")
    .replaceAll(/,?"_meta":\{\}/g, "");

test("who participates changes where a request says that it comes from, once, and no other byte of its canonical form", () => {
  let participated = 0;
  fc.assert(
    fc.property(bodies, (body) => {
      const [plain, traced] = [sent(body, undefined), sent(body, () => spans)];
      expect(traced === undefined).toBe(plain === undefined);
      if (plain === undefined || traced === undefined) return;
      participated++;
      expect(traced.match(OURS)).toHaveLength(1);
      expect(traced.match(/"traceparent":/g)).toHaveLength(1);
      expect(stripped(traced)).toBe(stripped(plain));
      expect(sent(traced, undefined)).toBe(traced);
    }),
    { numRuns: 2000 },
  );
  expect(participated).toBeGreaterThan(500);
});
