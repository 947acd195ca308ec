/** P3, of answers: what a client gets does not depend on how the network has cut it, nor on Envoy's mode. */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import { EMPTY } from "../../../src/core/bytes.ts";
import { cutAt, latin1TextOf, piecesOf } from "../../fixtures/bytes.ts";
import type { AnswerCase } from "../case.ts";
import { answers } from "../generators/answers.ts";
import { deliver, deliverInDuplex } from "../judge.ts";
import type { Delivered } from "../judge.ts";
import type { Property } from "../property.ts";
import { CALLERS, POLICIES } from "../world.ts";

type Case = { readonly answer: AnswerCase; readonly trailers: boolean };

export const chunkInvariance: Property<Case> = {
  name: "chunk-invariance",
  promise: "what is delivered of an answer is the same however it is cut",
  needs: [],
  cases: fc.record({ answer: answers, trailers: fc.constantFrom(false, false, false, true) }),
  check({ answer: { request, headers, body, cuts, isNarrow = false }, trailers }) {
    const ask = { ...request, policies: POLICIES, identity: CALLERS[request.caller], isNarrow };
    const inPieces = (pieces: readonly Uint8Array[]): Seen | undefined =>
      seen(deliver(ask, { headers, pieces, trailers }));
    const whole = inPieces([body]);
    if (whole === undefined) return "not asked";
    const cut = cutAt(body, cuts);
    const what = (how: string): string => (isNarrow ? "it depends on the cut, close to a limit" : how);
    assert.deepEqual(inPieces(cut), whole, what("cut at some places"));
    assert.deepEqual(inPieces(piecesOf(body, 1)), whole, what("cut into bytes"));
    assert.deepEqual(inPieces(cut.flatMap((piece) => [EMPTY, piece])), whole, what("with empty pieces"));
    assert.deepEqual(seen(deliverInDuplex(ask, { headers, pieces: cut, trailers })), whole, what("in full duplex"));
    return whole.ending;
  },
};

type Seen = Omit<Delivered, "body"> & { readonly text: string };
const seen = (delivered: Delivered | undefined): Seen | undefined => {
  if (delivered === undefined) return undefined;
  const { body, ...rest } = delivered;
  return { ...rest, text: latin1TextOf(body) };
};
