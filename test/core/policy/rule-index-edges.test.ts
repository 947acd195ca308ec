import { describe, expect, test } from "vitest";
import type { Identity } from "../../../src/core/identity/identity.ts";
import { compileCaller } from "../../../src/core/policy/caller.ts";
import type { FromEntry } from "../../../src/core/policy/document.ts";
import { parsePattern } from "../../../src/core/policy/pattern.ts";
import { ALLOW_APPLIES, CallerIndex, DENY_APPLIES, NameIndex } from "../../../src/core/policy/rule-index.ts";
import type { Entry } from "../../../src/core/policy/rule-index.ts";
import { ANONYMOUS, identity, ISSUER, READER, user, WRITER } from "../../fixtures/identities.ts";
import { FROM_ANYONE, FROM_READER, TRUST_DOMAIN } from "../../fixtures/policies.ts";

const entry = (rule: string, from: FromEntry, pattern = "*"): Entry => ({
  rule: { policy: "p", rule },
  caller: compileCaller(from, TRUST_DOMAIN),
  pattern: parsePattern(pattern),
});
const withClaim = (name: string, ...values: string[]): FromEntry => ({
  jwt: { issuer: ISSUER, claims: [{ name, values }] },
});

describe("CallerIndex of rules about claims", () => {
  const index = new CallerIndex();
  index.add(entry("search-or-ads", withClaim("team", "search", "ads")));
  index.add(entry("sales", withClaim("team", "sales")));
  index.add(entry("sales-too", withClaim("team", "sales")));
  index.add(entry("admin", withClaim("role", "admin")));
  index.add(entry("bob", { jwt: { issuer: ISSUER, subject: "bob", claims: [{ name: "role", values: ["bobs"] }] } }));
  const found = (caller: Identity, applies = ALLOW_APPLIES): string | undefined =>
    index.find(caller, undefined, applies)?.rule.rule;

  test("finds each by any of its values, among several of the token", () => {
    expect(found(user({ team: "search" }))).toBe("search-or-ads");
    expect(found(user({ team: "ads" }))).toBe("search-or-ads");
    expect(found(user({ team: ["x", "sales"] }))).toBe("sales");
    expect(found(user({ role: "admin" }))).toBe("admin");
    expect(found(user({ team: "x", role: "admin" }))).toBe("admin");
  });

  test("finds none by a value of another claim, and none by a claim of another issuer", () => {
    expect(found(user({ team: "admin", role: "search" }))).toBeUndefined();
    expect(found(identity(undefined, { iss: "https://other", sub: "ada", team: "search" }))).toBeUndefined();
    expect(found(user({ team: "admin", role: "search" }), DENY_APPLIES)).toBeUndefined();
  });

  test("finds by a subject only with the claims that it needs as well", () => {
    expect(found(user({ sub: "bob", role: "bobs" }))).toBe("bob");
    expect(found(user({ sub: "bob", role: "x" }))).toBeUndefined();
    expect(found(user({ sub: "ada", role: "bobs" }))).toBeUndefined();
  });

  test("finds by what is unknown of a token for Deny rules alone", () => {
    expect([found(user({ role: "x" })), found(user({ role: "x" }), DENY_APPLIES)]).toEqual([
      undefined,
      "search-or-ads",
    ]);
    expect([found(user({ team: "x" })), found(user({ team: "x" }), DENY_APPLIES)]).toEqual([undefined, "admin"]);
    expect([
      found(user({ team: ["x", 7], role: "x" })),
      found(user({ team: ["x", 7], role: "x" }), DENY_APPLIES),
    ]).toEqual([undefined, "search-or-ads"]);
  });

  test("finds a second rule for the same claim or workload where the first is about another name", () => {
    const names = new CallerIndex();
    names.add(entry("one", withClaim("team", "sales"), "one"));
    names.add(entry("two", withClaim("team", "sales"), "two"));
    names.add(entry("three", FROM_READER, "three"));
    names.add(entry("four", FROM_READER, "four"));
    names.add(entry("five", { jwt: { issuer: ISSUER, subject: "bob" } }, "five"));
    names.add(entry("six", { jwt: { issuer: ISSUER, subject: "bob" } }, "six"));
    const by = (caller: Identity, name: string) => names.find(caller, name, ALLOW_APPLIES)?.rule.rule;
    const sales = user({ team: "sales" });
    expect([by(sales, "one"), by(sales, "two"), by(sales, "three")]).toEqual(["one", "two", undefined]);
    expect([by(READER, "three"), by(READER, "four"), by(READER, "one")]).toEqual(["three", "four", undefined]);
    const bob = user({ sub: "bob" });
    expect([by(bob, "five"), by(bob, "six"), by(bob, "one")]).toEqual(["five", "six", undefined]);
  });
});

describe("CallerIndex of rules about an issuer alone", () => {
  test("finds them for whoever has a token of it, whatever else is known of the token", () => {
    const index = new CallerIndex();
    index.add(entry("any", { jwt: { issuer: ISSUER } }));
    index.add(entry("other", { jwt: { issuer: "https://other", subject: "ada" } }));
    const found = (caller: Identity, applies = ALLOW_APPLIES) => index.find(caller, undefined, applies)?.rule.rule;
    expect([found(user({})), found(identity(undefined, { iss: ISSUER })), found(ANONYMOUS)]).toEqual([
      "any",
      "any",
      undefined,
    ]);
    const other = identity(undefined, { iss: "https://other", sub: "eve" });
    expect([found(other), found(other, DENY_APPLIES)]).toEqual([undefined, undefined]);
  });
});

describe("NameIndex", () => {
  test("has a name where a rule is written for it, and not where only a pattern matches it", () => {
    const index = new NameIndex();
    index.add(entry("exact", FROM_READER, "echo"));
    index.add(entry("star", FROM_READER, "get-*"));
    expect([index.names("echo"), index.names("get-env"), index.names("get-"), index.names("ech")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test("has several rules for one name, and for patterns with the same beginning", () => {
    const index = new NameIndex();
    index.add(entry("reader", FROM_READER, "echo"));
    index.add(entry("anyone", FROM_ANYONE, "echo"));
    index.add(entry("a", FROM_READER, "get-*-a"));
    index.add(entry("b", FROM_READER, "get-*-b"));
    index.add(entry("c", FROM_READER, "put-*"));
    const found = (caller: Identity, name: string) => index.find(caller, name, ALLOW_APPLIES)?.rule.rule;
    expect([found(READER, "echo"), found(WRITER, "echo")]).toEqual(["reader", "anyone"]);
    expect([found(READER, "get-x-a"), found(READER, "get-x-b"), found(READER, "put-x")]).toEqual(["a", "b", "c"]);
  });

  test("finds by the relation of a pattern only what applies to the caller as well", () => {
    const index = new NameIndex();
    index.add(entry("reader", FROM_READER, "x:/a"));
    index.add(entry("bobs", { jwt: { issuer: ISSUER, subject: "bob" } }, "x:/b"));
    const found = (caller: Identity, text: string, applies = ALLOW_APPLIES) =>
      index.findWhere(caller, (pattern) => pattern.text === text, applies)?.rule.rule;
    expect([found(READER, "x:/a"), found(READER, "x:/b"), found(WRITER, "x:/a")]).toEqual([
      "reader",
      undefined,
      undefined,
    ]);
    const nobody = identity(undefined, { iss: ISSUER });
    expect([found(nobody, "x:/b"), found(nobody, "x:/b", DENY_APPLIES)]).toEqual([undefined, "bobs"]);
  });
});
