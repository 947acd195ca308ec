/** Mutation testing: `npm run mutation`, see docs/mutation.md. What is mutated is in test/mutation/groups.ts. */
export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "test/mutation/vitest.config.ts", related: false },
  coverageAnalysis: "perTest",
  // Node runs the sources as they are, and what has been mutated need not pass the type check.
  disableTypeChecks: false,
  // Stryker rewrites paths in it with an API that TypeScript 7 has not; ours has no paths outside.
  tsconfigFile: "none",
  ignorePatterns: ["/.cache", "/bench", "/dist", "/envoy-config", "/examples", "/reports", "/.ci"],
  concurrency: 2,
  timeoutMS: 3_000,
  timeoutFactor: 1.5,
  reporters: ["progress-append-only"],
  tempDirName: ".stryker-tmp",
  allowEmpty: false,
};
