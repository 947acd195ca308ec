import { defineConfig } from "vitest/config";
import { instrument } from "./test/seams/instrument.ts";

/** Where `.ci/run` wants the counts. */
const report = process.env["TEST_REPORT"];

/** Pure tests share a process; those that start processes or servers do not, and there is one Envoy at a time. */
export default defineConfig({
  test: {
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    projects: [
      {
        test: {
          name: "core",
          include: ["test/core/**/*.test.ts", "test/properties/**/*.test.ts"],
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "fuzz",
          include: ["test/fuzz/**/*.test.ts"],
          testTimeout: 300_000,
        },
      },
      {
        test: {
          name: "edges",
          include: ["test/{grpc,judge,policies,telemetry,admin,config,cli}/**/*.test.ts", "test/monitoring/*.test.ts"],
          setupFiles: ["test/judge/setup.ts"],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "page",
          include: ["test/page/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        plugins: [instrument()],
        test: {
          name: "seams",
          include: ["test/seams/**/*.test.ts"],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: "envoy",
          include: ["test/{envoy,conformance,interop,soak,truth,monitoring/live}/**/*.test.ts"],
          setupFiles: ["test/judge/setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
