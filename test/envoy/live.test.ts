/** What a person at a terminal sees of calls through a real Envoy: exactly those that were made. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "./free-port.ts";
import { Canary, inEvents, sendJson } from "./canary.ts";
import { ask, callTool, rpc } from "./http.ts";
import { CANARY_POLICIES } from "./policies.ts";
import { jsonLines } from "./program.ts";
import type { Program } from "./program.ts";
import { describeWithEnvoy } from "./real-envoy.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { runToolgate } from "./toolgate-process.ts";

let canary: Canary;
let stack: Stack;

const cli = (...args: readonly string[]): Program => runToolgate(...args, "--admin", stack.toolgate.adminUrl.origin);

/** What a command prints that ends by itself. */
async function printed(...args: readonly string[]): Promise<string> {
  await using program = cli(...args);
  expect(await program.exitCode()).toBe(0);
  expect(program.stderr).toBe("");
  return program.stdout;
}

const rows = async (...args: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  (JSON.parse(await printed(...args, "-o", "json", "--window", "300")) as { rows: readonly Record<string, unknown>[] })
    .rows;

async function call(role: string, body: string): Promise<void> {
  await ask(stack.gateway.url, { token: await stack.token(role), body });
}

/** Calls until the watcher says that it has seen one: from then on it misses none. */
async function watching(program: Program): Promise<void> {
  for (let seen = false; !seen; seen = program.stdout.includes("tools/list")) {
    await call("admin", rpc("tools/list"));
    if (program.hasEnded) throw new Error(`it has ended: ${program.stderr}`);
  }
}

const TOOL_ERROR = { content: [{ type: "text", text: "no" }], isError: true };

/** The load that all tests here are about. */
async function load(): Promise<void> {
  await call("reader", callTool("allowed-one", { city: "Oslo", street: "a secret" }));
  canary.answer = inEvents;
  await call("reader", callTool("allowed-one"));
  canary.answer = ({ id }, response) => sendJson(response, JSON.stringify({ jsonrpc: "2.0", id, result: TOOL_ERROR }));
  await call("reader", callTool("allowed-one"));
  canary.answer = ({ id }, response) =>
    sendJson(response, JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32_603, message: "broken" } }));
  await call("admin", callTool("hidden-one"));
  canary.forget();
  await call("admin", callTool("hidden-one"));
  await call("reader", callTool("hidden-one"));
  await call("stranger", rpc("initialize", { protocolVersion: "2025-11-25" }));
}

describeWithEnvoy("calls by three callers", () => {
  let tap: Program;
  let table: Program;
  let refusals: Program;
  let withArguments: Program;
  /** It prints every ten seconds: it is to be ready by the time its test comes. */
  let top: Program;

  beforeAll(async () => {
    canary = await Canary.start();
    const port = await freePort();
    const flags = ["--admin-listen", `127.0.0.1:${port}`, "--audit-arguments", "city"];
    stack = await startStack({ policies: CANARY_POLICIES, upstreamPort: canary.port, flags });
    [tap, table] = [cli("tap", "-o", "json", "--tool", "*"), cli("tap")];
    withArguments = cli("tap", "--arguments", "--tool", "*");
    refusals = cli("tap", "-o", "json", "--denied", "--caller", "read*");
    top = cli("top", "--tool", "allowed-two");
    const all = cli("tap", "-o", "json");
    for (const program of [table, all]) await watching(program);
    // Those with a filter have nothing to show yet: they show a refusal that is not of the load.
    const isThere = (program: Program) => (program.stdout === "" ? undefined : true);
    for (let there = false; !there; there = [tap, refusals, withArguments].every(isThere))
      await call("reader", callTool("probe"));
    await all[Symbol.asyncDispose]();
    await load();
  });
  afterAll(async () => {
    for (const program of [tap, table, refusals, withArguments, top]) await program[Symbol.asyncDispose]();
    await stack[Symbol.asyncDispose]();
    await canary[Symbol.asyncDispose]();
  });

  test("tap shows each call of a tool with decision, rule, outcome and latency, and no arguments", async () => {
    const shown = await tap.until("all calls", () => {
      const lines = jsonLines(tap.stdout).filter(({ tool }) => tool !== "probe");
      return lines.length < 6 ? undefined : lines;
    });
    const reader = { caller: "reader", server: "tools/canary", method: "tools/call" };
    const admin = { ...reader, caller: "admin" };
    expect(shown).toMatchObject([
      { ...reader, tool: "allowed-one", decision: "allow", rule: "reader-rule", outcome: "ok" },
      { ...reader, tool: "allowed-one", decision: "allow", rule: "reader-rule", outcome: "ok" },
      { ...reader, tool: "allowed-one", decision: "allow", rule: "reader-rule", outcome: "tool_error" },
      {
        ...admin,
        tool: "hidden-one",
        decision: "allow",
        rule: "admin-rule",
        outcome: "rpc_error",
        error_code: -32_603,
      },
      { ...admin, tool: "hidden-one", decision: "allow", rule: "admin-rule", outcome: "ok" },
      {
        ...reader,
        tool: "hidden-one",
        decision: "deny",
        rule: "default-deny",
        outcome: "denied",
        reason: "no-rule-allows",
      },
    ]);
    for (const line of shown) {
      expect(line["duration_ms"]).toBeGreaterThan(0);
      expect(line).not.toHaveProperty("arguments");
    }
  });

  test("tap shows the arguments that Toolgate keeps to who asks for them, and no others", async () => {
    await withArguments.until("the last call", () => (withArguments.stdout.includes("hidden-one") ? true : undefined));
    expect(withArguments.stdout).toMatch(/allowed-one .* \{"city":"Oslo"\}\n/);
    for (const program of [withArguments, tap, table]) expect(program.stdout).not.toContain("a secret");
    for (const program of [tap, table]) expect(program.stdout).not.toContain("Oslo");
  });

  test("tap shows only what it was asked for", async () => {
    const shown = await refusals.until("the refusal", () => {
      const lines = jsonLines(refusals.stdout).filter(({ tool }) => tool !== "probe");
      return lines.length === 0 ? undefined : lines;
    });
    expect(shown).toMatchObject([{ caller: "reader", tool: "hidden-one", decision: "deny" }]);
  });

  test("tap has a line for each call that a person can read", async () => {
    const lines = await table.until("the last call", () =>
      table.stdout.includes("stranger") ? table.stdout.split("\n") : undefined,
    );
    const line = (text: string) => lines.find((one) => one.includes(text)) ?? "";
    expect(line("tool_error")).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} {2}allow {2}tool_error +\d+(?:\.\d)?m?s {2}reader +tools\/call allowed-one +tools\/for-reader\/reader-rule +tools\/canary$/,
    );
    expect(line("error -32603")).toContain("admin");
    expect(line("stranger")).toMatch(/ deny .* initialize +toolgate\/default-deny \(no-access\) +tools\/canary$/);
  });

  test.concurrent("stat has them by server and by tool", async () => {
    const [server] = await rows("stat", "servers");
    expect(server).toMatchObject({ server: "tools/canary", tool_errors: 1, inflight: 0, streams: 0 });
    const tools = (await rows("stat", "tools", "canary")).filter(({ name }) => name !== undefined);
    expect(tools).toMatchObject([
      { name: "_unknown" },
      { name: "allowed-one", requests: 3, success: 2 / 3, tool_errors: 1, denied: 0, availability: 1 },
      { name: "hidden-one", requests: 3, success: 0.5, tool_errors: 0, denied: 1, availability: 0.5 },
    ]);
    expect(await rows("stat", "tools", "other")).toEqual([]);
  });

  test.concurrent("edges has who called whom", async () => {
    const found = await rows("edges");
    expect(found).toMatchObject([
      { caller: "admin", identity: "jwt", server: "tools/canary", tools: 1, denied: 0 },
      { caller: "reader", identity: "jwt", server: "tools/canary", tools: 3 },
      { caller: "stranger", identity: "jwt", server: "tools/canary", tools: 0, requests: 1, success: null, denied: 1 },
    ]);
  });

  test.concurrent("authz has what each rule decided", async () => {
    const found = (await rows("authz")).filter(({ name }) => name !== "_unknown");
    const tool = { server: "tools/canary", method: "tools/call" };
    expect(found).toContainEqual(
      expect.objectContaining({ ...tool, name: "allowed-one", rule: "reader-rule", allowed: 3 }),
    );
    expect(found).toContainEqual(
      expect.objectContaining({ ...tool, name: "hidden-one", rule: "admin-rule", allowed: 2, denied: 0, success: 0.5 }),
    );
    expect(found).toContainEqual(
      expect.objectContaining({
        ...tool,
        name: "hidden-one",
        rule: "default-deny",
        allowed: 0,
        denied: 1,
        success: null,
      }),
    );
    expect(found).toContainEqual(expect.objectContaining({ method: "initialize", rule: "default-deny", denied: 1 }));
  });

  test.concurrent("a table has the same as the rows", async () => {
    const shown = await printed("authz", "canary");
    expect(shown.split("\n")[0]).toMatch(/^SERVER +TOOL +POLICY +RULE +MODE +ALLOWED +DENIED +AUDITED +SUCCESS +RPS/);
    expect(shown).toMatch(/tools\/canary +allowed-one +tools\/for-reader +reader-rule +Enforce +3 +0 +0 +66\.66% /);
    expect(await printed("stat", "servers")).toMatch(/^NAMESPACE +SERVER .*\ntools +canary /);
  });

  test("top adds them up, and ends well with Ctrl-C", async () => {
    await top.until("a table", async () => {
      await call("reader", callTool("allowed-two"));
      return top.stdout.includes("allowed-two") ? true : undefined;
    });
    top.signal("SIGINT");
    expect(await top.exitCode()).toBe(0);
    expect(top.stdout).toMatch(
      /^CALLER +SERVER +METHOD +TOOL +COUNT +BEST +WORST +LAST +SUCCESS +DENIED\nreader +tools\/canary +tools\/call +allowed-two +\d+ .* 100\.00% +0\n/m,
    );
  });

  test("a tap goes on when Toolgate is started anew, says so, and ends well with Ctrl-C", async () => {
    await stack.toolgate.kill();
    await table.until("the end", () => (table.stderr.includes("trying again") ? true : undefined));
    await stack.toolgate.restart();
    await table.until("the restart", () => (table.stderr.includes("Toolgate was restarted") ? true : undefined));
    const before = table.stdout.length;
    await table.until("a call after it", async () => {
      await call("reader", callTool("allowed-two"));
      return table.stdout.slice(before).includes("allowed-two") ? true : undefined;
    });
    table.signal("SIGINT");
    expect(await table.exitCode()).toBe(0);
  });
});
