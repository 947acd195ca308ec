import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Identity } from "../../src/core/identity/identity.ts";
import type { Subject } from "../../src/core/mcp/subject.ts";
import { decide, isVisible } from "../../src/core/policy/decide.ts";
import type { Decision } from "../../src/core/policy/decide.ts";
import type { AccessPolicyDocument } from "../../src/core/policy/document.ts";
import { baseMethods, denyRule, identities, named, policies } from "../fixtures/arbitraries.ts";
import { policyDocument, serverWith, TRUST_DOMAIN } from "../fixtures/policies.ts";
import { runs } from "../fixtures/runs.ts";
import { callOf } from "../fixtures/subjects.ts";
import { decideSlowly, hasBaseAccess } from "../oracle/decide.ts";

const RUNS = runs(1500);

const ask = (documents: readonly AccessPolicyDocument[], caller: Identity, subject: Subject, base: boolean): Decision =>
  decide(serverWith(...documents), caller, callOf("ping", [subject], base));

const isAllowed = (...args: Parameters<typeof ask>): boolean => ask(...args).verdict === "allow";

/** All policies without one rule; a policy that loses its last rule stays, so that its mode does. */
const withoutRule = (documents: readonly AccessPolicyDocument[], index: number): AccessPolicyDocument[] => {
  let i = 0;
  return documents.map((document) => ({
    ...document,
    spec: { ...document.spec, rules: document.spec.rules.filter((rule) => rule.action === "Deny" || i++ !== index) },
  }));
};
const allowCount = (documents: readonly AccessPolicyDocument[]): number =>
  documents.flatMap(({ spec }) => spec.rules).filter((rule) => rule.action === "Allow").length;

describe("a decision", () => {
  test.each([
    ["a name", named, false],
    ["a method that base access grants", baseMethods, true],
  ] as const)("about %s agrees with its twin, which asks every rule", (_, subjects, base) => {
    const seen = { allow: 0, deny: 0, audit: 0 };
    fc.assert(
      fc.property(policies, identities, subjects, (documents, caller, subject) => {
        const slow = decideSlowly({ policies: documents, identity: caller, trustDomain: TRUST_DOMAIN }, subject, base);
        const fast = ask(documents, caller, subject, base);
        const [denial, rule] =
          fast.verdict === "deny" ? [fast.denial, fast.denial.rule] : [fast.permit.audited, fast.permit.rule];
        expect({ verdict: fast.verdict, reason: denial?.reason }).toEqual({
          verdict: slow.verdict,
          reason: slow.reason,
        });
        expect(fast.verdict === "allow" && denial !== undefined).toBe(slow.audited);
        if (slow.rules === undefined) expect(rule.policy).toBe("toolgate");
        else expect(slow.rules).toContain(`${rule.policy}/${rule.rule}`);
        seen[slow.audited ? "audit" : slow.verdict]++;
      }),
      RUNS,
    );
    expect(Math.min(seen.allow, seen.deny, seen.audit), JSON.stringify(seen)).toBeGreaterThan(RUNS.numRuns / 50);
  });

  test("about nothing but access agrees with its twin", () => {
    fc.assert(
      fc.property(policies, identities, (documents, caller) => {
        const decision = decide(serverWith(...documents), caller, callOf("ping", [], true));
        const isPlain = decision.verdict === "allow" && decision.permit.audited === undefined;
        expect(isPlain).toBe(hasBaseAccess({ policies: documents, identity: caller, trustDomain: TRUST_DOMAIN }));
      }),
      RUNS,
    );
  });

  test("does not depend on the order of policies and rules", () => {
    fc.assert(
      fc.property(policies, identities, named, (documents, caller, subject) => {
        const turned = documents.toReversed().map((document) => ({
          ...document,
          spec: { ...document.spec, rules: document.spec.rules.toReversed() },
        }));
        expect(ask(turned, caller, subject, false).verdict).toBe(ask(documents, caller, subject, false).verdict);
      }),
      RUNS,
    );
  });

  test("never turns from a block into an allow when a grant is taken away", () => {
    fc.assert(
      fc.property(
        policies,
        identities,
        fc.oneof(named, baseMethods),
        fc.boolean(),
        fc.nat(),
        (documents, caller, subject, base, n) => {
          const fewer = withoutRule(documents, n % Math.max(1, allowCount(documents)));
          if (isAllowed(fewer, caller, subject, base)) expect(isAllowed(documents, caller, subject, base)).toBe(true);
        },
      ),
      RUNS,
    );
  });

  test("never turns from a block into an allow when a Deny rule is added to a policy", () => {
    fc.assert(
      fc.property(policies, identities, named, denyRule, fc.nat(), (documents, caller, subject, added, n) => {
        fc.pre(documents.length > 0);
        const more = documents.map((document, i) =>
          i === n % documents.length
            ? { ...document, spec: { ...document.spec, rules: [...document.spec.rules, added] } }
            : document,
        );
        if (isAllowed(more, caller, subject, false)) expect(isAllowed(documents, caller, subject, false)).toBe(true);
      }),
      RUNS,
    );
  });

  test("never turns from a block into an allow when a policy of Deny rules is added, on trial or in force", () => {
    fc.assert(
      fc.property(
        policies,
        identities,
        named,
        denyRule,
        fc.constantFrom("Enforce", "Audit"),
        (documents, caller, subject, added, mode) => {
          // A server with no policy at all is not one whose policies all audit.
          fc.pre(documents.length > 0);
          const more = [...documents, policyDocument("z", [added], { mode })];
          if (isAllowed(more, caller, subject, false)) expect(isAllowed(documents, caller, subject, false)).toBe(true);
        },
      ),
      RUNS,
    );
  });

  test("says of a call what a list shows: what is seen may be called, and the other way round", () => {
    fc.assert(
      fc.property(policies, identities, named, (documents, caller, subject) => {
        const server = serverWith(...documents);
        expect(isVisible(server, caller, subject)).toBe(isAllowed(documents, caller, subject, false));
      }),
      RUNS,
    );
  });

  test("on several subjects allows no more than on each of them", () => {
    fc.assert(
      fc.property(policies, identities, named, named, (documents, caller, one, other) => {
        const both = decide(serverWith(...documents), caller, callOf("ping", [one, other]));
        const each = isAllowed(documents, caller, one, false) && isAllowed(documents, caller, other, false);
        expect(both.verdict === "allow").toBe(each);
      }),
      RUNS,
    );
  });
});
