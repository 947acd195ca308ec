/**
 * Turns what a source delivers into the policy set that exchanges use. A delivery is swapped in whole, with one `set`;
 * whatever goes wrong, the last good policies stay and the problem is reported.
 */
import type { CompileOptions } from "../core/policy/compile.ts";
import { EMPTY_POLICY_SET } from "../core/policy/policy-set.ts";
import type { PolicySet } from "../core/policy/policy-set.ts";
import { err, ok } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import { keepLastGood } from "./last-good.ts";
import type { LastGood, Kept } from "./last-good.ts";
import { createLatest } from "./latest.ts";
import type { Latest } from "./latest.ts";
import { wholeFile } from "./read.ts";
import type { Delivery, LocatedProblem, PolicyFile, PolicySource } from "./source.ts";

/** How the last delivery went. */
export type PolicyReport = {
  /** Counts the policy sets that were put in force. */
  readonly generation: number;
  readonly problems: readonly LocatedProblem[];
  readonly warnings: readonly LocatedProblem[];
  /** When everything was last read and compiled without any problem, in milliseconds since 1970. */
  readonly lastSyncedAtMs: number | undefined;
};

export type Publisher = Disposable & {
  readonly policies: Pick<Latest<PolicySet>, "get" | "subscribe">;
  /** Set after the policies that it reports on. */
  readonly report: Pick<Latest<PolicyReport>, "get" | "subscribe">;
  /** Reads the source again now; resolves when the result is in force. */
  readonly reload: () => Promise<void>;
};

/** Resolves when the first delivery is in force; with a problem when the source cannot be read at all. */
export async function startPublisher(
  source: PolicySource,
  options: CompileOptions,
): Promise<Result<Publisher, LocatedProblem>> {
  const policies = createLatest<PolicySet>(EMPTY_POLICY_SET);
  const report = createLatest<PolicyReport>({ generation: 0, problems: [], warnings: [], lastSyncedAtMs: undefined });
  const publish = createPublish(policies, report, options);
  const first = Promise.withResolvers<Delivery>();
  const watch = source.watch((delivery) => {
    publish(delivery);
    first.resolve(delivery);
  });
  const delivery = await first.promise;
  if (delivery.kind === "unreadable") {
    watch[Symbol.dispose]();
    return err(delivery.problem);
  }
  return ok({ policies, report, reload: watch.reload, [Symbol.dispose]: () => watch[Symbol.dispose]() });
}

function createPublish(
  policies: Latest<PolicySet>,
  report: Latest<PolicyReport>,
  options: CompileOptions,
): (delivery: Delivery) => void {
  let lastGood: LastGood = new Map();
  /** Of the documents, without a passing problem of the place they are in. */
  let problems: readonly LocatedProblem[] = [];
  return (delivery) => {
    const before = report.get();
    if (delivery.kind === "unreadable") {
      report.set({ ...before, problems: [delivery.problem, ...problems] });
      return;
    }
    const kept = tryKeep(lastGood, delivery.files, options);
    if (!kept.ok) {
      report.set({ ...before, problems: [kept.error, ...problems] });
      return;
    }
    ({ lastGood, problems } = kept.value);
    policies.set(kept.value.policies);
    report.set({
      generation: before.generation + 1,
      problems,
      warnings: kept.value.warnings,
      lastSyncedAtMs: problems.length === 0 ? Date.now() : before.lastSyncedAtMs,
    });
  };
}

/** A mistake of ours that some document brings to light must not end a gateway that was serving well. */
function tryKeep(
  lastGood: LastGood,
  files: readonly PolicyFile[],
  options: CompileOptions,
): Result<Kept, LocatedProblem> {
  try {
    return ok(keepLastGood(lastGood, files, options));
  } catch (error: unknown) {
    const file = files[0]?.file ?? "policies";
    const cause = error instanceof Error ? error.message : String(error);
    return err(wholeFile(file, `these files made the compiler fail, which is a bug in Toolgate: ${cause}`));
  }
}
