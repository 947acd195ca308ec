import { describe, expect, test } from "vitest";
import { urisOfNearestHop } from "../../../src/core/identity/xfcc.ts";

describe("urisOfNearestHop()", () => {
  test.each([
    ["", []],
    ["By=spiffe://td/gw;Hash=ab", []],
    ["Hash=ab;URI=spiffe://td/a", ["spiffe://td/a"]],
    ["URI=spiffe://td/a;URI=spiffe://td/b", ["spiffe://td/a", "spiffe://td/b"]],
    ["URI=spiffe://td/far,URI=spiffe://td/near", ["spiffe://td/near"]],
    ['Subject="CN=a,O=b;URI=spiffe://td/x";URI=spiffe://td/a', ["spiffe://td/a"]],
    ['Subject="a\\",URI=spiffe://td/x";URI=spiffe://td/a', ["spiffe://td/a"]],
    ["uri=spiffe://td/a; URI=spiffe://td/b", ["spiffe://td/a", "spiffe://td/b"]],
    ["XURI=spiffe://td/a", []],
    ["URI=", [""]],
  ])("finds in %s the URIs %j", (header, uris) => {
    expect(urisOfNearestHop(header)).toEqual(uris);
  });
});
