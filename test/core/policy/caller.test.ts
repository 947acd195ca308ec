import { describe, expect, test } from "vitest";
import { identify } from "../../../src/core/identity/identify.ts";
import type { Peer } from "../../../src/core/identity/identify.ts";
import type { Claim, Identity } from "../../../src/core/identity/identity.ts";
import { compileCaller, isCaller, onlyWorkload } from "../../../src/core/policy/caller.ts";
import type { FromEntry } from "../../../src/core/policy/document.ts";
import { ANONYMOUS, identity, ISSUER, peer, READER, user } from "../../fixtures/identities.ts";
import { FROM_ANYONE, FROM_READER, TRUST_DOMAIN } from "../../fixtures/policies.ts";

const named = (names: Partial<Peer>): Identity =>
  identify(
    { peer: peer("", names), headers: [], jwtPayload: undefined },
    { workload: "peer", trustDomain: "cluster.local" },
  );
const is = (from: FromEntry, caller: Identity): string => isCaller(compileCaller(from, TRUST_DOMAIN), caller);

describe("isCaller() by workload", () => {
  test("anyone is everyone, also nobody", () => {
    expect([is(FROM_ANYONE, ANONYMOUS), is(FROM_ANYONE, READER)]).toEqual(["yes", "yes"]);
  });

  test("a service account is one of the trust domain that is configured", () => {
    expect(is(FROM_READER, READER)).toBe("yes");
    expect(is(FROM_READER, identity("spiffe://other.domain/ns/agents/sa/reader"))).toBe("no");
    expect(is(FROM_READER, identity("spiffe://cluster.local/ns/agents/sa/reader2"))).toBe("no");
    expect(is(FROM_READER, ANONYMOUS)).toBe("no");
  });

  test("a SPIFFE ID is exact, or a pattern", () => {
    expect(is({ spiffe: "spiffe://cluster.local/ns/agents/sa/reader" }, READER)).toBe("yes");
    expect(is({ spiffe: "spiffe://cluster.local/ns/agents/sa" }, READER)).toBe("no");
    expect(is({ spiffe: "spiffe://cluster.local/ns/agents/*" }, READER)).toBe("yes");
    expect(is({ spiffe: "spiffe://cluster.local/ns/other/*" }, READER)).toBe("no");
    expect(is({ spiffe: "spiffe://*" }, ANONYMOUS)).toBe("no");
  });

  test("a certificate's own name is of the kind that the rule says, exact or a pattern", () => {
    const [dns, subject] = [named({ dnsSan: "a.example" }), named({ subject: "a.example" })];
    expect(is({ certificate: { dns: "a.example" } }, dns)).toBe("yes");
    expect(is({ certificate: { dns: "*.example" } }, dns)).toBe("yes");
    expect(is({ certificate: { dns: "A.example" } }, dns)).toBe("no");
    expect(is({ certificate: { subject: "a.example" } }, dns)).toBe("no");
    expect(is({ certificate: { subject: "a.example" } }, subject)).toBe("yes");
    expect(is({ certificate: { dns: "*" } }, subject)).toBe("no");
    expect(is({ certificate: { dns: "*" } }, READER)).toBe("no");
    expect(is({ spiffe: "spiffe://*" }, dns)).toBe("no");
    expect(is(FROM_READER, named({ dnsSan: "spiffe://cluster.local/ns/agents/sa/reader" }))).toBe("no");
  });

  test("one that has been shown and cannot be told is unknown: a Deny rule is about it", () => {
    const [several, none] = [
      { ...user({}), workload: { absent: "several-uri-sans" } },
      { ...user({}), workload: { absent: "no-certificate" } },
    ] as const;
    for (const from of [FROM_READER, { spiffe: "spiffe://*" }, { certificate: { dns: "a" } }])
      expect([is(from, several), is(from, none)]).toEqual(["unknown", "no"]);
    expect(is({ ...FROM_READER, jwt: { issuer: ISSUER } }, several)).toBe("unknown");
    expect(is({ ...FROM_READER, jwt: { issuer: "https://other" } }, several)).toBe("no");
    expect(is(FROM_ANYONE, several)).toBe("yes");
  });

  test("both must hold when both are written", () => {
    expect(is({ ...FROM_READER, spiffe: "spiffe://cluster.local/*" }, READER)).toBe("yes");
    expect(is({ ...FROM_READER, spiffe: "spiffe://other/*" }, READER)).toBe("no");
  });
});

describe("isCaller() by user", () => {
  test("the issuer is exact", () => {
    expect(is({ jwt: { issuer: ISSUER } }, user({}))).toBe("yes");
    expect(is({ jwt: { issuer: `${ISSUER}/` } }, user({}))).toBe("no");
    expect(is({ jwt: { issuer: "*" } }, user({}))).toBe("no");
    expect(is({ jwt: { issuer: ISSUER } }, READER)).toBe("no");
  });

  test("the subject is exact, and unknown when the token has none", () => {
    const from = { jwt: { issuer: ISSUER, subject: "ada" } };
    expect(is(from, user({ sub: "ada" }))).toBe("yes");
    expect(is(from, user({ sub: "Ada" }))).toBe("no");
    expect(is(from, identity(undefined, { iss: ISSUER }))).toBe("unknown");
    expect(is(from, user({ sub: 7 }))).toBe("unknown");
  });

  test("a subject that is unknown leaves a claim that fails to decide", () => {
    const jwt = { issuer: ISSUER, subject: "ada", claims: [{ name: "team", values: ["search"] }] };
    expect(is({ jwt }, identity(undefined, { iss: ISSUER, team: "ads" }))).toBe("no");
    expect(is({ jwt }, identity(undefined, { iss: ISSUER, team: "search" }))).toBe("unknown");
    expect(is({ jwt }, identity(undefined, { iss: ISSUER }))).toBe("unknown");
  });

  test("workload and user must both hold when both are written", () => {
    const from: FromEntry = { ...FROM_READER, jwt: { issuer: ISSUER, subject: "ada" } };
    const uri = "spiffe://cluster.local/ns/agents/sa/reader";
    expect(is(from, identity(uri, { iss: ISSUER, sub: "ada" }))).toBe("yes");
    expect(is(from, identity(uri, { iss: ISSUER }))).toBe("unknown");
    expect(is(from, READER)).toBe("no");
    expect(is(from, user({}))).toBe("no");
    expect(is(from, identity("spiffe://cluster.local/ns/agents/sa/writer", { iss: ISSUER }))).toBe("no");
  });
});

describe("isCaller() by claims", () => {
  const hasTeam = (claims: { readonly [name: string]: Claim }, name = "team", values = ["search", "ads"]): string =>
    is({ jwt: { issuer: ISSUER, claims: [{ name, values }] } }, user(claims));

  test.each<readonly [{ readonly [name: string]: Claim }, string]>([
    [{ team: "search" }, "yes"],
    [{ team: "ads" }, "yes"],
    [{ team: "Search" }, "no"],
    [{ team: "search ads" }, "no"],
    [{ team: "" }, "no"],
    [{ team: ["x", "ads"] }, "yes"],
    [{ team: ["x"] }, "no"],
    [{ team: [] }, "no"],
    [{ team: ["x", 1] }, "unknown"],
    [{ team: ["ads", 1] }, "yes"],
    [{ team: [["ads"]] }, "unknown"],
    [{ team: 1 }, "unknown"],
    [{ team: true }, "unknown"],
    [{ team: null }, "unknown"],
    [{ team: { search: true } }, "unknown"],
    [{}, "unknown"],
    [{ Team: "search" }, "unknown"],
  ])("%j: %s", (claims, truth) => {
    expect(hasTeam(claims)).toBe(truth);
  });

  test("a dotted name is the claim of that name, else a path", () => {
    expect(hasTeam({ a: { b: "search" } }, "a.b")).toBe("yes");
    expect(hasTeam({ "a.b": "search" }, "a.b")).toBe("yes");
    expect(hasTeam({ "a.b": "other", a: { b: "search" } }, "a.b")).toBe("no");
    expect(hasTeam({ "https://example.com/roles": ["ads"] }, "https://example.com/roles")).toBe("yes");
    expect(hasTeam({ a: "search" }, "a.b")).toBe("unknown");
    expect(hasTeam({ a: ["search"] }, "a.0")).toBe("unknown");
    expect(hasTeam({ a: null }, "a.b")).toBe("unknown");
  });

  test.each(["constructor", "__proto__", "toString", "constructor.name", "a.constructor.name", "a.length"])(
    "the name %s finds nothing that no token holds",
    (name) => {
      expect(hasTeam({ a: "search" }, name, ["Object", "String", "search"])).toBe("unknown");
    },
  );

  test("all requirements must hold: one that fails decides over one that is unknown", () => {
    const from = (...names: readonly string[]): FromEntry => ({
      jwt: { issuer: ISSUER, claims: names.map((name) => ({ name, values: ["yes"] })) },
    });
    const caller = user({ a: "yes", b: "yes", no: "no" });
    expect(is(from("a", "b"), caller)).toBe("yes");
    expect(is(from("a", "missing"), caller)).toBe("unknown");
    expect(is(from("missing", "no"), caller)).toBe("no");
    expect(is(from("no", "missing"), caller)).toBe("no");
  });
});

describe("onlyWorkload()", () => {
  test("is set where exactly one SPIFFE ID can be meant", () => {
    const only = (from: FromEntry) => onlyWorkload(compileCaller(from, TRUST_DOMAIN));
    expect(only(FROM_READER)).toBe("spiffe://cluster.local/ns/agents/sa/reader");
    expect(only({ spiffe: "spiffe://td/a" })).toBe("spiffe://td/a");
    expect(only({ spiffe: "spiffe://td/*" })).toBeUndefined();
    expect(only(FROM_ANYONE)).toBeUndefined();
    expect(only({ jwt: { issuer: ISSUER } })).toBeUndefined();
    expect(only({ ...FROM_READER, spiffe: "spiffe://cluster.local/*" })).toBe(
      "spiffe://cluster.local/ns/agents/sa/reader",
    );
  });
});
