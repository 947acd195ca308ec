import { describe, expect, test } from "vitest";
import { elementsOf, isString, member, ROOT, textAt, valuesOf } from "../../../src/core/jsonrpc/json.ts";
import type { At } from "../../../src/core/jsonrpc/json.ts";
import { ANSWER_SCAN, scan } from "../../../src/core/jsonrpc/scan.ts";
import type { Json } from "../../../src/core/jsonrpc/scan.ts";
import { Splice } from "../../../src/core/jsonrpc/splice.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";

function read(text: string): Json {
  const json = scan(utf8(text), ANSWER_SCAN);
  if (json.kind === "fault") throw new Error(json.message);
  return json;
}

/** The document with `change` made, and what that answered. */
function spliced<T>(text: string, change: (splice: Splice, json: Json) => T): readonly [after: string, answer: T] {
  const json = read(text);
  const splice = new Splice(json);
  const answer = change(splice, json);
  return [textOf(splice.bytes()), answer];
}

/** Keeps the elements at these places, or the members with these keys; in one line what is left, and how many went. */
function keepAt(text: string, kept: readonly number[]): string {
  let place = 0;
  const [after, removed] = spliced(text, (splice) => splice.keep(ROOT, () => kept.includes(place++)));
  return `${after} -${removed}`;
}

describe("Splice.keep() of an array", () => {
  const ABC = "[ 1 , 22 ,\n333 ]";

  test.each([
    ["all", [0, 1, 2], `${ABC} -0`],
    ["none", [], "[  ] -3"],
    ["the first", [0], "[ 1 ] -2"],
    ["the middle", [1], "[ 22 ] -2"],
    ["the last", [2], "[ 333 ] -2"],
    ["all but the first", [1, 2], "[ 22 ,\n333 ] -1"],
    ["all but the middle", [0, 2], "[ 1 ,\n333 ] -1"],
    ["all but the last", [0, 1], "[ 1 , 22 ] -1"],
  ])("keeps %s", (_, kept, expected) => {
    expect(keepAt(ABC, kept)).toBe(expected);
  });

  test.each([
    ["[]", [], "[] -0"],
    ["[ \t]", [], "[ \t] -0"],
    ["[1]", [0], "[1] -0"],
    ["[1]", [], "[] -1"],
    ["[1,2,3,4,5,6,7]", [2, 5], "[3,6] -5"],
    ["[1,2,3,4,5,6,7]", [0, 6], "[1,7] -5"],
    ['["a","]",{"b":[1]},[[]],null]', [1, 3], '["]",[[]]] -3'],
  ])("takes runs out of %s, whatever stands in them", (text, kept, expected) => {
    expect(keepAt(text, kept)).toBe(expected);
  });
});

describe("Splice.keep() of an object", () => {
  const ABC = '{ "a" : 1 , "b":[2] ,"c" :{"d":3} }';

  test.each([
    ["all", [0, 1, 2], `${ABC} -0`],
    ["none", [], "{  } -3"],
    ["the first", [0], '{ "a" : 1 } -2'],
    ["the middle", [1], '{ "b":[2] } -2'],
    ["the last", [2], '{ "c" :{"d":3} } -2'],
    ["all but the first", [1, 2], '{ "b":[2] ,"c" :{"d":3} } -1'],
    ["all but the middle", [0, 2], '{ "a" : 1 ,"c" :{"d":3} } -1'],
    ["all but the last", [0, 1], '{ "a" : 1 , "b":[2] } -1'],
  ])("keeps %s", (_, kept, expected) => {
    expect(keepAt(ABC, kept)).toBe(expected);
  });

  test("asks about keys, also those that are written with escapes", () => {
    const asked: string[] = [];
    const [after] = spliced('{"\\u0061":1,"b\\/":2,"":3}', (splice, json) =>
      splice.keep(ROOT, (key) => {
        asked.push(textAt(json, key));
        return textAt(json, key) !== "a";
      }),
    );
    expect([asked, after]).toEqual([["a", "b/", ""], '{"b\\/":2,"":3}']);
  });
});

describe("Splice", () => {
  const none = (): boolean => false;
  /** Keeps what has another text than this one. */
  const butFor =
    (json: Json, text: string) =>
    (child: At): boolean =>
      textAt(json, child) !== text;

  test("answers the very bytes it read when there is nothing to change", () => {
    const json = read(' {"a":[1.0]}');
    const splice = new Splice(json);
    expect(splice.keep(ROOT, () => true)).toBe(0);
    expect(splice.bytes()).toBe(json.bytes);
  });

  test("leaves every other byte alone: numbers, escapes, white space, the order of keys", () => {
    const [after] = spliced(
      '\n{"2":1e40, "n":9007199254740993,"1":-0.0,"x":"gone","s":"\\u00e9\\/" }\t',
      (splice, json) => splice.keep(ROOT, butFor(json, "x")),
    );
    expect(after).toBe('\n{"2":1e40, "n":9007199254740993,"1":-0.0,"s":"\\u00e9\\/" }\t');
  });

  test.each([
    ['{"a": "old" }', '{"a": NEW }'],
    ['{"a":-1.5e3}', '{"a":NEW}'],
    ['{"a":[ 1, {} ],"b":1}', '{"a":NEW,"b":1}'],
    ['{"a":null}', '{"a":NEW}'],
  ])("replaces a value of any kind as a whole: %s", (text, expected) => {
    const [after] = spliced(text, (splice, json) => splice.replace(member(json, ROOT, "a"), utf8("NEW")));
    expect(after).toBe(expected);
  });

  test("drops what was changed inside a part that goes as a whole, in whatever order it was asked for", () => {
    const text = '{"keep":1,"gone":{"x":"old","list":[1,2]},"last":[3]}';
    const outer = (splice: Splice, json: Json) => splice.keep(ROOT, butFor(json, "gone"));
    const inner = (splice: Splice, json: Json): void => {
      const gone = member(json, ROOT, "gone");
      splice.replace(member(json, gone, "x"), utf8('"new"'));
      splice.keep(member(json, gone, "list"), none);
    };
    for (const changes of [
      [outer, inner],
      [inner, outer],
    ]) {
      const [after] = spliced(text, (splice, json) => changes.forEach((change) => change(splice, json)));
      expect(after).toBe('{"keep":1,"last":[3]}');
    }
  });

  test("drops what was changed in the first of a part that goes, and in the last", () => {
    for (const place of [0, 1]) {
      const [after] = spliced("[[1],[2],3]", (splice, json) => {
        splice.keep(elementsOf(json, ROOT)[place] ?? ROOT, none);
        return splice.keep(ROOT, (child) => child === elementsOf(json, ROOT)[2]);
      });
      expect(after, `place ${place}`).toBe("[3]");
    }
  });

  /** What is left when the one string among the elements is replaced, and then taken out. */
  const replacedAndGone = (text: string): string =>
    spliced(text, (splice, json) => {
      const old = elementsOf(json, ROOT).find((at) => isString(json, at)) ?? ROOT;
      splice.replace(old, utf8('"new"'));
      splice.keep(ROOT, (child) => child !== old);
    })[0];

  test("takes out what was also replaced", () => {
    expect(replacedAndGone('["old",1]')).toBe("[1]");
    expect(replacedAndGone('[1,"old"]')).toBe("[1]");
  });

  // Both edits are of the same bytes then, and the one that was asked for first wins. No caller does that as yet.
  test("takes out what was also replaced when nothing else stands there", () => {
    expect(replacedAndGone('["old"]')).toBe("[]");
  });

  test("makes changes at several depths at once", () => {
    const [after] = spliced('{"a":[{"x":1,"y":2},{"x":3}],"b":"old","c":[4]}', (splice, json) => {
      const [a, b, c] = valuesOf(json, ROOT);
      splice.replace(b ?? ROOT, utf8("5"));
      for (const element of elementsOf(json, a ?? ROOT)) splice.keep(element, butFor(json, "x"));
      splice.keep(c ?? ROOT, none);
    });
    expect(after).toBe('{"a":[{"y":2},{}],"b":5,"c":[]}');
  });
});

describe("Splice.append()", () => {
  test.each([
    ["{}", false, '{"z":1}'],
    ["{ }", false, '{ "z":1}'],
    ['{"a":2}', true, '{"a":2,"z":1}'],
    ['{"a":{}}', true, '{"a":{},"z":1}'],
  ])("adds to %s", (text, hasOthers, expected) => {
    expect(spliced(text, (splice) => splice.append(ROOT, utf8('"z":1'), hasOthers))[0]).toBe(expected);
  });

  test("adds behind what stays, whichever members are taken out", () => {
    for (const [kept, expected] of [
      [[0, 1, 2], '{"a":1,"b":2,"c":3,"z":1}'],
      [[0, 1], '{"a":1,"b":2,"z":1}'],
      [[2], '{"c":3,"z":1}'],
      [[], '{"z":1}'],
    ] as const) {
      let place = 0;
      const [after] = spliced('{"a":1,"b":2,"c":3}', (splice) => {
        splice.append(ROOT, utf8('"z":1'), kept.length > 0);
        splice.keep(ROOT, () => (kept as readonly number[]).includes(place++));
      });
      expect(after).toBe(expected);
    }
  });
});
