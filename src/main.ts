/** argv to a command and an exit code. What the commands do is in `cli/`. */
import process from "node:process";
import { buffer } from "node:stream/consumers";
import { Command } from "commander";
import { addLiveCommands } from "./cli/live/commands.ts";
import { runCheck } from "./cli/check.ts";
import { runDoctor } from "./cli/doctor.ts";
import type { DoctorFlags } from "./cli/doctor.ts";
import { runLogVerify } from "./cli/log-verify.ts";
import type { LogVerifyOptions } from "./cli/log-verify.ts";
import { runPin } from "./cli/pin.ts";
import { runSchema } from "./cli/schema.ts";
import { runServe } from "./cli/serve.ts";
import { VERSION } from "./cli/version.ts";
import { CONFIG_FILE, envOf, flagOf, OPTION_NAMES, OPTIONS } from "./config/options.ts";
import { DOCUMENT_SCHEMA } from "./core/policy/document.ts";
import { DECISION_SCHEMA } from "./telemetry/decision-schema.ts";

const WRONG_USAGE = 2;

const program = new Command("toolgate")
  .description("Decides which agent may call which MCP tool, behind a stock Envoy.")
  .version(VERSION)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : WRONG_USAGE));

const end = (exitCode: number): void => {
  process.exitCode = exitCode;
};

const serve = program
  .command("serve")
  .description("answer Envoy's external processor")
  // Not by itself: a reader of stdout that has stopped reading would keep the process for ever.
  .action(async (flags: Record<string, string>) => process.exit(await runServe(flags)));
for (const name of OPTION_NAMES) {
  const { placeholder, help, fallback } = OPTIONS[name];
  const otherwise = fallback === undefined ? "required" : `default ${fallback === "" ? "empty" : fallback}`;
  serve.option(`${flagOf(name)} <${placeholder}>`, `${help} (${otherwise}; or ${envOf(name)})`);
}
serve.option(`${flagOf(CONFIG_FILE.name)} <${CONFIG_FILE.placeholder}>`, CONFIG_FILE.help);

program
  .command("check")
  .description("print all problems and warnings of the policies in a directory; exit 1 on problems")
  .argument("<dir>", "directory with the policy documents")
  .action(async (directory: string) => end(await runCheck(directory, process.stdout)));

program
  .command("doctor")
  .description("print what is wrong with the configuration of an Envoy that asks Toolgate; exit 1 on problems")
  .argument("[files...]", "its configuration, in YAML or JSON")
  .option("--envoy-admin <url>", "the admin interface of a running Envoy, which says what it has")
  .option("--cluster <name>", "the cluster that is Toolgate", "toolgate")
  .action(async (files: string[], flags: DoctorFlags) => end(await runDoctor(files, flags, process.stdout)));

program
  .command("schema")
  .description("print the JSON Schema of policy documents, for editors")
  .action(() => runSchema(DOCUMENT_SCHEMA, process.stdout));

const log = program.command("log").description("what is written of decisions: its format, and whether it is whole");
log
  .command("schema")
  .description("print the JSON Schema of the decision log's lines")
  .action(() => runSchema(DECISION_SCHEMA, process.stdout));
log
  .command("verify")
  .description("say where the chain of a decision log breaks; exit 1 when it does")
  .argument("<file...>", "the files in the order in which they were written")
  .option("--key <file>", "the key of the chain (--audit-chain-key)")
  .option("--after <chain>", "the chain of the line before the first, where older files are gone")
  .option("--head <chain>", "the chain of a line that has to be there, from Toolgate's own log")
  .action(async (files: readonly string[], options: LogVerifyOptions) =>
    end(await runLogVerify(files, options, process.stdout, process.stderr)),
  );

program
  .command("pin")
  .description("read the answer to tools/list on stdin, print the pins of an MCPServer")
  .action(async () => end(runPin(await buffer(process.stdin), process.stdout, process.stderr)));

addLiveCommands(program, end);

program
  .command("demo")
  .description("start Envoy, Toolgate and an MCP server on this machine, and take a tour (needs a checkout)")
  .option("--port <port>", "where Envoy listens for MCP clients (default 10000)")
  .option("--envoy-admin-port <port>", "Envoy's admin interface (default 9901)")
  .option("--listen <address>", "where Toolgate listens for Envoy (default 127.0.0.1:9002)")
  .option("--admin-listen <address>", "where Toolgate serves /metrics (default 127.0.0.1:9003)")
  .option("--server-port <port>", "where the MCP server listens (default 9100)")
  .option("--policies <dir>", "directory with the policy documents (default examples/policies)")
  .option("--upstream <url>", "your own MCP server, in place of the one that the demo starts")
  .option("--load", "after the tour, several agents at work: something to look at")
  .option("--once", "end after the tour, and after some of the load")
  // Loaded here alone: it needs what only a checkout has.
  .action(async (flags: object) => end(await (await import("./cli/demo/demo.ts")).runDemo(flags)));

await program.parseAsync();
