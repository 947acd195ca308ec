/**
 * All promises on generated cases: a fixed number of them, the same ones in every run. `npm run fuzz` tries others without
 * end; what it finds, `regressions.test.ts` plays again.
 */
import process from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { excusedFor } from "./case-file.ts";
import { hunt } from "./hunt.ts";
import { PROPERTIES } from "./properties.ts";
import { requiredReaders } from "./required-readers.ts";

/** About a minute on two cores. */
const CASES = 70_000;
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_124);

const readers = await requiredReaders();
afterAll(() => readers.stop());

/** Ends without which a property has not tried what it is about. */
const REACHED: Readonly<Record<string, readonly string[]>> = {
  agreement: [
    "forwarded: tools/call",
    "forwarded: prompts/get",
    "forwarded: resources/read",
    "forwarded: completion/complete",
    "forwarded: subscriptions/listen",
    "forwarded: tasks/get",
    "forwarded: answer",
    "forwarded: a batch",
    "sealed",
    "blocked: header-mismatch",
    "blocked: denied-by-rule",
  ],
  idempotence: ["forwarded as it came", "forwarded in canonical form"],
  "chunk-invariance": ["ok", "tool_error", "rpc_error", "task", "input_required"],
  "header-order": ["forwarded", "blocked: malformed-request"],
  monotonicity: ["not forwarded any more, something shown"],
  "list-and-call": ["some is shown", "all is shown"],
  "non-leak": ["ok", "tool_error", "rpc_error", "task", "input_required"],
  "round-trip": ["forwarded in canonical form", "a part of a batch"],
  "bounded-work": [],
};

describe(`with the seed ${SEED}`, () => {
  for (const { property, share } of PROPERTIES) {
    const { name, promise, needs } = property;
    test.skipIf(needs.some((one) => readers.missing.has(one)))(`${promise} (${name})`, async () => {
      const plan = { runs: Math.ceil(CASES * share), seed: SEED, excused: excusedFor(name) };
      const { failure, reached } = await hunt(property, readers, plan);
      expect(failure, "npm run fuzz -- --only shrinks it and keeps it as a file").toBeUndefined();
      expect([...reached.keys()]).toEqual(expect.arrayContaining([...(REACHED[name] ?? [])]));
    });
  }
});
