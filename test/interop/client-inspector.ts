/**
 * The scenarios with the command line of the MCP Inspector, in the era `auto`: a process and a connection for each, as people
 * use it in scripts. It answers with one JSON object, on stdout or as an error on stderr.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Kind } from "./fixture.ts";
import { SCENARIOS } from "./scenario.ts";
import type { Line, Outcome, Scenario } from "./scenario.ts";

const run = promisify(execFile);

/** Half a second of a core each, so a few that between them go through all that it can ask. */
const CHOSEN: ReadonlySet<string> = new Set([
  "connect",
  "list tools",
  "tool: structured content",
  "tool: embedded resource and link",
  "tool: non-ASCII name and argument",
  "prompt with arguments",
  "resource: binary",
]);

const LIST: Readonly<Record<Kind, string>> = {
  tools: "tools/list",
  prompts: "prompts/list",
  resources: "resources/list",
  resourceTemplates: "resources/templates/list",
};

const AT_A_TIME = 2;

const launcher = fileURLToPath(import.meta.resolve("@modelcontextprotocol/inspector/clients/launcher/build/index.js"));
const home = await mkdtemp(join(tmpdir(), "toolgate-inspector-"));

/** What it is told to do; undefined for what it cannot. */
function flagsFor(scenario: Scenario): readonly string[] | undefined {
  switch (scenario.does) {
    case "describe":
      return ["initialize"];
    case "list":
      return [LIST[scenario.of]];
    case "call":
      return ["tools/call", "--tool-name", scenario.tool, "--tool-args-json", JSON.stringify(scenario.arguments ?? {})];
    case "prompt":
      return ["prompts/get", "--prompt-name", scenario.prompt, "--prompt-args", ...pairs(scenario.arguments ?? {})];
    case "read":
      return ["resources/read", "--uri", scenario.uri];
    default:
      return undefined;
  }
}

const pairs = (args: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(args).map(([name, value]) => `${name}=${value}`);

async function carryOut(scenario: Scenario, url: string): Promise<Outcome> {
  const flags = flagsFor(scenario);
  if (flags === undefined) return { unsupported: "the Inspector's command line cannot" };
  if (!CHOSEN.has(scenario.name)) return { unsupported: "not run with the Inspector" };
  const to = ["--cli", "--server-url", url, "--transport", "http", "--protocol-era", "auto"];
  const args = [launcher, ...to, "--quiet", "--format", "json", "--method", ...flags];
  const env = { ...process.env, HOME: home, NODE_COMPILE_CACHE: join(home, "compiled") };
  try {
    const { stdout } = await run(process.execPath, args, { env });
    const { result } = JSON.parse(stdout) as { readonly result: Readonly<Record<string, unknown>> };
    return {
      ok: scenario.does === "list" ? result[scenario.of] : scenario.does === "call" ? { result, heard: [] } : result,
    };
  } catch (error: unknown) {
    return { error: told(error) };
  }
}

/** It does not tell the code of a JSON-RPC error. */
function told(error: unknown): unknown {
  const { stderr = "" } = error as { readonly stderr?: string };
  const line = stderr.split("\n").find((candidate) => candidate.startsWith('{"error"'));
  if (line === undefined) return { name: "no answer in JSON", message: stderr.slice(0, 500) };
  const { message } = (JSON.parse(line) as { readonly error: { readonly message: string } }).error;
  return { message: message.replace(/^MCP error -?\d+: /, "") };
}

const queue = process.argv.slice(2).flatMap((url, target) => SCENARIOS.map((scenario) => ({ url, target, scenario })));
const work = async (): Promise<void> => {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { url, target, scenario } = next;
    const line: Line = { target, scenario: scenario.name, outcome: await carryOut(scenario, url) };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
};
await Promise.all(Array.from({ length: AT_A_TIME }, work));
await rm(home, { recursive: true, force: true });
