/** `toolgate tap`: one line for each call as it ends. */
import type { DecisionLine } from "../../telemetry/decision-line.ts";
import { err, ok } from "../../core/result.ts";
import type { Result } from "../../core/result.ts";
import { classOf } from "../../telemetry/outcome-class.ts";
import { createAdminClient } from "./admin-client.ts";
import type { AdminClient } from "./admin-client.ts";
import { formatSeconds } from "./numbers.ts";
import { cut, paint, printable, widthOf } from "./screen.ts";
import type { Colour, Screen } from "./screen.ts";
import { parseOutput } from "./stat.ts";
import { follow } from "./tap-events.ts";
import type { TappedCall } from "./tap-events.ts";

/** As given on the command line. */
export type TapFlags = {
  readonly admin: string;
  /** Of no use here, which is said. */
  readonly prometheus?: string;
  readonly server?: string;
  readonly tool?: string;
  readonly caller?: string;
  readonly denied?: true;
};

export type Watching = {
  readonly screen: Screen;
  /** Where notices go: what is on the screen can be piped on. */
  readonly complain: { readonly write: (text: string) => unknown };
  readonly signal: AbortSignal;
};

const WRONG_USAGE = 2;
const FAILED = 1;

export async function runTap(
  flags: TapFlags & { readonly output: string; readonly arguments?: true },
  { screen, complain, signal }: Watching,
): Promise<number> {
  const output = parseOutput(flags.output, ["table", "json"]);
  const client = output.ok ? watched("tap", flags) : output;
  if (!client.ok) {
    complain.write(`${client.error}\n`);
    return WRONG_USAGE;
  }
  const path = `${tapPath(flags)}${flags.arguments === true ? "&arguments=true" : ""}`;
  const show = output.ok && output.value === "json" ? ({ text }: TappedCall) => text : showCall(screen);
  const listener = {
    onCall: (call: TappedCall) => void screen.write(`${show(call)}\n`),
    onNotice: (sentence: string) => void complain.write(`${sentence}\n`),
  };
  const followed = await follow(client.value, path, listener, signal);
  if (!followed.ok) complain.write(`${followed.error}\n`);
  return followed.ok ? 0 : FAILED;
}

/** `top` and `tap` show single calls. */
export function watched(command: string, { admin, prometheus }: TapFlags): Result<AdminClient, string> {
  if (prometheus !== undefined)
    return err(`${command} shows calls as they end, which Prometheus does not have: ask an instance with --admin`);
  const client = createAdminClient(admin);
  return client.ok ? ok(client.value) : client;
}

export function tapPath({ server, tool, caller, denied }: TapFlags): string {
  const query = new URLSearchParams({ denied: String(denied === true) });
  for (const [name, value] of Object.entries({ server, tool, caller })) if (value !== undefined) query.set(name, value);
  return `/api/tap?${query.toString()}`;
}

const DECISION_COLOURS: { readonly [decision in DecisionLine["decision"]]: Colour } = {
  allow: "green",
  deny: "red",
  audit: "yellow",
};

type Part = readonly [text: string, width: number, colour?: Colour | undefined];

/** On a narrower terminal a call has no thousandths of a second, and of method and name the name. */
const NARROW = 100;

/** The most telling first, aligned for what is usual; what is longer pushes on, and what has no room is cut off. */
const showCall =
  (screen: Screen) =>
  ({ line }: TappedCall): string => {
    const { decision, method, outcome, error_code: code, http_status: status } = line;
    const isNarrow = (screen.columns ?? NARROW) < NARROW;
    const ended = classOf(method, outcome, code);
    const isBad = ended === "server_error" || ended === "tool_error" || ended === "client_error";
    const said = status !== undefined && (outcome === "rejected" || outcome === "transport_error") ? ` ${status}` : "";
    const name = line.tool ?? line.prompt ?? line.resource;
    const parts: readonly Part[] = [
      [line.time.slice(11, isNarrow ? 19 : 23), 0, "dim"],
      [decision, 5, DECISION_COLOURS[decision]],
      [outcome === "rpc_error" ? `error ${code}` : `${outcome}${said}`, 10, isBad ? "red" : undefined],
      [formatSeconds(line.duration_ms / 1_000).padStart(6), 6],
      [line.caller, 10, "bold"],
      [name === undefined ? method : isNarrow ? name : `${method} ${name}`, 24],
      [`${line.policy}/${line.rule}${line.reason === undefined ? "" : ` (${line.reason})`}`, 0, "dim"],
      [line.server ?? "-", 0],
      [line.arguments === undefined ? "" : JSON.stringify(line.arguments), 0],
    ];
    return fitLine(screen, parts);
  };

function fitLine(screen: Screen, parts: readonly Part[]): string {
  let room = screen.columns ?? Infinity;
  let line = "";
  for (const [text, width, colour] of parts) {
    if (room <= 0) break;
    const shown = cut(printable(text), room);
    const gap = " ".repeat(Math.max(0, width - widthOf(shown)) + 2);
    line += paint(screen, colour, shown) + gap;
    room -= widthOf(shown) + gap.length;
  }
  return line.trimEnd();
}
