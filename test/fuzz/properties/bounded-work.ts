/**
 * P9. What an exchange costs is bounded by its size, however it is made: so many steps a byte and a piece at most, and no
 * more of them a byte when there are four times as many bytes. Steps are counted (`work-meter.ts`), never timed.
 */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import { piecesOf } from "../../fixtures/bytes.ts";
import { HEAVY } from "../generators/heavy.ts";
import type { Heavy } from "../generators/heavy.ts";
import { deliver, judge } from "../judge.ts";
import type { Property } from "../property.ts";
import { WorkMeter } from "../work-meter.ts";
import { CALLERS, POLICIES } from "../world.ts";
import type { CallerName } from "../world.ts";

type Case = {
  readonly shape: string;
  readonly size: number;
  /** Of the pieces that the answer comes in. */
  readonly pieceBytes: number;
  readonly caller: CallerName;
};

/** Measured: 25 at most; 60 where 90 headers are held against many arguments, 75 where templates are against all patterns. */
const STEPS_A_BYTE = 100;
const STEPS_A_PIECE = 60;
/** An exchange of hardly any bytes. */
const STEPS_AT_LEAST = 10_000;
/** What a byte may cost of four times as many of them: of some shapes the parts do not divide evenly. */
const GROWTH = 1.6;

let shared: WorkMeter | undefined;

export const boundedWork: Property<Case> = {
  name: "bounded-work",
  promise: "what an exchange costs is bounded by its size, however it is made",
  needs: [],
  cases: fc.record({
    shape: fc.constantFrom(...Object.keys(HEAVY)),
    size: fc.integer({ min: 4_000, max: 12_000 }),
    pieceBytes: fc.constantFrom(1_000_000, 1, 7, 1_000),
    caller: fc.constantFrom("operator", "reader", "admin", "nobody"),
  }),
  open() {
    shared = new WorkMeter();
    return {
      [Symbol.dispose]: () => {
        shared?.[Symbol.dispose]();
        shared = undefined;
      },
    };
  },
  check(one) {
    using own = shared === undefined ? new WorkMeter() : undefined;
    const meter = shared ?? own;
    assert(meter !== undefined);
    const small = costOf(meter, one);
    const large = costOf(meter, { ...one, size: 4 * one.size });
    for (const { steps, bytes, pieces } of [small, large])
      assert(
        steps <= STEPS_AT_LEAST + STEPS_A_BYTE * bytes + STEPS_A_PIECE * pieces,
        `too many steps a byte: ${one.shape}`,
      );
    const expected = (small.steps / small.bytes) * large.bytes;
    assert(large.steps <= STEPS_AT_LEAST + GROWTH * expected, `steps grow faster than bytes: ${one.shape}`);
    return one.shape;
  },
};

type Cost = { readonly steps: number; readonly bytes: number; readonly pieces: number };

function costOf(meter: WorkMeter, { shape, size, pieceBytes, caller }: Case): Cost {
  const make = HEAVY[shape];
  assert(make !== undefined, `there is no shape ${shape}`);
  const { headers, body, answer }: Heavy = make(size);
  const ask = { policies: POLICIES, identity: CALLERS[caller], headers, body };
  const pieces = answer === undefined ? [] : piecesOf(answer.body, pieceBytes);
  const steps = meter.measure(() => {
    if (answer === undefined) judge(ask);
    else {
      const answerHeaders = [
        [":status", "200"],
        ["content-type", answer.type],
      ] as const;
      deliver(ask, { headers: answerHeaders, pieces, trailers: false });
    }
  });
  const inHeaders = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  return { steps, bytes: body.length + inHeaders + (answer?.body.length ?? 0), pieces: pieces.length };
}
