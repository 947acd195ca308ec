/** `npm run soak`: the test of this folder, for as long as one likes, with a seed that it prints. */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { Command } from "commander";

const { minutes, seed } = new Command("soak")
  .description(
    "Mixed load on a real Envoy and Toolgate, with policy changes, stops and kills; every call is accounted for.",
  )
  .option("--minutes <n>", "how long", "10")
  .option("--seed <n>", "which calls, and which changes", String(Math.floor(Math.random() * 2 ** 31)))
  .parse()
  .opts<{ readonly minutes: string; readonly seed: string }>();

const { status } = spawnSync("vitest", ["run", "test/soak/soak.test.ts", "--project=fuzz"], {
  stdio: "inherit",
  env: { ...process.env, SOAK_SECONDS: String(Number(minutes) * 60), SOAK_SEED: seed },
});
process.exitCode = status ?? 1;
