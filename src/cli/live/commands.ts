/** The commands for a person with a terminal, and their options. */
import process from "node:process";
import type { Command } from "commander";
import { STAT_KINDS } from "../../telemetry/stat.ts";
import { screen } from "./screen.ts";
import { OUTPUTS, runAuthz, runEdges, runStat } from "./stat.ts";
import type { StatFlags } from "./stat.ts";
import { runTap } from "./tap.ts";
import type { TapFlags, Watching } from "./tap.ts";
import { runTop } from "./top.ts";

const ADMIN = "http://127.0.0.1:9003";

export function addLiveCommands(program: Command, end: (exitCode: number) => void): void {
  const table = (name: string, about: string): Command =>
    onInstance(program.command(name).description(about))
      .option("--prometheus <url>", "all instances together, as this Prometheus has them")
      .option("--window <seconds>", "how far back", "60")
      .option("-o, --output <form>", OUTPUTS.join(", "), "table");
  table("stat", "golden signals: by server, or by tool, prompt or resource method")
    .argument(`<${STAT_KINDS.join("|")}>`, "by what")
    .argument("[server]", "only of this server")
    .action(async (what: string, server: string | undefined, flags: StatFlags) =>
      end(await runStat(what, flags, shown(server))),
    );
  table("edges", "who talks to whom").action(async (flags: StatFlags) => end(await runEdges(flags, shown())));
  table("authz", "which rule decided what, and which rules never do")
    .argument("[server]", "only of this server")
    .action(async (server: string | undefined, flags: StatFlags) => end(await runAuthz(flags, shown(server))));
  watch(program.command("top").description("who calls what, as it comes"))
    // The height can change while it runs.
    .action(async (flags: TapFlags) => end(await runTop(flags, watching(), () => process.stdout.rows)));
  watch(program.command("tap").description("each call as it ends: decision, outcome, latency, rule"))
    .option("--arguments", "also the arguments, where Toolgate keeps them (--audit-arguments)")
    .option("-o, --output <form>", "table, json", "table")
    .action(async (flags: Parameters<typeof runTap>[0]) => end(await runTap(flags, watching())));
}

const shown = (server?: string) => ({ screen: screen(), complain: process.stderr, server });

const onInstance = (command: Command): Command =>
  command.option("--admin <url>", "Toolgate's admin port: http://host:port or unix:/path", ADMIN);

const watch = (command: Command): Command =>
  onInstance(command)
    .option("--prometheus <url>", "not here: it has no single calls")
    .option("--server <pattern>", "only calls to this server; * stands for any text")
    .option("--tool <pattern>", "only calls of this tool")
    .option("--caller <pattern>", "only calls of this caller")
    .option("--denied", "only what was refused, or would have been in Enforce mode");

/** Ends with Ctrl-C, or when nobody reads any more. */
function watching(): Watching {
  const over = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => over.abort());
  process.stdout.once("error", () => over.abort());
  return { screen: screen(), complain: process.stderr, signal: over.signal };
}
