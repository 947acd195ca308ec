import { BaseSequencer } from "vitest/node";
import { defineConfig } from "vitest/config";
import type { TestSpecification } from "vitest/node";
import { GROUPS } from "./groups.ts";
import type { GroupName } from "./groups.ts";

/** The tests of one group, `run.ts` says of which. Stryker runs them for each mutant. */
const { tests } = GROUPS[process.env["MUTATION_GROUP"] as GroupName];

/** A mutant's first failure ends its run: what is quick comes first. */
class QuickFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): string => `${Number(moduleId.includes("/properties/"))}${moduleId}`;
    return Promise.resolve(files.toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1)));
  }
}

export default defineConfig({
  test: {
    include: tests.map((path) => (path.endsWith(".ts") ? path : `${path}/*.test.ts`)),
    setupFiles: ["test/mutation/setup.ts"],
    sequence: { sequencer: QuickFirst },
    env: { PROPERTY_SHARE: "0.1" },
    isolate: false,
  },
});
