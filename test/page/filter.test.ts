import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exactly, isChosen, matches, parseFilter, toggled } from "../../src/admin/page/filter.js";
import { formatPlace, parsePlace } from "../../src/admin/page/location.js";

const ABOUT = { server: ["tools/everything"], tool: ["get-sum"], caller: ["agents/reader", "alice"] };
const passes = (filter: string): boolean => matches(parseFilter(filter), ABOUT);

describe("a filter", () => {
  test.each([
    ["", true],
    ["sum", true],
    ["SUM", true],
    ["sum alice", true],
    ["sum bob", false],
    ["tool:sum", true],
    ["server:sum", false],
    ["tool=get-sum", true],
    ["tool=sum", false],
    ["tool=GET-SUM", false],
    ["caller=alice tool:get", true],
    ['"get-sum"', true],
    ["rule=tools/readers", true],
  ])("%j passes a tool's row: %s", (filter, passed) => expect(passes(filter)).toBe(passed));

  test("of a name has that name alone, whatever is in it", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, other) => {
        const terms = parseFilter(exactly("tool", name));
        expect(terms).toStrictEqual([{ field: "tool", exact: true, text: name }]);
        expect(matches(terms, { tool: [other] })).toBe(name === other);
      }),
    );
  });

  test("takes a name, another one in its place, and gives it back", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, other) => {
        fc.pre(name !== other);
        const once = toggled("caller:al", "tool", name);
        expect(isChosen(parseFilter(once), "tool", name)).toBe(true);
        expect(toggled(once, "tool", name)).toBe("caller:al");
        expect(parseFilter(toggled(once, "tool", other))).toHaveLength(2);
      }),
    );
  });
});

describe("an address", () => {
  test("has what it was made of", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(60, 300), fc.constantFrom("", "policy"), (filter, windowSeconds, at) => {
        const place = { filter, windowSeconds, at };
        expect(parsePlace(formatPlace(place))).toStrictEqual(place);
      }),
    );
  });

  test("that somebody has written by hand is a place all the same", () => {
    expect(parsePlace("#window=7&filter")).toStrictEqual({ filter: "", windowSeconds: 60, at: "" });
    expect(parsePlace("#%%%")).toStrictEqual({ filter: "", windowSeconds: 60, at: "" });
  });
});
