import { describe, expect, test } from "vitest";
import { merge, NOTHING_SEEN, outcomeOf, unanswered, withoutRest } from "../../../src/core/exchange/seen.ts";
import type { Seen } from "../../../src/core/exchange/seen.ts";
import type { Id } from "../../../src/core/jsonrpc/message.ts";
import { deliver, withhold } from "../../../src/core/mcp/answer.ts";
import type { Delivery } from "../../../src/core/mcp/answer.ts";
import { askedWith } from "../../fixtures/asked.ts";
import { utf8 } from "../../fixtures/bytes.ts";
import { notification, request, result, rpcError } from "../../fixtures/messages.ts";

const [ONE, TWO] = ["1" as Id, "2" as Id];
const OF_ONE = askedWith(["tool a"]);
const OF_TWO = askedWith(["tool a"], { pending: [ONE, TWO].map((id) => ({ id, method: "tools/list" as const })) });
const ON_STREAM = askedWith(["tool a"], { pending: undefined });

const answer = (text: string, asked = OF_ONE): Delivery => deliver(utf8(text), asked);

describe("merge()", () => {
  const after = (...texts: readonly string[]): Seen =>
    texts.reduce((seen, text) => merge(seen, OF_TWO, answer(text, OF_TWO)), NOTHING_SEEN);

  test("keeps what each answer says, in their order", () => {
    expect(
      after(rpcError(-5, 2), notification("notifications/progress"), result({ isError: true }, 1)).answered,
    ).toEqual([
      { id: TWO, outcome: { kind: "rpc_error", code: -5 } },
      { id: ONE, outcome: { kind: "tool_error" } },
    ]);
  });

  test("adds up what was hidden, and keeps the names of a list and the tools that have changed", () => {
    const list = (id: number): string => result({ tools: [{ name: "a" }, { name: "b" }] }, id);
    expect(after(list(1), list(2), result({}, 1))).toMatchObject({
      hiddenItems: 2,
      listed: [
        { kind: "tool", names: ["a", "b"] },
        { kind: "tool", names: ["a", "b"] },
      ],
    });
    const changed = { ...answer(result({}, 1)), changedTools: ["a"] };
    const unchanged = answer(result({}, 1));
    expect(merge(merge(NOTHING_SEEN, OF_ONE, changed), OF_ONE, unchanged).changedTools).toEqual(["a"]);
  });

  test("keeps the last list alone on a stream that nobody's request opened, which may never end", () => {
    const [one, two] = ["a", "b"].map((name) => answer(result({ tools: [{ name }] }, 1), ON_STREAM));
    const seen = merge(merge(NOTHING_SEEN, ON_STREAM, one!), ON_STREAM, two!);
    expect(seen.listed).toEqual([{ kind: "tool", names: ["b"] }]);
    expect(merge(seen, ON_STREAM, answer(result({}, 1), ON_STREAM)).listed).toEqual(seen.listed);
  });

  test.each<readonly [string, Delivery, boolean]>([
    ["what could not be read", answer("{"), true],
    ["what was too large", withhold("too-large", "is large"), true],
    ["an answer that no rule allows", answer(result({ task: { taskId: "t" } }, 1)), true],
    ["an answer to another request", answer(result({}, 9)), false],
    ["a request of the server that no rule allows", answer(request("roots/list", {}, 9)), false],
    ["a notification that no rule allows", answer(notification("notifications/message")), false],
    ["what was delivered", answer(result({}, 1)), false],
  ])("takes for lost what may have been the answer: %s", (_, delivery, isLost) => {
    expect(merge(NOTHING_SEEN, OF_ONE, delivery).lost).toEqual(isLost ? delivery.fault : undefined);
  });

  test("does not forget that something was lost, nor that events had ids", () => {
    const seen: Seen = { ...merge(NOTHING_SEEN, OF_ONE, answer("{")), isResumable: true };
    expect(merge(seen, OF_ONE, answer(result({}, 1)))).toMatchObject({ lost: seen.lost, isResumable: true });
  });
});

describe("what is no answer to anybody", () => {
  const ACKNOWLEDGED = notification("notifications/subscriptions/acknowledged", {
    notifications: { taskIds: ["t"] },
  });

  test("is not among the answers, whatever else it tells", () => {
    expect(merge(NOTHING_SEEN, OF_ONE, withhold("unexpected", "is odd"))).toEqual(NOTHING_SEEN);
    expect(merge(NOTHING_SEEN, ON_STREAM, answer(result({}, 1), ON_STREAM))).toEqual(NOTHING_SEEN);
    expect(merge(NOTHING_SEEN, OF_ONE, answer(ACKNOWLEDGED))).toEqual({
      ...NOTHING_SEEN,
      hiddenItems: 1,
      isAcknowledged: true,
    });
  });

  test("adds no list to those of the answers: a server may send as many as it likes", () => {
    const told = notification("notifications/tasks", {
      taskId: "t",
      status: "completed",
      result: { tools: [{ name: "a" }] },
    });
    const asked = askedWith(["method tasks/get", "tool a"]);
    expect(answer(told, asked).listed).toHaveLength(1);
    expect(merge(NOTHING_SEEN, asked, answer(told, asked)).listed).toEqual([]);
  });
});

describe("withoutRest()", () => {
  test("is how each call ends whose answer has not come, unless that is known already", () => {
    const BROKEN = { kind: "transport_error" };
    expect(withoutRest(NOTHING_SEEN, ON_STREAM).rest).toEqual(BROKEN);
    expect(withoutRest({ ...NOTHING_SEEN, rest: { kind: "ok" } }, ON_STREAM).rest).toEqual({ kind: "ok" });
    const one = merge(NOTHING_SEEN, OF_TWO, answer(result({}, 1), OF_TWO));
    expect(withoutRest(one, OF_TWO).answered).toEqual([
      { id: ONE, outcome: { kind: "ok" } },
      { id: TWO, outcome: BROKEN },
    ]);
  });
});

describe("outcomeOf() and unanswered()", () => {
  const rest = { kind: "transport_error" } as const;
  const seen: Seen = { ...merge(NOTHING_SEEN, OF_TWO, answer(result({}, 1), OF_TWO)), rest };

  test("say what a call's own answer said, else how the others have ended, once that is known", () => {
    expect([outcomeOf(seen, ONE), outcomeOf(seen, TWO)]).toEqual([{ kind: "ok" }, rest]);
    expect(unanswered(seen, OF_TWO.pending ?? [])).toEqual([TWO]);
    expect(outcomeOf(NOTHING_SEEN, ONE)).toBeUndefined();
  });

  test("go by the first answer to a call", () => {
    const twice = merge(seen, OF_TWO, answer(rpcError(-1, 1), OF_TWO));
    expect(outcomeOf(twice, ONE)).toEqual({ kind: "ok" });
  });
});
