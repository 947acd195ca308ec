import { expect, test } from "vitest";
import { add, runTop } from "../../../src/cli/live/top.ts";
import type { Busy } from "../../../src/cli/live/top.ts";
import { decisionOf } from "../../../src/telemetry/decision-line.ts";
import { denied, record, user } from "../../telemetry/records.ts";
import { event, startAdmin, until } from "./fake-admin.ts";
import { terminal } from "./terminal.ts";

function added(...records: readonly Parameters<typeof record>[0][]): readonly Busy[] {
  const busy = new Map<string, Busy>();
  for (const changes of records) add(busy, decisionOf(record(changes)));
  return [...busy.values()];
}

test("best, worst and last are those of calls that a server has answered", () => {
  expect(
    added(
      { durationMs: 20 },
      { durationMs: 10 },
      { durationMs: 40, outcome: { kind: "timeout" } },
      { ...denied(), durationMs: 1 },
      { durationMs: 900, outcome: { kind: "cancelled" } },
      { durationMs: 30 },
    ),
  ).toMatchObject([{ count: 6, denied: 1, best: 0.01, worst: 0.04, last: 0.03, ended: 4, good: 3 }]);
});

test("a tool's own error is no success", () => {
  expect(added({}, { outcome: { kind: "tool_error" } })).toMatchObject([{ count: 2, ended: 2, good: 1 }]);
});

test("a stream has no latency", () => {
  expect(added({ method: "GET", target: undefined, durationMs: 60_000 })).toMatchObject([{ count: 1, worst: null }]);
});

test("callers, servers, methods and names are told apart", () => {
  const rows = added(
    {},
    { identity: user("alice") },
    { server: "tools/other" },
    { method: "tools/list", target: undefined },
  );
  expect(rows.map(({ count }) => count)).toEqual([1, 1, 1, 1]);
});

test("of more kinds of calls than are kept, those seen longest ago go", () => {
  const kinds = Array.from({ length: 1_200 }, (_, i) => ({ identity: user(`user-${i}`) }));
  const rows = added(
    { identity: user("busy") },
    ...kinds.slice(0, 900),
    { identity: user("busy") },
    ...kinds.slice(900),
  );
  expect(rows).toHaveLength(1_000);
  expect(rows.find(({ caller }) => caller === "busy")).toMatchObject({ count: 2 });
  expect(rows.find(({ caller }) => caller === "user-0")).toBeUndefined();
});

const OTHER_PAGE = "\u001b[?1049h\u001b[?25l";
const LEFT_AGAIN = "\u001b[?25h\u001b[?1049l";

test("a terminal gets its page back, with the last table on it", async () => {
  await using admin = await startAdmin();
  const { screen, kept } = terminal(100);
  const over = new AbortController();
  const complain = { write: (text: string) => expect(text).toBe("") };
  const ended = runTop({ admin: admin.admin }, { screen, complain, signal: over.signal }, () => 6);
  await until(() => admin.taps.length === 1);
  const callers = Array.from({ length: 9 }, (_, i) => event(decisionOf(record({ identity: user(`user-${i}`) }))));
  admin.taps[0]?.write(callers.join(""));
  await until(() => kept.text.includes("user-"));
  over.abort();
  expect(await ended).toBe(0);
  const [drawn = "", last = ""] = kept.text.split(LEFT_AGAIN);
  expect(drawn.startsWith(OTHER_PAGE)).toBe(true);
  // No more than the terminal is high, or it would scroll.
  for (const page of drawn.split("\u001b[H").slice(1)) expect(page.split("\n").length).toBeLessThanOrEqual(6);
  expect(last.split("\n").filter((line) => line.startsWith("user-"))).toHaveLength(9);
});

test("a terminal is not touched when nobody answers", async () => {
  const { screen, kept } = terminal(100);
  let said = "";
  const watching = {
    screen,
    complain: { write: (text: string) => (said += text) },
    signal: new AbortController().signal,
  };
  expect(await runTop({ admin: "http://127.0.0.1:1" }, watching, () => 24)).toBe(1);
  expect([kept.text, said.includes("ECONNREFUSED")]).toEqual(["", true]);
});
