/** P8. Nothing that a client has written is lost: numbers keep their lexemes, members their order, strings their text. */
import assert from "node:assert/strict";
import { textOf } from "../../fixtures/bytes.ts";
import type { Tree } from "../../fixtures/tree.ts";
import type { RequestCase } from "../case.ts";
import { requests } from "../generators/requests.ts";
import { judge } from "../judge.ts";
import type { Property } from "../property.ts";
import { CALLERS, POLICIES } from "../world.ts";
import { scanSlowly, writeSlowly } from "../../oracle/scan.ts";

const NO_LIMITS = { maxDepth: 1e6, maxKeys: 1e6, maxNumberBytes: 1e6 };

export const roundTrip: Property<RequestCase> = {
  name: "round-trip",
  promise: "what is forwarded holds every value as it was written, in its order",
  needs: ["python"],
  cases: requests,
  async check({ caller, headers, body }, readers) {
    const verdict = judge({ policies: POLICIES, identity: CALLERS[caller], headers, body });
    if (verdict.kind === "blocked") return `blocked: ${verdict.reason}`;
    if (body.length === 0) return "forwarded without a body";
    // In place of what was refused another message goes.
    if (verdict.isSealed) return "sealed";
    const tree = scanSlowly(verdict.body, NO_LIMITS);
    assert(tree !== undefined && writeSlowly(tree) === textOf(verdict.body), "it is not in canonical form");
    const [sent, came] = await Promise.all([readers.tree(verdict.body), readers.tree(body)]);
    if (Array.isArray(came)) {
      assert(isWithin(sent, came), "the messages of a batch are other ones");
      return sent?.length === came.length ? "a batch" : "a part of a batch";
    }
    const trimmed = TRIMMED.get(verdict.said[0]?.method ?? "");
    const before = scanSlowly(body, NO_LIMITS);
    assert(before !== undefined, "what is forwarded was no JSON");
    assert.deepEqual(without(tree, trimmed), without(before, trimmed), "it holds other values");
    if (trimmed !== undefined) return "forwarded, and maybe trimmed";
    assert.equal(sent, came, "it holds other values for Python");
    return Buffer.compare(verdict.body, body) === 0 ? "forwarded as it came" : "forwarded in canonical form";
  },
};

/** Where what the caller may not see, or may not be asked, is taken out of a request. */
const TRIMMED: ReadonlyMap<string, readonly string[]> = new Map([
  ["initialize", ["params", "capabilities"]],
  ["subscriptions/listen", ["params", "notifications"]],
]);

/** The document without the member at that path. */
function without(tree: Tree, path: readonly string[] | undefined): Tree {
  if (path === undefined || !("members" in tree)) return tree;
  const [name, ...rest] = path;
  return {
    members: tree.members.flatMap(([key, value]) =>
      key !== name ? [[key, value] as const] : rest.length === 0 ? [] : [[key, without(value, rest)] as const],
    ),
  };
}

/** The same messages in the same order, with some left out. */
function isWithin(sent: string | readonly string[] | undefined, came: readonly string[]): boolean {
  if (!Array.isArray(sent)) return false;
  let at = 0;
  for (const one of came) if (one === sent[at]) at++;
  return at === sent.length;
}
