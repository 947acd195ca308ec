/** The decision log on a disk that is full, and an error that nobody catches: what becomes of requests. */
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Canary } from "./canary.ts";
import { ask, callTool } from "./http.ts";
import type { Reply } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

let canary: Canary;
let folder: string;
let path: string;
beforeAll(async () => void (canary = await Canary.start()));
afterAll(() => canary[Symbol.asyncDispose]());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolgate-audit-"));
  path = join(folder, "decisions.jsonl");
});
afterEach(async () => {
  canary.forget();
  await rm(folder, { recursive: true, force: true });
});

const start = (...flags: readonly string[]): Promise<Stack> =>
  startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port, flags });
const call = async (stack: Stack): Promise<Reply> =>
  ask(stack.gateway.url, { token: await stack.token("reader"), body: callTool("allowed-one") });
const logged = (stack: Stack, msg: string): Promise<unknown> =>
  stack.toolgate.program.until(msg, () => stack.toolgate.log.find((line) => String(line["msg"]).includes(msg)));
const metric = async (stack: Stack, line: RegExp): Promise<boolean> =>
  line.test(await stack.toolgate.admin("/metrics"));

describeWithEnvoy("a decision log on a full disk", () => {
  test("lets nothing pass where it is required, until the disk has room again; and no line is lost", async () => {
    await symlink("/dev/full", path);
    await using stack = await start("--audit", "required", "--audit-log", path);
    expect((await call(stack)).text).toContain("done: allowed-one");
    await logged(stack, "the decision log cannot be written");
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
    await logged(stack, "the decision log cannot be written");
    expect((await call(stack)).text).toContain("done: allowed-one");
  });
});

describeWithEnvoy("an error that nobody catches", () => {
  test("ends the process after its exchanges have failed: what was not answered is not delivered", async () => {
    const preload = join(folder, "throws.mjs");
    await writeFile(preload, 'process.on("SIGUSR2", () => setImmediate(() => { throw new Error("injected"); }));');
    await using stack = await startStack({
      policies: CANARY_POLICIES,
      upstreamPort: canary.port,
      env: { NODE_OPTIONS: `--import ${preload}` },
    });
    const asked = Promise.withResolvers<void>();
    canary.answer = () => asked.resolve();
    const waiting = call(stack);
    await asked.promise;
    stack.toolgate.program.signal("SIGUSR2");
    expect((await waiting).status).toBe(503);
    await logged(stack, "an error that nobody has caught").catch(() => {});
    expect(stack.toolgate.log.map(({ msg }) => msg)).toContainEqual(expect.stringContaining("nobody has caught"));
    expect(await stack.toolgate.program.exitCode()).toBe(1);
    canary.forget();
    expect([(await call(stack)).status, canary.touched]).toEqual([503, 0]);
    await stack.toolgate.restart();
    expect((await call(stack)).text).toContain("done: allowed-one");
  });
});
