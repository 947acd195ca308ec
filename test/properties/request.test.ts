import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonText, mutated } from "../fixtures/arbitraries.ts";
import { textOf, utf8 } from "../fixtures/bytes.ts";
import { playRequest } from "../fixtures/exchanges.ts";
import { allow, FROM_READER, policyDocument, policySetWith } from "../fixtures/policies.ts";

const POLICIES = policySetWith(policyDocument("p", [allow("a", FROM_READER, { tools: ["echo"], prompts: ["echo"] })]));

/** Calls that are close to what is allowed. */
const calls = fc
  .record({
    method: fc.constantFrom("tools/call", "tools\\/call", "tools/Call", "prompts/get", "ping", "tools/list"),
    name: fc.constantFrom("echo", "\\u0065cho", "get-env", "Echo"),
    args: jsonText,
    twice: fc.constantFrom("", ',"name":"get-env"', ',"Name":"get-env"', ',"n\\u0061me":"get-env"'),
    after: fc.constantFrom("", "", " ", "\n", "{}", ',"result":{}'),
  })
  .map(
    ({ method, name, args, twice, after }) =>
      `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{"name":"${name}","arguments":{"a":${args}}${twice}}}${after}`,
  );
const bodies = fc.oneof(calls.map(utf8), mutated(calls));

type Call = { readonly method?: unknown; readonly params?: { readonly name?: unknown } };

describe("a body", () => {
  test("that goes on is read by JSON.parse as the call that was decided on, and goes on unchanged a second time", () => {
    let allowed = 0;
    fc.assert(
      fc.property(bodies, (body) => {
        const { exchange, replies } = playRequest(POLICIES, body);
        const reply = replies[1];
        if (exchange.request.at !== "permitted" || reply?.kind !== "requestBody") {
          expect(reply?.kind).toBe("immediateResponse");
          return;
        }
        allowed++;
        const [judged] = exchange.request.judged;
        if (judged?.verdict !== "permitted") throw new Error("what went on was not permitted");
        const { call } = judged;
        const sent = reply.body ?? body;
        const read = JSON.parse(textOf(sent)) as Call;
        expect(read.method).toBe(call.method);
        if (call.target !== undefined) expect([read.params?.name, "echo"]).toEqual(["echo", call.target.name]);
        expect(playRequest(POLICIES, sent).replies[1]).toMatchObject({ kind: "requestBody", body: undefined });
      }),
      { numRuns: 3000 },
    );
    expect(allowed, "bodies that go on").toBeGreaterThan(100);
  });
});
