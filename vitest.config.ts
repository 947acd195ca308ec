import { defineConfig } from "vitest/config";

/** Two kinds of test: pure ones share a process, those that start processes of their own do not. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "core",
          include: ["test/core/**/*.test.ts", "test/properties/**/*.test.ts"],
          isolate: false,
        },
      },
      {
        test: {
          name: "edges",
          include: ["test/{grpc,policies,telemetry,admin,config,cli}/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "envoy",
          include: ["test/envoy/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
