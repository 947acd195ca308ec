import { expect, test } from "vitest";
import { createLatest } from "../../src/policies/latest.ts";

test("gives the value that was set last", () => {
  const latest = createLatest("first");
  expect(latest.get()).toBe("first");
  latest.set("second");
  expect(latest.get()).toBe("second");
});

test("calls a listener with every later value until it is disposed of", () => {
  const latest = createLatest(0);
  const heard: number[] = [];
  const listen = (value: number) => void heard.push(value);
  const one = latest.subscribe(listen);
  const other = latest.subscribe(listen);
  latest.set(1);
  one[Symbol.dispose]();
  latest.set(2);
  other[Symbol.dispose]();
  latest.set(3);
  expect(heard).toEqual([1, 1, 2]);
});

test("holds the new value already when a listener hears of it", () => {
  const latest = createLatest("old");
  const seen: string[] = [];
  latest.subscribe(() => seen.push(latest.get()));
  latest.set("new");
  expect(seen).toEqual(["new"]);
});
