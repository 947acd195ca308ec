/** P4. The order in which headers come means nothing. */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { HeaderList } from "../../../src/core/mcp/headers.ts";
import type { RequestCase } from "../case.ts";
import { requests } from "../generators/requests.ts";
import { judge } from "../judge.ts";
import type { Property } from "../property.ts";
import { CALLERS, POLICIES } from "../world.ts";

type Case = { readonly request: RequestCase; readonly order: readonly number[] };

export const headerOrder: Property<Case> = {
  name: "header-order",
  promise: "the verdict is the same in whatever order the headers come",
  needs: [],
  cases: fc.record({ request: requests, order: fc.array(fc.nat(99), { maxLength: 12 }) }),
  check({ request: { caller, headers, body }, order }) {
    const verdictOn = (list: HeaderList) => {
      const verdict = judge({ policies: POLICIES, identity: CALLERS[caller], headers: list, body });
      return verdict.kind === "blocked" ? verdict : { ...verdict, headers: sorted(verdict.headers) };
    };
    const verdict = verdictOn(headers);
    assert.deepEqual(verdictOn(inOrder(headers, order)), verdict, "another verdict in another order");
    assert.deepEqual(verdictOn(headers.toReversed()), verdict, "another verdict in the opposite order");
    return verdict.kind === "blocked" ? `blocked: ${verdict.reason}` : "forwarded";
  },
};

/** Each header takes its turn by the number at its place. */
const inOrder = (headers: HeaderList, order: readonly number[]): HeaderList =>
  headers
    .map((header, i) => ({ header, turn: order[i] ?? 0 }))
    .toSorted((one, other) => one.turn - other.turn)
    .map(({ header }) => header);

const sorted = (headers: HeaderList): HeaderList =>
  headers.toSorted((one, other) => (one.join("\n") < other.join("\n") ? -1 : 1));
