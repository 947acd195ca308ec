/** P3, of requests: in full duplex a body comes in pieces, and the verdict is the one on the whole. */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import { cuts } from "../../fixtures/arbitraries.ts";
import { cutAt, piecesOf } from "../../fixtures/bytes.ts";
import type { RequestCase } from "../case.ts";
import { requests } from "../generators/requests.ts";
import { judge, judgeInPieces } from "../judge.ts";
import type { Verdict } from "../judge.ts";
import type { Property } from "../property.ts";
import { CALLERS, POLICIES } from "../world.ts";

type Case = { readonly request: RequestCase; readonly at: readonly number[] };

export const requestPieces: Property<Case> = {
  name: "request-pieces",
  promise: "the verdict on a request is the same however its body is cut",
  needs: [],
  cases: fc.record({ request: requests, at: cuts }),
  check({ request: { caller, headers, body }, at }) {
    const ask = { policies: POLICIES, identity: CALLERS[caller], headers, body };
    const whole = withoutLength(judge(ask));
    assert.deepEqual(withoutLength(judgeInPieces(ask, cutAt(body, at))), whole, "another verdict on pieces");
    assert.deepEqual(withoutLength(judgeInPieces(ask, piecesOf(body, 1))), whole, "another verdict on bytes");
    return whole.kind === "blocked" ? `blocked: ${whole.reason}` : "forwarded";
  },
};

/** In full duplex Envoy takes the length away. */
const withoutLength = (verdict: Verdict): Verdict =>
  verdict.kind === "blocked"
    ? verdict
    : {
        ...verdict,
        headers: verdict.headers.filter(([name]) => name !== "content-length"),
        body: Uint8Array.from(verdict.body),
      };
