/** The Envoy that these tests run. Without one they are skipped, and say so; in CI that is a failure. */
import { describe } from "vitest";
import { findEnvoy, keptEnvoy } from "../../src/cli/envoy-binary.ts";
import type { EnvoyBinary } from "../../src/cli/envoy-binary.ts";
import type { EnvoyRelease } from "../../src/cli/envoy-wheel.ts";
import type { Result } from "../../src/core/result.ts";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Loudly without it. */
function required(found: Result<EnvoyBinary, string>, what: string): EnvoyBinary | undefined {
  if (found.ok) return found.value;
  if (process.env["CI"]) throw new Error(found.error);
  say(`SKIPPED, every test with ${what}: ${found.error}`);
  return undefined;
}

const search = { env: process.env, report: say };

const envoy = required(await findEnvoy(search), "a real Envoy");

/** Empty when there is none; then nothing runs that would use it. */
export const ENVOY_PATH = envoy?.path ?? "";

export const describeWithEnvoy = describe.skipIf(envoy === undefined);

/** Of the oldest line of versions that the shipped files are for. */
const OLDEST: EnvoyRelease = {
  version: "1.36.2",
  wheels: {
    manylinux_2_31_x86_64: "c75488ad0be907f077883691aa3832a79b509c1f6c993b420683e90793e13efc",
    manylinux_2_31_aarch64: "9e5048686ebee6999b021eefe313444e4c2280ac48c4ae23c61a13612e407225",
    macosx_15_0_arm64: "9ad57f6efc11867de45ba677ab6e2940f672222cefb675ebdb0c2d3d48919f2b",
  },
};

/** The Envoy that all tests run, and the oldest; those that are here. Fetched at the first call. */
export async function allEnvoys(): Promise<readonly EnvoyBinary[]> {
  const oldest = required(await keptEnvoy(search, OLDEST), `the oldest Envoy, ${OLDEST.version}`);
  return [envoy, oldest].filter((one) => one !== undefined);
}
