/** The Envoy that these tests run. Without one they are skipped, and say so; in CI that is a failure. */
import { describe } from "vitest";
import { findEnvoy } from "../../src/cli/envoy-binary.ts";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const found = await findEnvoy({ env: process.env, report: say });
if (!found.ok && process.env["CI"]) throw new Error(found.error);
if (!found.ok) say(`SKIPPED, every test with a real Envoy: ${found.error}`);

/** Empty when there is none; then nothing runs that would use it. */
export const ENVOY_PATH = found.ok ? found.value.path : "";

export const describeWithEnvoy = describe.skipIf(!found.ok);
