/**
 * Calls as they end, for whoever is watching: each watcher says which, and takes what it can. What one does not take in
 * time is lost to it, counted, and costs the calls nothing; without watchers a call costs a comparison.
 */
import type { ExchangeRecord } from "../core/exchange/record.ts";
import { callerName } from "../core/identity/identity.ts";
import { matches } from "../core/policy/pattern.ts";
import type { Pattern } from "../core/policy/pattern.ts";
import { formatDecision, withoutArguments } from "./decision-line.ts";
import type { Telemetry } from "./telemetry.ts";

export type TapFilter = {
  readonly server?: Pattern;
  /** Only calls of a tool. */
  readonly tool?: Pattern;
  readonly caller?: Pattern;
  /** Only what was refused, or would have been in Enforce mode. */
  readonly denied: boolean;
  /** Whether a call is shown with its arguments, where they are on record at all. */
  readonly arguments: boolean;
};

export type TapSink = {
  /** Whether it has not taken yet what it got before. */
  isFull(): boolean;
  /** A decision, as a line of the decision log. */
  write(line: string): void;
  /** So many calls were not shown since the last line. */
  lost(calls: number): void;
  /** There will be no more. */
  end(): void;
};

export type Tap = Telemetry & {
  /** Undefined: there are too many watchers already. */
  watch(filter: TapFilter, sink: TapSink): { stop(): void } | undefined;
  close(): void;
};

type Watcher = { readonly filter: TapFilter; readonly sink: TapSink; lost: number };

export function createTap(maxWatchers = 16): Tap {
  const watchers = new Set<Watcher>();
  return {
    record(record) {
      if (watchers.size === 0) return;
      let full: string | undefined;
      let short: string | undefined;
      for (const watcher of watchers) {
        if (!isWanted(watcher.filter, record)) continue;
        if (watcher.sink.isFull()) {
          watcher.lost += 1;
          continue;
        }
        if (watcher.lost > 0) watcher.sink.lost(watcher.lost);
        watcher.lost = 0;
        watcher.sink.write(
          watcher.filter.arguments
            ? (full ??= formatDecision(record))
            : (short ??= formatDecision(withoutArguments(record))),
        );
      }
    },
    watch(filter, sink) {
      if (watchers.size >= maxWatchers) return undefined;
      const watcher = { filter, sink, lost: 0 };
      watchers.add(watcher);
      return { stop: () => void watchers.delete(watcher) };
    },
    close() {
      for (const { sink } of watchers) sink.end();
      watchers.clear();
    },
  };
}

function isWanted(filter: TapFilter, record: ExchangeRecord): boolean {
  const { server, tool, caller, denied } = filter;
  if (denied && record.decision === "allow") return false;
  if (server !== undefined && !isCalled(server, record.server ?? "")) return false;
  if (tool !== undefined && !(record.target?.kind === "tool" && matches(tool, record.target.name))) return false;
  return caller === undefined || matches(caller, callerName(record.identity));
}

/** With its namespace or without. */
const isCalled = (pattern: Pattern, server: string): boolean =>
  matches(pattern, server) || matches(pattern, server.slice(server.indexOf("/") + 1));
