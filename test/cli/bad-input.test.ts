/** What a person reads who starts Toolgate wrongly, and the exit code that a script sees. No Envoy is needed for it. */
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { CANARY_POLICIES } from "../envoy/policies.ts";
import { Program } from "../envoy/program.ts";
import { runToolgate, TOOLGATE_MAIN } from "../envoy/toolgate-process.ts";

const ANY_PORTS = ["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"];

async function policyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "toolgate-bad-"));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "policies.yaml"), CANARY_POLICIES);
  return folder;
}

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** How a program ended that must end by itself. */
async function ended(program: Program): Promise<{ readonly code: number | null; readonly said: string }> {
  await using _ = program;
  const code = await program.exitCode();
  return { code, said: program.stderr };
}

describe("toolgate serve that cannot start", () => {
  test("names the policy folder that is not there", async () => {
    const { code, said } = await ended(runToolgate("serve", "--policies=/nowhere/at/all", ...ANY_PORTS));
    expect(code).toBe(2);
    expect(said).toMatch(/\/nowhere\/at\/all.*(no such|not found|does not exist)/i);
  });

  test.skipIf(process.getuid?.() === 0)("names the policy folder that it may not read", async () => {
    const folder = await policyFolder();
    await chmod(folder, 0o000);
    onTestFinished(() => chmod(folder, 0o700));
    const { code, said } = await ended(runToolgate("serve", `--policies=${folder}`, ...ANY_PORTS));
    expect(code).toBe(2);
    expect(said).toContain(folder);
  });

  test("says that the policies are no folder", async () => {
    const file = join(await policyFolder(), "policies.yaml");
    const { code, said } = await ended(runToolgate("serve", `--policies=${file}`, ...ANY_PORTS));
    expect(code).toBe(2);
    expect(said).toContain(file);
    expect(said).toContain("it is not a directory; expected a directory of *.yaml files");
  });

  test.each(["--listen", "--admin-listen"])("names %s when its port is taken", async (flag) => {
    const port = await takenPort();
    const flags = ANY_PORTS.map((other) => (other.startsWith(`${flag}=`) ? `${flag}=127.0.0.1:${port}` : other));
    const { code, said } = await ended(runToolgate("serve", `--policies=${await policyFolder()}`, ...flags));
    expect(code).toBe(1);
    expect(said).toMatch(
      new RegExp(`listen on 127\\.0\\.0\\.1:${port}: it is in use by another process; choose another .* ${flag}\n`),
    );
  });

  test("names every flag that is wrong, with what was expected", async () => {
    const wrong = ["--listen=nowhere", "--max-body-bytes=1e6", "--unmatched=allow", "--drain-seconds=-1"];
    const { code, said } = await ended(runToolgate("serve", ...wrong));
    expect(code).toBe(2);
    for (const flag of ["--listen", "--max-body-bytes", "--unmatched", "--drain-seconds", "--policies"]) {
      expect(said).toMatch(new RegExp(`^${flag}: .+`, "m"));
    }
    expect(said).toContain('--max-body-bytes: expected a whole number from 1024 to 67108864, not "1e6"\n');
  });

  test.each([
    ["a flag", ["serve", "--polices=."], "--policies"],
    ["a command", ["sreve"], "serve"],
  ])("says what was meant by %s that does not exist", async (_, args, meant) => {
    const { code, said } = await ended(runToolgate(...args));
    expect(code).toBe(2);
    expect(said).toContain(meant);
  });
});

describe("toolgate demo without an Envoy", () => {
  test("says in one sentence what to install", async () => {
    const env = { ENVOY: "", PATH: "", HOME: "", XDG_CACHE_HOME: "" };
    const args = [TOOLGATE_MAIN, "demo", "--once"];
    const { code, said } = await ended(new Program({ name: "the demo", command: process.execPath, args, env }));
    expect(code).toBe(1);
    expect(said).toMatch(
      /no Envoy found.*install Envoy 1\.36 or later and put it on the PATH, or name it in \$ENVOY\.\n/,
    );
  });
});
