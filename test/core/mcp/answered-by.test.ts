import { describe, expect, test } from "vitest";
import type { Id } from "../../../src/core/jsonrpc/message.ts";
import { answeredBy, deliver } from "../../../src/core/mcp/answer.ts";
import type { Delivery } from "../../../src/core/mcp/answer.ts";
import { askedWith } from "../../fixtures/asked.ts";
import { utf8 } from "../../fixtures/bytes.ts";
import { notification, request, result, rpcError } from "../../fixtures/messages.ts";

const [ONE, TWO] = ["1" as Id, "2" as Id];
const OF_ONE = askedWith(["tool a"]);
const OF_TWO = askedWith(["tool a"], { pending: [ONE, TWO].map((id) => ({ id, method: "tools/list" as const })) });
const ON_STREAM = askedWith(["tool a"], { pending: undefined });

const answer = (text: string, asked = OF_ONE): Delivery => deliver(utf8(text), asked);

describe("answeredBy()", () => {
  test("is the request whose id the answer has", () => {
    expect(answeredBy(OF_ONE, answer(result({}, 1)))).toBe(ONE);
    expect(answeredBy(OF_TWO, answer(result({}, 2), OF_TWO))).toBe(TWO);
    expect(answeredBy(OF_TWO, answer(rpcError(-1, 1), OF_TWO))).toBe(ONE);
  });

  test("is the one request there is for an error without an id, and of several none", () => {
    expect(answeredBy(OF_ONE, answer(rpcError(-32700, null)))).toBe(ONE);
    expect(answeredBy(OF_TWO, answer(rpcError(-32700, null), OF_TWO))).toBeUndefined();
  });

  test("is none for what is no answer, for another's, and on a stream that nobody's request opened", () => {
    for (const text of [notification("notifications/progress"), request("ping", {}, 1), result({}, 9), "{", "[]"])
      expect(answeredBy(OF_ONE, answer(text)), text).toBeUndefined();
    expect(answeredBy(ON_STREAM, answer(result({}, 1), ON_STREAM))).toBeUndefined();
    expect(answeredBy(askedWith([], { pending: [] }), answer(rpcError(-1, null)))).toBeUndefined();
  });

  test("is known also for an answer that is withheld", () => {
    expect(answeredBy(OF_ONE, answer(result({ task: { taskId: "t" } }, 1)))).toBe(ONE);
  });
});
