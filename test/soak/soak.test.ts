/** Two minutes of `npm run soak`, which lets it run longer. */
import { expect, test } from "vitest";
import { describeWithEnvoy } from "../envoy/real-envoy.ts";
import { soak } from "./soak.ts";
import { summaryOf } from "./summary.ts";

const seconds = Number(process.env["SOAK_SECONDS"] ?? 120);
const seed = Number(process.env["SOAK_SEED"] ?? 1);

describeWithEnvoy("a soak", () => {
  test(
    "of calls, policy changes, stops and kills leaves no call unaccounted, nothing leaked, and nothing held",
    async () => {
      const report = await soak({ seed, seconds });
      process.stdout.write(`${summaryOf({ seed, seconds }, report)}\n`);
      expect(report.kills).toBeGreaterThan(0);
      expect(report.stops).toBeGreaterThan(0);
    },
    (seconds + 300) * 1000,
  );
});
