/** P6. What a list shows may be called, and what may be called is shown: under any policy, whatever it is called. */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Identity } from "../../../src/core/identity/identity.ts";
import type { AccessPolicyDocument } from "../../../src/core/policy/document.ts";
import type { PolicySet } from "../../../src/core/policy/policy-set.ts";
import { identities, policies } from "../../fixtures/arbitraries.ts";
import { textOf, utf8 } from "../../fixtures/bytes.ts";
import { compiled, serverDocument } from "../../fixtures/policies.ts";
import { objectsIn } from "../client-view.ts";
import type { Value } from "../client-view.ts";
import { deliver, judge } from "../judge.ts";
import type { Verdict } from "../judge.ts";
import type { Property } from "../property.ts";

type Case = {
  readonly documents: readonly AccessPolicyDocument[];
  readonly identity: Identity;
  readonly names: readonly string[];
  readonly uris: readonly string[];
  readonly templates: readonly string[];
  /** Where answers go by us, lists do not. */
  readonly answers: "read" | "pass";
};

const odd = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.constantFrom(
    "",
    " echo",
    "Echo",
    "echo\n",
    "e*o",
    "*",
    "get-\u0085",
    "__proto__",
    "x".repeat(256),
    "x".repeat(257),
  ),
);
const names = fc.uniqueArray(fc.oneof(fc.constantFrom("echo", "get-env", "get-sum", "e", "x"), odd), { maxLength: 5 });
const uris = fc.uniqueArray(
  fc.oneof(
    fc.constantFrom("x:/a", "x:/a/b", "x:/secret", "x:/a/../secret", "x:/a/%2e%2e/secret", "X:/a", "x:/a#b", "x:/a//b"),
    odd,
    odd.map((text) => `x:/${text}`),
  ),
  { maxLength: 4 },
);
const templates = fc.uniqueArray(fc.constantFrom("x:/a/{b}", "x:/{+a}", "{+u}", "x:/a", "x:/secret{?q}", "x:/a/{b"), {
  maxLength: 3,
});

export const listAndCall: Property<Case> = {
  name: "list-and-call",
  promise: "a name that a list shows may be called, and one that may be called is shown",
  needs: [],
  cases: fc.record({
    documents: policies,
    identity: identities,
    names,
    uris,
    templates,
    answers: fc.constantFrom("read" as const, "read" as const, "pass" as const),
  }),
  check({ documents, identity, names: all, uris: allUris, templates: allTemplates, answers }) {
    const server = serverDocument();
    const set = compiled([{ ...server, spec: { ...server.spec, answers } }, ...documents]).policies;
    const who: Who = { set, identity };
    const shown = [
      ...both(who, "tools/list", "tools/call", "tools", "name", all),
      ...both(who, "prompts/list", "prompts/get", "prompts", "name", all),
      ...both(who, "resources/list", "resources/read", "resources", "uri", allUris),
    ];
    const expansions = shownIn(who, "resources/templates/list", "resourceTemplates", "uriTemplate", allTemplates) ?? [];
    for (const template of expansions) {
      const verdict = call(who, "resources/read", { uri: template.replaceAll(/\{[^{}]*\}/g, "x:/b") });
      // A shown template may expand to what nobody may write, but never to what policy denies.
      const isOdd = verdict.kind === "blocked" && verdict.reason === "invalid-params";
      assert(verdict.kind === "forwarded" || isOdd, "a template is shown that expands to what is denied");
    }
    if (shown.length + expansions.length === 0) return "nothing is shown";
    return shown.length === 2 * all.length + allUris.length ? "all is shown" : "some is shown";
  },
};

type Who = { readonly set: PolicySet; readonly identity: Identity };
const HEADERS = [
  [":method", "POST"],
  [":path", "/mcp"],
  ["content-type", "application/json"],
] as const;

const ask = ({ set, identity }: Who, method: string, params: object) => ({
  policies: set,
  identity,
  headers: HEADERS,
  body: utf8(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })),
});
const call = (who: Who, method: string, params: object): Verdict => judge(ask(who, method, params));

/** What the list shows, which is what may be called. */
function both(who: Who, lists: string, calls: string, list: string, key: string, all: readonly string[]) {
  const shown = shownIn(who, lists, list, key, all);
  const callable = all.filter((name) => call(who, calls, { [key]: name }).kind === "forwarded");
  if (shown !== undefined)
    assert.deepEqual(shown, callable, `${list} are shown that may not be called, or not those that may`);
  return shown ?? [];
}

/** The names in the list that the caller gets, when the server lists all of them; undefined when a rule denies the list. */
function shownIn(
  who: Who,
  method: string,
  list: string,
  key: string,
  all: readonly string[],
): readonly string[] | undefined {
  const verdict = call(who, method, {});
  if (verdict.kind === "blocked") return verdict.reason === "denied-by-rule" ? undefined : [];
  const result = { [list]: all.map((name) => ({ [key]: name, title: "t" })) };
  const delivered = deliver(ask(who, method, {}), {
    headers: [
      [":status", "200"],
      ["content-type", "application/json"],
    ],
    pieces: [utf8(JSON.stringify({ jsonrpc: "2.0", id: 1, result }))],
    trailers: false,
  });
  if (delivered === undefined) throw new Error("a list goes on and nothing is delivered");
  const { result: seen } = JSON.parse(textOf(delivered.body)) as { result: Value };
  return objectsIn(seen[list]).map((entry) => String(entry[key]));
}
