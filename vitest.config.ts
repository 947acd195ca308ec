import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { instrument } from "./test/seams/instrument.ts";

/** Where `.ci/run` wants the counts. */
const report = process.env["TEST_REPORT"];

/** Programs are started by the hundred: what Node has compiled once it need not compile again. */
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, ".cache", "node");

/** As many files at a time as Vitest takes, but two on two cores, where it would take one. */
const beside = { maxWorkers: Math.max(2, availableParallelism() - 1) };

/** Pure tests share a process; those that start processes or servers do not. Those of `envoy` run alone, one after the other. */
export default defineConfig({
  test: {
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    projects: [
      {
        test: {
          ...beside,
          name: "core",
          expect: { requireAssertions: true },
          include: ["test/core/**/*.test.ts", "test/properties/**/*.test.ts"],
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        test: {
          ...beside,
          name: "fuzz",
          // And the soak, which takes two minutes whatever is beside it.
          include: ["test/{fuzz,soak}/**/*.test.ts"],
          testTimeout: 300_000,
        },
      },
      {
        test: {
          ...beside,
          name: "edges",
          expect: { requireAssertions: true },
          include: ["test/{grpc,judge,policies,telemetry,admin,config,cli}/**/*.test.ts", "test/monitoring/*.test.ts"],
          setupFiles: ["test/judge/setup.ts"],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...beside,
          name: "page",
          include: ["test/page/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        plugins: [instrument()],
        test: {
          ...beside,
          name: "seams",
          expect: { requireAssertions: true },
          include: ["test/seams/**/*.test.ts"],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: "envoy",
          include: ["test/{envoy,conformance,interop,truth,monitoring/live}/**/*.test.ts"],
          setupFiles: ["test/judge/setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
