import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseXfcc, trustedElements } from "../../../src/core/identity/xfcc.ts";

const parse = (...values: readonly string[]) =>
  parseXfcc(values.map((value) => ["x-forwarded-client-cert", value] as const));
const trustedOf = (hops: number, ...values: readonly string[]) =>
  trustedElements(
    values.map((value) => ["x-forwarded-client-cert", value] as const),
    hops,
  );
const uris = (...values: readonly string[]) => parse(...values)?.map((element) => element.uris);

describe("parseXfcc()", () => {
  test("has no element where there is no such header", () => {
    expect(parseXfcc([["x-other", "URI=spiffe://td/a"]])).toEqual([]);
  });

  test.each([
    ["", [[]]],
    ["By=spiffe://td/gw;Hash=ab", [[]]],
    ["Hash=ab;URI=spiffe://td/a", [["spiffe://td/a"]]],
    ["URI=spiffe://td/a;URI=spiffe://td/b", [["spiffe://td/a", "spiffe://td/b"]]],
    ["URI=spiffe://td/far,URI=spiffe://td/near", [["spiffe://td/far"], ["spiffe://td/near"]]],
    ['Subject="CN=a,O=b;URI=spiffe://td/x";URI=spiffe://td/a', [["spiffe://td/a"]]],
    ["uri=spiffe://td/a; URI=spiffe://td/b", [["spiffe://td/a", "spiffe://td/b"]]],
    ["XURI=spiffe://td/a;X URI=spiffe://td/a;URI =spiffe://td/b", [[]]],
    ["URI=", [[""]]],
    ['URI=""', [[""]]],
    ['URI="a"b', [['"a"b']]],
    ['URI=a"b"', [['a"b"']]],
    ['URI="spiffe://td/a"', [["spiffe://td/a"]]],
    ["URI=a=b", [["a=b"]]],
    ['Subject="O=Acme\\, Inc.,CN=\\"a";URI=spiffe://td/a', [["spiffe://td/a"]]],
    ["URI=a\\,URI=b", [["a\\"], ["b"]]],
  ])("finds in %s the URIs %j", (header, expected) => {
    expect(uris(header)).toEqual(expected);
  });

  test("finds the other names, and keeps each element as it came", () => {
    expect(parse('Hash=ab;Subject="CN=a,O=b";DNS=a.example;DNS=b.example')).toEqual([
      {
        text: 'Hash=ab;Subject="CN=a,O=b";DNS=a.example;DNS=b.example',
        uris: [],
        dnsNames: ["a.example", "b.example"],
        subject: "CN=a,O=b",
      },
    ]);
  });

  test("takes a header that stands twice for one list", () => {
    expect(uris("URI=a", "URI=b")).toEqual([["a"], ["b"]]);
  });

  test.each(['Subject="a', '"', 'URI=a,Subject="b', 'Subject="a\\"'])(
    "is none where quotes do not close: %s",
    (header) => {
      expect(parse(header)).toBeUndefined();
    },
  );
});

describe("trustedElements()", () => {
  test.each(['Subject="a', 'Subject="a\\"b"', "URI=a\\", '[{"URI":"a"}]\\'])(
    "cannot be told where quotes do not close, or could close elsewhere: %s",
    (header) => {
      expect(trustedOf(1, header)).toBeUndefined();
    },
  );

  test("are the last ones, and fewer where there are fewer", () => {
    const read = (hops: number) => trustedOf(hops, "URI=a,URI=b")?.map((element) => element.uris);
    expect([read(1), read(2), read(3)]).toEqual([[["b"]], [["a"], ["b"]], [["a"], ["b"]]]);
    expect(trustedElements([], 1)).toEqual([]);
  });

  const subject = fc.string({ unit: fc.constantFrom("a", ",", ";", "=", "URI=spiffe://td/admin", " ") });
  const trusted = fc
    .array(fc.tuple(fc.boolean(), subject), { minLength: 1, maxLength: 3 })
    .map((elements) =>
      elements.map(([hasSubject, text], i) => `${hasSubject ? `Subject="${text}";` : ""}URI=spiffe://td/hop-${i}`),
    );
  const forged = fc.string({
    unit: fc.constantFrom('"', ",", ";", "=", "\\", "URI=spiffe://td/admin", "Subject=", "a"),
    maxLength: 12,
  });

  test("reads the elements of the trusted hops as they are, or nothing, whatever a client has written before them", () => {
    fc.assert(
      fc.property(forged, trusted, (before, elements) => {
        const read = trustedOf(elements.length, [before, ...elements].join(","));
        if (read !== undefined) expect(read.map((element) => element.text)).toEqual(elements);
      }),
    );
  });
});
