/** `npm start`, with a real Envoy: the tour, the ways to end it, and what a person reads when something is wrong. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { PACKAGE_ROOT } from "../../src/cli/demo/options.ts";
import { DemoProcess, freePorts, untilGone } from "./demo-process.ts";
import { Program } from "./program.ts";
import { ENVOY_PATH, describeWithEnvoy } from "./real-envoy.ts";

const run = promisify(execFile);
const ENV = { ENVOY: ENVOY_PATH };

/** Ended with the test, also with one that fails or takes too long. Tests that run at the same time say whose end it is. */
function start(flags: readonly string[], env = ENV, onEnd: typeof onTestFinished = onTestFinished): DemoProcess {
  const demo = new DemoProcess(flags, env);
  onEnd(async () => demo[Symbol.asyncDispose]());
  return demo;
}

/** What stands between two lines of the output, without the margin: to be pasted into a shell. */
function between(output: string, from: string, to: string): string {
  const lines = output.split("\n").map((line) => line.slice(2));
  return lines.slice(lines.indexOf(from) + 1, lines.indexOf(to)).join("\n");
}

describeWithEnvoy("the tour of toolgate demo", () => {
  let output = "";
  let exitCode: number | null = null;

  beforeAll(async () => {
    const { flags } = await freePorts();
    await using demo = new DemoProcess([...flags, "--once"], ENV);
    exitCode = await demo.exitCode();
    ({ output } = demo);
  });

  test("ends by itself with --once", () => {
    expect(exitCode, output).toBe(0);
  });

  test("names the three programs, each when it is ready", () => {
    expect(output).toMatch(/ready +MCP server +http[^]*ready +Toolgate +127[^]*ready +Envoy \d+\.\d+\.\d+ +http/);
  });

  test("shows what reader sees of what there is", () => {
    expect(output).toMatch(
      /reader has a token[^]*sees tools +2 of 13 +echo, get-sum\n[^]*sees prompts +1 of 4 +simple-prompt\n/,
    );
  });

  test("shows a call that is allowed, with its answer", () => {
    expect(output).toMatch(
      /allowed +tools\/call echo \{"message":"hello"\}\n +Echo: hello\n +by the rule tools\/readers\/readers-may-read/,
    );
  });

  test("shows a call of reader that no rule allows, with the sentence it gets", () => {
    expect(output).toMatch(
      /refused +tools\/call get-tiny-image \{\}\n +Blocked by policy: no rule lets reader [^(]*\(rule default-deny\)/,
    );
  });

  test("shows what is refused to admin too, and by which rule", () => {
    expect(output).toMatch(
      /admin has a token[^]*all but get-env[^]*refused +tools\/call get-env \{\}\n[^]*nobody-reads-the-environment/,
    );
  });

  test("shows a rule on trial that refuses nothing", () => {
    expect(output).toMatch(
      /on trial +tools\/call trigger-long-running-operation .*\n +Long running operation completed/,
    );
    expect(output).toContain("would be refused by the rule tools/on-trial/no-long-operations");
  });

  test("shows what a stranger gets", () => {
    expect(output).toMatch(/a stranger has no token at all\n\n +refused +with HTTP 401/);
  });

  test("shows metric lines and decision log lines of these calls", () => {
    expect(output).toMatch(/toolgate_requests_total\{caller="reader"/);
    expect(output).toMatch(/toolgate_authz_decisions_total\{decision="/);
    expect(output).toMatch(/"decision":"allow"[^]*"decision":"deny"[^]*"decision":"audit"/);
  });

  test("keeps to 100 columns and to plain text when its output is no terminal", () => {
    expect(output.split("\n").filter((line) => line.length > 100)).toEqual([]);
    expect(output).not.toContain("\u001B");
  });
});

describeWithEnvoy("toolgate demo while it is up", () => {
  let demo: DemoProcess;
  let policies: string;

  beforeAll(async () => {
    policies = await mkdtemp(join(tmpdir(), "toolgate-demo-"));
    await cp(join(PACKAGE_ROOT, "examples", "policies"), policies, { recursive: true });
    const { flags } = await freePorts();
    demo = new DemoProcess([...flags, "--policies", policies], ENV);
    await demo.says("Decisions, as they are made");
  });
  afterAll(async () => {
    await demo[Symbol.asyncDispose]();
    await rm(policies, { recursive: true, force: true });
  });

  const paste = async (from: string, to: string): Promise<string> => {
    const tokens = between(demo.output, "the tokens of the two callers, valid for a day", "a call that is allowed");
    const { stdout } = await run("/bin/sh", ["-c", `${tokens}\n${between(demo.output, from, to)}`]);
    return stdout;
  };
  const allowed = async () => paste("a call that is allowed", "a call that is refused");
  const refused = async () =>
    paste(
      "a call that is refused",
      demo.output
        .split("\n")
        .find((line) => line.includes("Connect"))
        ?.slice(2) ?? "",
    );

  test("prints a call that is allowed and works when it is pasted", async () => {
    expect(await allowed()).toContain("Echo: hello");
  });

  test("prints a call that is refused with a sentence when it is pasted", async () => {
    const answer = await refused();
    expect(answer).toContain('"isError":true');
    expect(answer).toContain("nobody-reads-the-environment");
  });

  test("shows the decision on a call that somebody else makes", async () => {
    await refused();
    await demo.says("tools/admins/nobody-reads-the-environment\n");
  });

  test("judges by an edited policy without a restart", async () => {
    const file = join(policies, "everything.yaml");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("[echo, get-sum]", "[get-sum]"));
    while ((await allowed()).includes("Echo: hello")) await sleep(50);
    expect(await allowed()).toContain("default-deny");
    await writeFile(file, text);
    while (!(await allowed()).includes("Echo: hello")) await sleep(50);
  });

  test("ends everything on Ctrl-C", async () => {
    const children = await demo.children();
    expect([...children.values()].join("\n")).toMatch(/server-everything[^]*serve[^]*--config-yaml/);
    demo.kill("SIGINT");
    expect(await demo.exitCode(), demo.output).toBe(0);
    await untilGone(children.keys());
  });
});

describeWithEnvoy("toolgate demo --load", () => {
  test("shows with --once calls that end in each way, of each agent, and rules on trial", async () => {
    const { flags } = await freePorts();
    const demo = start([...flags, "--load", "--once"]);
    expect(await demo.exitCode(), demo.output).toBe(0);
    expect(demo.output).toMatch(/Five agents have done \d\d+ things/);
    for (const result of ["ok", "tool_error", "denied", "cancelled"])
      expect(demo.output).toMatch(new RegExp(`"tools/call"[^}]*result="${result}"`));
    expect(demo.output).toMatch(/toolgate_authz_decisions_total\{decision="audit"/);
  });

  test("has agents at work until Ctrl-C, and says where to look", async () => {
    const { flags, admin } = await freePorts();
    const demo = start([...flags, "--load"]);
    await demo.says(`Look        http://127.0.0.1:${admin}/\n`);
    const counted = async (caller: string): Promise<boolean> => {
      const metrics = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
      return metrics.includes(`toolgate_requests_total{caller="${caller}"`);
    };
    for (const caller of ["reader", "admin", "analyst", "anonymous"]) while (!(await counted(caller))) await sleep(50);
    const children = await demo.children();
    demo.kill("SIGINT");
    expect(await demo.exitCode(), demo.output).toBe(0);
    await untilGone(children.keys());
  });
});

// At the same time: most of each is to wait for one program after the other.
describeWithEnvoy("toolgate demo when one of its programs dies", { concurrent: true }, () => {
  test.for([
    ["the MCP server", "server-everything"],
    ["Toolgate", " serve "],
    ["Envoy", "--config-yaml"],
  ] as const)("names %s with its last lines, and ends the others", async ([name, mark], { onTestFinished: onEnd }) => {
    const { flags } = await freePorts();
    const demo = start(flags, ENV, onEnd);
    await demo.says("Decisions, as they are made");
    const children = await demo.children();
    const [victim = 0] = [...children].find(([, args]) => args.includes(mark)) ?? [];
    process.kill(victim, "SIGKILL");
    expect(await demo.exitCode()).toBe(1);
    expect(demo.output).toContain(`${name} ended unexpectedly (signal SIGKILL)\n  Its last lines were:\n`);
    await untilGone(children.keys());
  });

  test("leaves none behind when it is killed itself", async ({ onTestFinished: onEnd }) => {
    const { flags } = await freePorts();
    const demo = start(flags, ENV, onEnd);
    await demo.says("Decisions, as they are made");
    const children = await demo.children();
    demo.kill("SIGKILL");
    await untilGone(children.keys());
  });
});

describeWithEnvoy("toolgate demo --upstream", () => {
  test("stands in front of a server that the person has started", async () => {
    const { flags, server } = await freePorts();
    const program = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"));
    const env = { PORT: String(server) };
    await using own = new Program({
      name: "the server",
      command: process.execPath,
      args: [program, "streamableHttp"],
      env,
    });
    await own.until("listening", () => own.stderr.includes("listening on port") || undefined);
    const demo = start([...flags, "--once", `--upstream=http://localhost:${server}/mcp`]);
    expect(await demo.exitCode(), demo.output).toBe(0);
    expect(demo.output).toMatch(/reader has[^]*sees tools +2 of 13[^]*admin has[^]*sees tools +12 of 13/);
  });

  test("says that nobody is there", async () => {
    const { flags, server } = await freePorts();
    const demo = start([...flags, `--upstream=http://127.0.0.1:${server}/mcp`]);
    expect(await demo.exitCode()).toBe(1);
    expect(demo.output).toContain(
      `no MCP server answers at http://127.0.0.1:${server}/mcp: start it, or correct --upstream`,
    );
  });
});

describe("toolgate demo that cannot start", () => {
  test("names every port that is taken, with the option that changes it", async () => {
    const { flags, gateway, server } = await freePorts();
    for (const port of [gateway, server]) {
      const other = createServer().listen(port, "127.0.0.1");
      await once(other, "listening");
      onTestFinished(() => void other.close());
    }
    const demo = start(flags);
    expect(await demo.exitCode()).toBe(1);
    expect(demo.output).toMatch(
      new RegExp(`127.0.0.1:${gateway}, for Envoy, is taken .*: choose another with --port \\d+\n`),
    );
    expect(demo.output).toMatch(
      new RegExp(`127.0.0.1:${server}, for the MCP server, is taken .* --server-port \\d+\n`),
    );
  });

  test("names every flag that is wrong", async () => {
    const demo = start(["--port=http", "--listen=unix:/x", "--upstream=ftp://x"]);
    expect(await demo.exitCode()).toBe(2);
    expect(demo.output).toContain('--port is "http": expected a port from 1 to 65535\n');
    expect(demo.output).toContain(
      '--listen is "unix:/x": expected an IP address and a port, for example 127.0.0.1:9002\n',
    );
    expect(demo.output).toContain('--upstream is "ftp://x": expected an http URL of an MCP server');
  });

  test("says that --load is for its own server", async () => {
    const demo = start(["--load", "--upstream=http://127.0.0.1:1/mcp"]);
    expect(await demo.exitCode()).toBe(2);
    expect(demo.output).toContain("--load knows what to ask of server-everything only: leave out --upstream");
  });

  test("says that $ENVOY is no Envoy", async () => {
    const { flags } = await freePorts();
    const demo = start(flags, { ENVOY: "/dev/null" });
    expect(await demo.exitCode()).toBe(1);
    expect(demo.output).toContain("$ENVOY is /dev/null, and that does not run as an Envoy");
  });

  test("gives Toolgate's own words about policies that it cannot read", async () => {
    const { flags } = await freePorts();
    const demo = start([...flags, "--policies=/nowhere/at/all"]);
    expect(await demo.exitCode()).toBe(1);
    expect(demo.output).toContain("Toolgate ended unexpectedly (exit code ");
    expect(demo.output).toContain("/nowhere/at/all");
  });
});
