/** `toolgate top`: who calls what, added up since the command began, and drawn anew each second. */
import { setTimeout as sleep } from "node:timers/promises";
import type { DecisionLine } from "../../telemetry/decision-line.ts";
import { isOperation } from "../../telemetry/labels.ts";
import { classOf } from "../../telemetry/outcome-class.ts";
import { isError } from "../../telemetry/signals.ts";
import { badCount, count, seconds, share } from "./numbers.ts";
import type { Screen } from "./screen.ts";
import { printTable } from "./table.ts";
import type { Column } from "./table.ts";
import { follow } from "./tap-events.ts";
import { tapPath, watched } from "./tap.ts";
import type { TapFlags, Watching } from "./tap.ts";
import { plural } from "../plural.ts";

/** Calls that are alike, as they have come so far. */
export type Busy = {
  readonly caller: string;
  readonly server: string;
  readonly method: string;
  readonly name: string;
  count: number;
  denied: number;
  /** Seconds; of those that a server has answered. */
  best: number | null;
  worst: number | null;
  last: number | null;
  ended: number;
  good: number;
};

const MAX_ROWS = 1_000;
const DRAW_MS = 1_000;
/** Where nothing can be drawn over. */
const PRINT_MS = 10_000;
const WRONG_USAGE = 2;
const FAILED = 1;

const COLUMNS: readonly Column<Busy>[] = [
  { title: "CALLER", cell: ({ caller }) => ({ text: caller }) },
  { title: "SERVER", cell: ({ server }) => ({ text: server }), missable: 1 },
  { title: "METHOD", cell: ({ method }) => ({ text: method }), missable: 2 },
  { title: "TOOL", cell: ({ name }) => ({ text: name === "" ? undefined : name }) },
  { title: "COUNT", cell: (row) => count(row.count), isNumber: true },
  { title: "BEST", cell: ({ best }) => seconds(best), isNumber: true, missable: 3 },
  { title: "WORST", cell: ({ worst }) => seconds(worst), isNumber: true },
  { title: "LAST", cell: ({ last }) => seconds(last), isNumber: true, missable: 3 },
  { title: "SUCCESS", cell: ({ good, ended }) => share(ended === 0 ? null : good / ended), isNumber: true },
  { title: "DENIED", cell: ({ denied }) => badCount(denied), isNumber: true },
];

export async function runTop(
  flags: TapFlags,
  { screen, complain, signal }: Watching,
  rowsOnScreen: () => number | undefined,
): Promise<number> {
  const client = watched("top", flags);
  if (!client.ok) {
    complain.write(`${client.error}\n`);
    return WRONG_USAGE;
  }
  const busy = new Map<string, Busy>();
  let notice = "";
  const isTerminal = screen.columns !== undefined;
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  const show = (): Promise<void> =>
    isTerminal
      ? drawUntil(ended, screen, () => draw(screen, busy, notice, rowsOnScreen() ?? 24))
      : printUntil(ended, () => printTable(screen, COLUMNS, inOrder(busy)));
  let showing: Promise<void> | undefined;
  const listener = {
    onConnected: () => void (showing = show()),
    onCall: ({ line }: { readonly line: DecisionLine }) => {
      notice = "";
      add(busy, line);
    },
    onNotice(sentence: string) {
      if (isTerminal) notice = sentence;
      else complain.write(`${sentence}\n`);
    },
  };
  const followed = await follow(client.value, tapPath(flags), listener, signal);
  over.abort();
  await showing;
  if (!followed.ok) {
    complain.write(`${followed.error}\n`);
    return FAILED;
  }
  printTable(screen, COLUMNS, inOrder(busy));
  return 0;
}

/** On the terminal's other page, which is left as it was found. */
async function drawUntil(ended: AbortSignal, screen: Screen, drawNow: () => void): Promise<void> {
  screen.write("\u001b[?1049h\u001b[?25l");
  while (!ended.aborted) {
    drawNow();
    await sleep(DRAW_MS, undefined, { signal: ended }).catch(() => {});
  }
  screen.write("\u001b[?25h\u001b[?1049l");
}

async function printUntil(ended: AbortSignal, print: () => void): Promise<void> {
  for (;;) {
    await sleep(PRINT_MS, undefined, { signal: ended }).catch(() => {});
    if (ended.aborted) return;
    print();
  }
}

/** From the top left; what was there before is wiped out behind. */
function draw(screen: Screen, busy: ReadonlyMap<string, Busy>, notice: string, height: number): void {
  let text = "";
  printTable({ ...screen, write: (more) => (text += more) }, COLUMNS, inOrder(busy).slice(0, Math.max(1, height - 4)));
  const head = notice === "" ? `${plural(busy.size, "kind")} of calls since the start; Ctrl-C ends` : notice;
  screen.write(`\u001b[H${`${head}\n\n${text}`.replaceAll("\n", "\u001b[K\n")}\u001b[J`);
}

/** Of many that come once each, the oldest give way. */
export function add(busy: Map<string, Busy>, line: DecisionLine): void {
  const { caller, server = "-", method } = line;
  const name = line.tool ?? line.prompt ?? line.resource ?? "";
  const key = JSON.stringify([caller, server, method, name]);
  const row = busy.get(key) ?? {
    caller,
    server,
    method,
    name,
    count: 0,
    denied: 0,
    best: null,
    worst: null,
    last: null,
    ended: 0,
    good: 0,
  };
  busy.delete(key);
  busy.set(key, row);
  const [oldest] = busy.keys();
  if (busy.size > MAX_ROWS && oldest !== undefined) busy.delete(oldest);
  row.count += 1;
  const result = classOf(line.method, line.outcome, line.error_code);
  if (result === "denied") row.denied += 1;
  if (result === "denied" || result === "cancelled" || result === "unread") return;
  row.ended += 1;
  if (!isError({ result })) row.good += 1;
  if (!isOperation(line)) return;
  row.last = line.duration_ms / 1_000;
  row.best = Math.min(row.best ?? Infinity, row.last);
  row.worst = Math.max(row.worst ?? 0, row.last);
}

const inOrder = (busy: ReadonlyMap<string, Busy>): readonly Busy[] =>
  [...busy.values()].toSorted((one, other) => other.count - one.count);
