/**
 * The Collector that the tests of traces send spans to: the project's own, with its OTLP receiver and its file exporter, built
 * with Go from `main.go` (a minute and a half, once). Without Go those tests are skipped, and say so; in CI that is a failure.
 */
import { execFile } from "node:child_process";
import { access, constants, mkdir, readFile, rename } from "node:fs/promises";
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const SOURCE = import.meta.dirname;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Undefined: it is not here, and cannot be built. */
export async function findCollector(): Promise<string | undefined> {
  const path = await keptPath();
  if (await isExecutable(path)) return path;
  say(`building an OpenTelemetry Collector with Go (once; kept as ${path})`);
  try {
    return await build(path);
  } catch (error: unknown) {
    const why = `no OpenTelemetry Collector, and go cannot build one: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env["CI"]) throw new Error(why, { cause: error });
    say(`SKIPPED, every test with a real Collector: ${why}`);
    return undefined;
  }
}

/** Of this source and no other. */
async function keptPath(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of ["main.go", "go.mod", "go.sum"]) hash.update(await readFile(join(SOURCE, file)));
  const base = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(base, "toolgate", `collector-${hash.digest("hex").slice(0, 12)}-${process.platform}-${process.arch}`);
}

/** Whole or not at all. */
async function build(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}`;
  await run("go", ["build", "-ldflags", "-s -w", "-o", partial, "."], { cwd: SOURCE });
  await rename(partial, path);
  return path;
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
