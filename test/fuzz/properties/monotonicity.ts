/**
 * P5. With a grant less, or a Deny rule more, nothing goes on that was blocked before, and nothing is shown that was not.
 * `test/properties/decide.test.ts` says so of decisions; this, of whole exchanges.
 */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Identity } from "../../../src/core/identity/identity.ts";
import type { AccessPolicyDocument, RuleDocument } from "../../../src/core/policy/document.ts";
import type { PolicySet } from "../../../src/core/policy/policy-set.ts";
import { denyRule, identities, policies } from "../../fixtures/arbitraries.ts";
import { latin1TextOf, utf8 } from "../../fixtures/bytes.ts";
import { compiled, serverDocument } from "../../fixtures/policies.ts";
import { MARKED_STREAM, REQUESTS } from "../generators/policy-questions.ts";
import { deliver, judge } from "../judge.ts";
import type { Property } from "../property.ts";

type Case = {
  readonly documents: readonly AccessPolicyDocument[];
  readonly identity: Identity;
  readonly body: string;
  /** Added to the policy `at`; or, without it, the grant `at` is taken away. */
  readonly deny: RuleDocument | undefined;
  readonly at: number;
};

export const monotonicity: Property<Case> = {
  name: "monotonicity",
  promise: "nothing is forwarded or shown with a grant less or a Deny rule more that was not before",
  needs: [],
  cases: fc.record({
    documents: policies.filter((all) => all.length > 0),
    identity: identities,
    body: fc.constantFrom(...REQUESTS),
    deny: fc.option(denyRule, { nil: undefined }),
    at: fc.nat(40),
  }),
  check({ documents, identity, body, deny, at }) {
    const [before, after] = [
      policiesOf(documents),
      policiesOf(deny ? withDeny(documents, deny, at) : without(documents, at)),
    ];
    const headers = [
      [":method", body === "" ? "GET" : "POST"],
      [":path", "/mcp"],
      ["content-type", "application/json"],
    ] as const;
    const isForwarded = (set: PolicySet): boolean =>
      judge({ policies: set, identity, headers, body: utf8(body) }).kind === "forwarded";
    const goesOn = [isForwarded(before), isForwarded(after)] as const;
    assert(goesOn[0] || !goesOn[1], "what was blocked is forwarded");
    const shown = new Set(marksShown(before, identity));
    const more = marksShown(after, identity).filter((mark) => !shown.has(mark));
    assert.deepEqual(more, [], "what was hidden is shown");
    return `${goesOn[0] ? (goesOn[1] ? "still forwarded" : "not forwarded any more") : "blocked"}, ${shown.size === 0 ? "nothing" : "something"} shown`;
  },
};

const SERVER = serverDocument();
const policiesOf = (documents: readonly AccessPolicyDocument[]): PolicySet =>
  compiled([{ ...SERVER, spec: { ...SERVER.spec, batches: "judge" } }, ...documents]).policies;

const withDeny = (documents: readonly AccessPolicyDocument[], rule: RuleDocument, at: number): AccessPolicyDocument[] =>
  documents.map((document, i) =>
    i === at % documents.length ? withRules(document, [...document.spec.rules, rule]) : document,
  );

const withRules = (document: AccessPolicyDocument, rules: readonly RuleDocument[]): AccessPolicyDocument => ({
  ...document,
  spec: { ...document.spec, rules },
});

/** The grants are the rules that allow, and the parts of them that could be left out. A policy that loses its last rule stays. */
function without(documents: readonly AccessPolicyDocument[], at: number): AccessPolicyDocument[] {
  const fewer = documents.flatMap((document, i) =>
    document.spec.rules.flatMap((rule, j) =>
      rule.action === "Deny"
        ? []
        : [undefined, ...lesser(rule)].map((instead) =>
            documents.with(
              i,
              withRules(
                document,
                document.spec.rules.flatMap((one, k) => (k === j ? (instead === undefined ? [] : [instead]) : [one])),
              ),
            ),
          ),
    ),
  );
  return fewer[at % Math.max(1, fewer.length)] ?? [...documents];
}

/** The rule with one entry less, or one name less in an entry. */
function lesser(rule: RuleDocument): RuleDocument[] {
  const { from, to } = rule;
  return [
    ...shorter(from).map((fewer) => ({ ...rule, from: fewer })),
    ...shorter(to).map((fewer) => ({ ...rule, to: fewer })),
    ...to.flatMap((entry, i) =>
      Object.entries(entry).flatMap(([key, names]) =>
        shorter(names).map((fewer) => ({ ...rule, to: to.with(i, { ...entry, [key]: fewer }) })),
      ),
    ),
  ];
}

/** Without each one of the elements, as long as one is left. */
const shorter = <T>(list: readonly T[]): T[][] =>
  list.length < 2 ? [] : list.map((_, i) => list.filter((_one, j) => j !== i));

function marksShown(set: PolicySet, identity: Identity): readonly string[] {
  const headers = [
    [":method", "GET"],
    [":path", "/mcp"],
  ] as const;
  const answer = {
    headers: [
      [":status", "200"],
      ["content-type", "text/event-stream"],
    ] as const,
    pieces: [utf8(MARKED_STREAM)],
    trailers: false,
  };
  const delivered = deliver({ policies: set, identity, headers, body: new Uint8Array() }, answer);
  return delivered === undefined ? [] : (latin1TextOf(delivered.body).match(/<\d+>/g) ?? []);
}
