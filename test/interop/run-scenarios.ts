/**
 * The scenario program of both TypeScript SDKs: carries out the table against each URL it is given and prints a line of JSON
 * for each scenario. What differs between the SDKs is behind `Session`.
 */
import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { assertNever } from "../../src/core/result.ts";
import { SCENARIOS } from "./scenario.ts";
import type { Era, Line, Outcome, Scenario } from "./scenario.ts";
import type { Kind } from "./fixture.ts";

/** What a server has told the client beside its answers. */
export type Heard = { readonly kind: "progress" | "log" | "updated" | "changed"; readonly params: unknown };

export type CallOptions = {
  readonly onProgress?: () => void;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
};

export type Session = {
  readonly heard: Heard[];
  readonly era: Era;
  readonly describe: () => unknown;
  /** Every entry, through all pages. */
  readonly list: (kind: Kind) => Promise<unknown>;
  readonly callTool: (name: string, args: Arguments, options?: CallOptions) => Promise<unknown>;
  readonly getPrompt: (name: string, args: Readonly<Record<string, string>>) => Promise<unknown>;
  readonly readResource: (uri: string) => Promise<unknown>;
  readonly complete: (ref: object, argument: { readonly name: string; readonly value: string }) => Promise<unknown>;
  readonly setLevel: () => Promise<unknown>;
  readonly ping: () => Promise<unknown>;
  /** Opens what news of this kind come by; what is returned closes it. */
  readonly watch: (kind: "updated" | "changed") => Promise<Watch>;
  /** The final status of a task and its result. */
  readonly runTask: (name: string) => Promise<unknown>;
  /** Ends the session on the server, and says which it was. */
  readonly terminate: () => Promise<string>;
  readonly close: () => Promise<void>;
};

export type Watch = { readonly granted: unknown; readonly stop: () => Promise<unknown> };

type Arguments = Readonly<Record<string, unknown>>;

export type Connect = (url: URL) => Promise<Session>;

/** A thing that the SDK or the era of the connection does not have. */
export class Unsupported extends Error {}

/** Only turns what would hang into an outcome: far beyond what anything takes on a busy machine. */
const PATIENCE_MS = 30_000;
/** Of a call that is never answered. */
const TIME_OUT_MS = 250;
const POLL_MS = 25;
const LONG = 10_000;
const AT_A_TIME = 3;

/** Carries out the table against each of the URLs that the program was started with. */
export async function runScenarios(connect: Connect): Promise<void> {
  const queue = [...process.argv.slice(2).entries()];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      await runTarget(connect, next[0], new URL(next[1]));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  // Streams that a server left open keep nobody from ending.
  process.exit(0);
}

async function runTarget(connect: Connect, target: number, url: URL): Promise<void> {
  let shared: Session | undefined;
  for (const scenario of SCENARIOS) {
    let session: Session | undefined;
    const outcome = await settle(async () => {
      session = scenario.alone === true ? await connect(url) : (shared ??= await connect(url));
      return carryOut(scenario, session, url);
    });
    const line: Line = { target, scenario: scenario.name, outcome };
    process.stdout.write(`${JSON.stringify(line, digest)}\n`);
    const isStuck = "error" in outcome && outcome.error === NO_ANSWER;
    if (isStuck && session === shared) shared = undefined;
    if (isStuck || scenario.alone === true) void session?.close().catch(() => undefined);
  }
  await shared?.close().catch(() => undefined);
}

const NO_ANSWER = "no answer";

async function settle(deed: () => Promise<unknown>): Promise<Outcome> {
  try {
    const late = sleep(PATIENCE_MS, NO_ANSWER, { ref: false });
    const result = await Promise.race([deed().then((ok) => ({ ok })), late]);
    return typeof result === "string" ? { error: result } : result;
  } catch (error: unknown) {
    return error instanceof Unsupported ? { unsupported: error.message } : { error: normalError(error) };
  }
}

async function carryOut(scenario: Scenario, session: Session, url: URL): Promise<unknown> {
  const { heard, era } = session;
  if (scenario.era !== undefined && scenario.era !== era) throw new Unsupported(`only in the ${scenario.era} era`);
  heard.length = 0;
  switch (scenario.does) {
    case "describe":
      return session.describe();
    case "list":
      return session.list(scenario.of);
    case "call": {
      const result = await session.callTool(scenario.tool, expand(scenario.arguments ?? {}));
      return { result, heard: [...heard] };
    }
    case "prompt":
      return session.getPrompt(scenario.prompt, scenario.arguments ?? {});
    case "read":
      return session.readResource(scenario.uri);
    case "complete":
      return session.complete(scenario.ref, scenario.argument);
    case "setLevel":
      return session.setLevel();
    case "ping":
      return session.ping();
    case "watchResource":
      return watch(session, "updated", "resource");
    case "watchTools":
      return watch(session, "changed", "tools");
    case "cancel":
      return cancel(session);
    case "timeOut":
      return timeOut(session);
    case "task":
      return session.runTask("task");
    case "end":
      return end(session, url);
    default:
      return assertNever(scenario);
  }
}

/** `{ repeat, times }` stands for a text that would be too long for the table. */
function expand(args: Arguments): Arguments {
  const long = (value: unknown): value is { repeat: string; times: number } =>
    typeof value === "object" && value !== null && "repeat" in value;
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, long(value) ? value.repeat.repeat(value.times) : value]),
  );
}

/** Touches until the news arrive: nothing says when a stream for them is open on the server. */
async function watch(session: Session, kind: "updated" | "changed", what: string): Promise<unknown> {
  const { granted, stop } = await session.watch(kind);
  for (;;) {
    await session.callTool("touch", { what });
    const news = session.heard.find((heard) => heard.kind === kind);
    if (news !== undefined) return { granted, news: news.params, stopped: await stop() };
    await sleep(POLL_MS);
  }
}

/** Gives a call up that the server is busy with, and waits until the server has noticed. */
async function cancel(session: Session): Promise<unknown> {
  const key = randomUUID();
  const controller = new AbortController();
  const options = { signal: controller.signal, onProgress: () => controller.abort() };
  const error = await failureOf(session.callTool("wait", { key }, options));
  await untilNoticed(session, key);
  return { error, noticed: true };
}

/** The same by a time-out. One that was over before the server had begun is tried again with a longer one. */
async function timeOut(session: Session): Promise<unknown> {
  for (let timeoutMs = TIME_OUT_MS; ; timeoutMs *= 2) {
    const key = randomUUID();
    const { data: _, ...error } = await failureOf(session.callTool("wait", { key }, { timeoutMs }));
    if (await untilNoticed(session, key)) return { error, noticed: true };
  }
}

/** False when the server knows of no such call. */
async function untilNoticed(session: Session, key: string): Promise<boolean> {
  for (;;) {
    const fate = JSON.stringify(await session.callTool("fate", { key }));
    if (fate.includes("given up")) return true;
    if (!fate.includes("running")) return false;
    await sleep(POLL_MS);
  }
}

async function failureOf(call: Promise<unknown>): Promise<Failure> {
  try {
    return { message: `unexpected: ${JSON.stringify(await call)}` };
  } catch (error: unknown) {
    return normalError(error);
  }
}

/** What becomes of a request in a session that has ended. */
async function end(session: Session, url: URL): Promise<unknown> {
  const sessionId = await session.terminate();
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-session-id": sessionId,
      "mcp-protocol-version": "2025-11-25",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
  });
  await response.body?.cancel();
  return { statusOfLaterRequest: response.status };
}

type Failure = { readonly message: string; readonly name?: string; readonly code?: unknown; readonly data?: unknown };

/** A protocol error is its code, message and data, under whatever name an SDK throws it. */
function normalError(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: "not an error", message: String(error) };
  const { code, data } = error as { readonly code?: unknown; readonly data?: unknown };
  const message = error.message.replace(/^(?:MCP error -?\d+: )+/, "");
  const isOfProtocol = typeof code === "number" && error.name !== "AbortError";
  return {
    ...(isOfProtocol ? {} : { name: error.name }),
    ...(code === undefined ? {} : { code }),
    message,
    ...(data === undefined ? {} : { data }),
  };
}

function digest(name: string, value: unknown): unknown {
  if (name === "taskId") return "<task>";
  if (typeof value !== "string" || value.length < LONG) return value;
  return { characters: value.length, sha256: createHash("sha256").update(value).digest("hex") };
}
