import { describe, expect, test } from "vitest";
import { ago, count, duration, percent, plural, rate } from "../../src/admin/page/format.js";
import { sorted } from "../../src/admin/page/sort.js";

describe("a number reads", () => {
  test.each([
    [0, "0"],
    [0.004, "<0.01"],
    [0.05, "0.05"],
    [6.87, "6.9"],
    [123.4, "123"],
  ])("%d calls a second as %s", (value, text) => expect(rate(value)).toBe(text));

  test.each([
    [null, "–"],
    [1, "100 %"],
    [0.99999, "99.99 %"],
    [0.954, "95.4 %"],
    [0, "0.0 %"],
  ])("a share of %s as %s: never 100 when something has failed", (value, text) => expect(percent(value)).toBe(text));

  test.each([
    [undefined, "–"],
    [0.0002, "<1 ms"],
    [0.0244, "24 ms"],
    [4.21, "4.2 s"],
    [75, "1 min"],
  ])("%s seconds as %s", (value, text) => expect(duration(value)).toBe(text));

  test("large ones in thousands and millions", () =>
    expect([9_999, 12_345, 2_500_000].map(count)).toStrictEqual(["9999", "12.3k", "2.5M"]));

  test("with its noun", () => expect([plural(1, "rule"), plural(2, "rule")]).toStrictEqual(["1 rule", "2 rules"]));

  test("how long ago it was", () =>
    expect([0, 999, 3_000, 61_000, 7_200_000, 200_000_000].map((ms) => ago(-ms, 0))).toStrictEqual([
      "now",
      "now",
      "3 s ago",
      "1 min ago",
      "2 h ago",
      "2 d ago",
    ]));
});

describe("rows", () => {
  const rows = [{ n: 2 }, { n: null }, { n: 10 }, { n: 1 }];
  const order = (descending: boolean): unknown => sorted(rows, ({ n }) => n, descending).map(({ n }) => n);

  test("are in the order of their numbers, those without one last, either way", () => {
    expect(order(false)).toStrictEqual([1, 2, 10, null]);
    expect(order(true)).toStrictEqual([10, 2, 1, null]);
  });

  test("are in the order of their names as people count", () =>
    expect(sorted(["tool-10", "tool-9"], (name) => name, false)).toStrictEqual(["tool-9", "tool-10"]));
});
