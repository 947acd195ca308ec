/** The decision log on a disk that is full, and an error that nobody catches: what becomes of requests. */
import { mkdtemp, readFile, rename, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runLogVerify } from "../../src/cli/log-verify.ts";
import { canaryOfTests } from "./canary-of-tests.ts";
import { ask, callTool } from "./http.ts";
import type { Reply } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { runToolgate } from "./toolgate-process.ts";

const canary = canaryOfTests();
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolgate-audit-"));
  path = join(folder, "decisions.jsonl");
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const start = (...flags: readonly string[]): Promise<Stack> =>
  startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port, flags });
const call = async (stack: Stack): Promise<Reply> =>
  ask(stack.gateway.url, { token: await stack.token("reader"), body: callTool("allowed-one") });
const metric = async (stack: Stack, line: RegExp): Promise<boolean> =>
  line.test(await stack.toolgate.admin("/metrics"));

describeWithEnvoy("a decision log on a full disk", () => {
  test("lets nothing pass where it is required, until the disk has room again; and no line is lost", async () => {
    await symlink("/dev/full", path);
    await using stack = await start("--audit", "required", "--audit-log", path);
    expect((await call(stack)).text).toContain("done: allowed-one");
    await stack.toolgate.says("the decision log cannot be written");
    canary.forget();
    const refused = await call(stack);
    expect([refused.status, canary.touched]).toEqual([503, 0]);
    expect(await metric(stack, /^toolgate_streams_refused_total\{reason="audit"\} 1$/m)).toBe(true);
    expect(await metric(stack, /^toolgate_decision_log_kept 0$/m)).toBe(true);

    await rm(path);
    stack.toolgate.program.signal("SIGHUP");
    await stack.toolgate.program.until("room", async () =>
      (await metric(stack, /^toolgate_decision_log_kept 1$/m)) ? true : undefined,
    );
    expect((await call(stack)).text).toContain("done: allowed-one");
    await stack.toolgate.program.until("both lines", async () =>
      (await readFile(path, "utf8")).split("\n").length === 3 ? true : undefined,
    );
    expect(await metric(stack, /^toolgate_decision_log_dropped_total 0$/m)).toBe(true);
  });

  test("stops nothing where it is not required", async () => {
    await symlink("/dev/full", path);
    await using stack = await start("--audit-log", path);
    for (let i = 0; i < 3; i++) expect((await call(stack)).text).toContain("done: allowed-one");
    await stack.toolgate.says("the decision log cannot be written");
    expect((await call(stack)).text).toContain("done: allowed-one");
  });
});

describeWithEnvoy("a decision log with a chain", () => {
  const verify = (...args: readonly string[]): Promise<readonly [number, string]> => {
    let said = "";
    const out = { write: (text: string) => (said += text) };
    return runLogVerify(args, { key }, out, out).then((code) => [code, said] as const);
  };
  let key: string;
  beforeEach(async () => {
    key = join(folder, "chain.key");
    await writeFile(key, "k".repeat(32));
  });
  const lines = (stack: Stack, file: string, count: number): Promise<true> =>
    stack.toolgate.program.until(`${count} lines`, async () =>
      (await readFile(file, "utf8").catch(() => "")).split("\n").length > count ? true : undefined,
    );

  test("verifies over a rotation, a kill in the middle of a line and a stop; and one changed letter breaks it", async () => {
    const chain = ["--audit-chain", "yes", "--audit-chain-key", key, "--audit-arguments", "text,token"];
    await using stack = await start("--audit-log", path, ...chain);
    const args = { text: "hello", token: "hunter2", other: 1 };
    await ask(stack.gateway.url, { token: await stack.token("reader"), body: callTool("allowed-one", args) });
    await lines(stack, path, 2);
    expect(await readFile(path, "utf8")).toContain(
      '"arguments":{"text":"hello","token":"[redacted]"},"arguments_withheld":1',
    );
    await rename(path, `${path}.1`);
    stack.toolgate.program.signal("SIGHUP");
    const heads = (): number => stack.toolgate.log.filter(({ msg }) => String(msg).includes("the chain of")).length;
    await stack.toolgate.program.until("a new file", () => (heads() === 1 ? true : undefined));
    await call(stack);
    await call(stack);
    await lines(stack, path, 2);
    await stack.toolgate.kill();
    await truncate(path, (await stat(path)).size - 100);
    await stack.toolgate.restart();
    await call(stack);
    await lines(stack, path, 4);
    stack.toolgate.program.signal("SIGTERM");
    expect(await stack.toolgate.program.exitCode()).toBe(0);

    const [code, said] = await verify(`${path}.1`, path);
    expect([code, said]).toEqual([0, expect.stringMatching(/open: ok\n.*ended: ok\nok: 2 segments, 6 lines, /)]);
    const head = stack.toolgate.log.findLast(({ msg }) => String(msg).includes("the chain of"))?.["chain"];
    expect(said).toContain(`head ${String(head)}`);
    expect((await verify(path))[0]).toBe(1);

    await writeFile(`${path}.1`, (await readFile(`${path}.1`, "utf8")).replace("allowed-one", "allowed-two"));
    expect(await verify(`${path}.1`, path)).toEqual([1, expect.stringContaining(`${path}.1:2: changed: `)]);
  });

  test("needs a key that can be read, or does not start", async () => {
    await writeFile(key, "short");
    const toolgate = runToolgate("serve", "--policies", folder, "--audit-chain", "yes", "--audit-chain-key", key);
    expect(await toolgate.exitCode()).toBe(1);
    expect(toolgate.stderr).toContain("chain.key: expected a key of at least 32 bytes, not 5");
  });
});

describeWithEnvoy("an error that nobody catches", () => {
  test("ends the process after its exchanges have failed: what was not answered is not delivered, and is on record", async () => {
    const preload = join(folder, "throws.mjs");
    await writeFile(preload, 'process.on("SIGUSR2", () => setImmediate(() => { throw new Error("injected"); }));');
    await using stack = await startStack({
      policies: CANARY_POLICIES,
      upstreamPort: canary.port,
      flags: ["--audit-log", path, "--audit-chain", "yes"],
      env: { NODE_OPTIONS: `--import ${preload}` },
    });
    const asked = Promise.withResolvers<void>();
    canary.answer = () => asked.resolve();
    const waiting = call(stack);
    await asked.promise;
    stack.toolgate.program.signal("SIGUSR2");
    expect((await waiting).status).toBe(503);
    await stack.toolgate.says("an error that nobody has caught");
    expect(await stack.toolgate.program.exitCode()).toBe(1);
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: "begin" },
      { tool: "allowed-one", outcome: "cancelled" },
      { event: "end" },
    ]);
    canary.forget();
    expect([(await call(stack)).status, canary.touched]).toEqual([503, 0]);
    await stack.toolgate.restart();
    await stack.toolgate.program.until("an answer", async () => (await call(stack)).status === 200 || undefined);
  });
});
