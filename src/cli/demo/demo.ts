/**
 * `npm start`: an MCP server, Toolgate and Envoy on the loopback interface, a tour through them, then the floor is the
 * user's. Everything is real: the product is `toolgate serve`, started like anybody would start it.
 */
import { formatAddress } from "../../config/address.ts";
import { findEnvoy } from "../envoy-binary.ts";
import { createCallers } from "./callers.ts";
import { ChildEnded, Children } from "./children.ts";
import { DecisionLog } from "./decision-log.ts";
import type { DecisionLine } from "./decision-log.ts";
import { demoEnvoyConfig } from "./envoy-config.ts";
import { printInstructions } from "./instructions.ts";
import { runLoad } from "./load.ts";
import { parseLogLine } from "./log-line.ts";
import { parseDemoFlags, shortPath } from "./options.ts";
import type { DemoFlags, DemoOptions } from "./options.ts";
import { takenPorts } from "./ports.ts";
import { isListening, startEnvoy, startMcpServer, startToolgate } from "./programs.ts";
import { untilReady } from "./ready.ts";
import { bold, column, complain, dim, green, heading, red, say, wrap, yellow } from "./screen.ts";
import { printTour, printTraces } from "./tour-page.ts";
import { runTour } from "./tour.ts";

/** The person has ended the demo. */
class Interrupted extends Error {}

/** What is wrong and what to do about it, in sentences. */
class Unable extends Error {}

type UnlessEnded = <T>(work: Promise<T>) => Promise<T>;

/** Runs the demo until Ctrl-C, or with `once` until the tour is over. Resolves with the exit code. */
export async function runDemo(flags: DemoFlags): Promise<number> {
  const options = parseDemoFlags(flags);
  if (!options.ok) {
    for (const problem of options.error) complain(problem);
    return 2;
  }
  try {
    await using children = new Children();
    const ended = Promise.race([children.ended, interrupted()]);
    ended.catch(() => undefined); // Whatever is under way waits for it; between two steps nobody does.
    await present(options.value, children, async (work) => Promise.race([work, ended]));
    return 0;
  } catch (error: unknown) {
    if (error instanceof Interrupted) {
      say("", "Ended, with all that it had started.");
      return 0;
    }
    complainAbout(error);
    return 1;
  }
}

async function present(options: DemoOptions, children: Children, unlessEnded: UnlessEnded): Promise<void> {
  const { log, gateway, server, tokens, admin } = await start(options, children, unlessEnded);

  const tour = await unlessEnded(runTour({ gateway, server, tokens, withCalls: options.upstream === undefined }));
  await unlessEnded(log.settled());
  printTour(tour, log.lines);
  using over = new DisposableStack();
  const { signal } = over.adopt(new AbortController(), (controller) => controller.abort());
  if (options.once && options.load) {
    const deeds = await unlessEnded(runLoad({ gateway, tokens, signal, rounds: 1 }));
    await unlessEnded(log.settled());
    heading(`Five agents have done ${deeds} things`);
  }
  const metrics = await unlessEnded(fetch(new URL("/metrics", admin)).then(async (response) => response.text()));
  printTraces(metrics, log.lines);
  if (options.once) return;

  printInstructions({ gateway, tokens, sessionId: tour.sessionId, options });
  log.follow(options.load ? () => undefined : printDecision);
  await unlessEnded(options.load ? runLoad({ gateway, tokens, signal }) : new Promise<never>(() => undefined));
}

/** Starts one program after the other, each when the one before it is ready. */
async function start(options: DemoOptions, children: Children, unlessEnded: UnlessEnded) {
  const taken = await takenPorts(options);
  if (taken.length > 0) throw new Unable(taken.join("\n"));
  const envoy = await unlessEnded(findEnvoy({ env: process.env, report: complain, progressBar: process.stderr.isTTY }));
  if (!envoy.ok) throw new Unable(envoy.error);
  const { keySet, tokens } = await createCallers();
  say("", bold("Toolgate between Envoy and an MCP server"), "");

  const server = options.upstream ?? new URL(`http://127.0.0.1:${options.serverPort}/mcp`);
  if (options.upstream === undefined) {
    startMcpServer(children, options.serverPort);
    await unlessEnded(untilReady("the MCP server", server, () => true));
  } else if (!(await unlessEnded(isListening(server)))) {
    throw new Unable(`no MCP server answers at ${server.href}: start it, or correct --upstream`);
  }
  sayReady("MCP server", server.href);

  const log = new DecisionLog();
  const admin = new URL(`http://${formatAddress(options.adminListen)}`);
  startToolgate(children, options, { decision: (line) => log.add(line), log: printOwnLog });
  await unlessEnded(untilReady("Toolgate", new URL("/readyz", admin)));
  sayReady("Toolgate", `${formatAddress(options.listen)}, with the policies in ${shortPath(options.policies)}`);

  const gateway = new URL(`http://127.0.0.1:${options.port}/mcp`);
  startEnvoy(children, envoy.value.path, await demoEnvoyConfig(options, keySet));
  await unlessEnded(untilReady("Envoy", new URL(`http://127.0.0.1:${options.envoyAdminPort}/ready`)));
  sayReady(`Envoy ${envoy.value.version}`, gateway.href);
  return { log, gateway, server, tokens, admin };
}

/** Rejects at the first signal that asks the demo to end. More of them (npm passes Ctrl-C on once more) change nothing. */
async function interrupted(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => reject(new Interrupted()));
  return promise;
}

const sayReady = (name: string, text: string): void => say(`${green("ready")}  ${column(bold(name), 15)}${text}`);

const COLOURS = { allow: green, deny: red, audit: yellow } as const;

function printDecision({ caller, method, name, decision, rule }: DecisionLine): void {
  const colour = COLOURS[decision as keyof typeof COLOURS] ?? dim;
  say(`${column(colour(decision), 7)}${column(caller, 11)}${column(`${method} ${name}`, 40)}${dim(rule)}`);
}

function complainAbout(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  for (const line of text.split("\n")) complain(line);
  if (error instanceof ChildEnded && error.lastLines.length > 0) {
    complain("Its last lines were:");
    for (const line of error.lastLines) complain(`  ${line}`);
  }
}

/** Of Toolgate's own log what a person should act on, or has just caused by an edit. */
function printOwnLog(text: string): void {
  const { level, msg, generation, problems } = parseLogLine(text) ?? {};
  if (level === "error" || level === "warn") for (const line of wrap(String(msg), 0)) complain(yellow(line));
  const kept = "documents with a problem stay in force as they were before the edit";
  // Only the line that says that policies are in force has a generation, and the first one is the start.
  if (Number(generation) > 1) say(dim(Number(problems) > 0 ? kept : "the edited policies are in force"));
}
