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

describe("CallerIndex", () => {
  const index = new CallerIndex();
  for (const [rule, from] of Object.entries<FromEntry>({
    account: FROM_READER,
    pattern: { spiffe: "spiffe://td/*" },
    issuer: { jwt: { issuer: "https://whole" } },
    ada: { jwt: { issuer: ISSUER, subject: "ada" } },
    both: { spiffe: "spiffe://both/a", jwt: { issuer: ISSUER, subject: "bob" } },
  }))
    index.add(entry(rule, from));
  const found = (caller: Identity, applies = ALLOW_APPLIES): string | undefined =>
    index.find(caller, undefined, applies)?.rule.rule;

  test("finds an entry by whatever it says of its caller", () => {
    expect(found(READER)).toBe("account");
    expect(found(identity("spiffe://td/x"))).toBe("pattern");
    expect(found(identity(undefined, { iss: "https://whole", sub: "anyone" }))).toBe("issuer");
    expect(found(user({ sub: "ada" }))).toBe("ada");
    expect(found(identity("spiffe://both/a", { iss: ISSUER, sub: "bob" }))).toBe("both");
  });

  test("finds none for others", () => {
    for (const caller of [ANONYMOUS, WRITER, user({ sub: "bob" }), identity("spiffe://both/a")])
      expect(found(caller)).toBeUndefined();
  });

  test("finds what a token without a subject may be meant by, for Deny rules alone", () => {
    const nobody = identity(undefined, { iss: ISSUER });
    expect([found(nobody), found(nobody, DENY_APPLIES)]).toEqual([undefined, "ada"]);
  });
});

describe("NameIndex", () => {
  const index = new NameIndex();
  for (const pattern of ["echo", "e*", "get-*-env", "*-tail", "long-prefix-*"])
    index.add(entry(pattern, FROM_READER, pattern));
  const found = (name: string, caller = READER): string | undefined =>
    index.find(caller, name, ALLOW_APPLIES)?.rule.rule;

  test.each([
    ["echo", "echo"],
    ["ech", "e*"],
    ["e", "e*"],
    ["get-x-env", "get-*-env"],
    ["x-tail", "*-tail"],
    ["long-prefix-", "long-prefix-*"],
  ])("finds for %s the pattern %s", (name, pattern) => {
    expect(found(name)).toBe(pattern);
  });

  test.each(["", "x", "get-env", "long-prefix", "Echo", "tail"])("finds none for %j", (name) => {
    expect(found(name)).toBeUndefined();
  });

  test("finds none for another caller", () => {
    expect(found("echo", WRITER)).toBeUndefined();
  });

  test("goes on to a pattern when the exact name is for another caller", () => {
    const both = new NameIndex();
    both.add(entry("exact", FROM_READER, "echo"));
    both.add(entry("star", FROM_ANYONE, "*"));
    expect(both.find(WRITER, "echo", ALLOW_APPLIES)?.rule.rule).toBe("star");
    expect(both.find(READER, "echo", ALLOW_APPLIES)?.rule.rule).toBe("exact");
  });
});

describe("NameIndex of names that may be any other", () => {
  const index = new NameIndex();
  index.add(entry("exact", FROM_READER, "x:/a"));
  index.add(entry("prefix", FROM_READER, "x:/*"));
  index.add(entry("all", { jwt: { issuer: ISSUER, subject: "ada" } }, "**"));
  const ada = user({ sub: "ada" });

  test("finds what is written for this very name, or for all names", () => {
    const found = (caller: Identity, name: string) => index.findLiteral(caller, name, ALLOW_APPLIES)?.rule.rule;
    expect([found(READER, "x:/a"), found(READER, "x:/b"), found(READER, "x:/*")]).toEqual([
      "exact",
      undefined,
      undefined,
    ]);
    expect([found(ada, "x:/a"), found(ada, "anything"), found(WRITER, "x:/a")]).toEqual(["all", "all", undefined]);
  });

  test("finds what is written for any name at all", () => {
    const found = (caller: Identity, applies = DENY_APPLIES) => index.findAny(caller, applies)?.rule.rule;
    expect([found(READER), found(ada), found(WRITER), found(ANONYMOUS)]).toEqual([
      "exact",
      "all",
      undefined,
      undefined,
    ]);
    const unknown = identity(undefined, { iss: ISSUER });
    expect([found(unknown), found(unknown, ALLOW_APPLIES)]).toEqual(["all", undefined]);
    expect(new NameIndex().findAny(READER, DENY_APPLIES)).toBeUndefined();
  });
});
