/**
 * The virtual environments of the Python SDKs, made once and kept under the user's cache folder as Envoy is. Without Python
 * or pip, what needs them is skipped and says so; in CI that is a failure.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { err, ok } from "../../src/core/result.ts";
import type { Result } from "../../src/core/result.ts";

const run = promisify(execFile);

/** Exception groups, which sessions of both SDKs end with, are younger than what the SDKs ask for. */
const OLDEST = [3, 11];
const VERSION = "import platform, sys; print(*sys.version_info[:2], platform.platform())";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** The interpreter that has the packages of `requirements-<sdk>.txt`. The error is one sentence. */
async function preparePython(sdk: "v1" | "v2"): Promise<Result<string, string>> {
  const requirements = join(import.meta.dirname, `requirements-${sdk}.txt`);
  try {
    const { stdout: version } = await run("python3", ["-c", VERSION]);
    const [major = 0, minor = 0] = version.split(" ").map(Number);
    if (major !== OLDEST[0] || minor < OLDEST[1]!)
      return err(`Python ${OLDEST.join(".")} or later is needed, this one is ${major}.${minor}`);

    const cache = cacheFolder();
    if (cache === undefined) return err("there is no home folder to keep a virtual environment in");
    const fingerprint = createHash("sha256")
      .update(version)
      .update(await readFile(requirements))
      .digest("hex")
      .slice(0, 12);
    const target = join(cache, `python-mcp-${sdk}-${fingerprint}`);
    if (!(await exists(interpreter(target)))) await install(cache, target, requirements);
    return ok(interpreter(target));
  } catch (error: unknown) {
    return err(complaint(error));
  }
}

/** Puts the environment at `target`, whole or not at all. It can be moved, as long as only its interpreter is used. */
async function install(cache: string, target: string, requirements: string): Promise<void> {
  say(`installing ${requirements} with pip (once; kept as ${target})`);
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "python-"));
  try {
    await run("python3", ["-m", "venv", folder]);
    const quietly = ["--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"];
    await run(interpreter(folder), ["-m", "pip", "install", ...quietly, "-r", requirements]);
    await rename(folder, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function cacheFolder(): string | undefined {
  const { HOME: home, XDG_CACHE_HOME: named } = process.env;
  const inHome = process.platform === "darwin" ? ["Library", "Caches"] : [".cache"];
  const base = named || (home === undefined ? undefined : join(home, ...inHome));
  return base === undefined ? undefined : join(base, "toolgate");
}

const interpreter = (folder: string): string => join(folder, "bin", "python");

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** What a program said last, which with pip and Python is what went wrong. */
function complaint(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && error.code === "ENOENT") return "python3 is not on the PATH";
  const said = "stderr" in error ? String(error.stderr).trim().split("\n").at(-1) : "";
  return said || error.message;
}

const found = { v1: preparePython("v1"), v2: preparePython("v2") };
const prepared = { v1: await found.v1, v2: await found.v2 };

for (const [sdk, python] of Object.entries(prepared)) {
  if (python.ok) continue;
  const missing = `no Python SDK ${sdk} for the interop matrix: ${python.error}`;
  if (process.env["CI"]) throw new Error(missing);
  say(`SKIPPED, every cell of the interop matrix with the Python SDK ${sdk}: ${missing}`);
}

/** The interpreter for each SDK, or undefined: then nothing runs that would use it. */
export const PYTHON: Readonly<Record<"v1" | "v2", string | undefined>> = {
  v1: prepared.v1.ok ? prepared.v1.value : undefined,
  v2: prepared.v2.ok ? prepared.v2.value : undefined,
};
