import { expect, onTestFinished, test, vi } from "vitest";
import { oncePerMinute } from "../../src/cli/once-per-minute.ts";

const MINUTE_MS = 60_000;

test("says each message once a minute", () => {
  let nowMs = 0;
  const said: string[] = [];
  const say = oncePerMinute(
    (message) => said.push(message),
    () => nowMs,
  );
  for (const message of ["one", "one", "two"]) say(message);
  nowMs = MINUTE_MS - 1;
  say("one");
  expect(said).toEqual(["one", "two"]);
  nowMs = MINUTE_MS;
  say("one");
  expect(said).toEqual(["one", "two", "one"]);
});

test("says no message again, and none later, when the clock on the wall jumps", () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const said: string[] = [];
  const say = oncePerMinute((message) => said.push(message));
  say("one");
  for (const days of [1, -2]) {
    vi.setSystemTime(Date.now() + days * 24 * 60 * MINUTE_MS);
    say("one");
  }
  expect(said).toEqual(["one"]);
});
