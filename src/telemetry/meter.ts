/** What the gRPC services tell as it happens, since no record has it: what is open now, streams, and our own time. */
import type { ExchangeEvent } from "../core/exchange/event.ts";

/** One that Envoy has open with us. */
export type OpenExchange = {
  /** Where it was let through to; undefined before that. */
  readonly server: string | undefined;
  /** Those that wait for their answers. */
  readonly calls: number;
  /** The events that its answer is, while they come. */
  readonly stream: OpenStream | undefined;
};

export type OpenStream = {
  readonly events: number;
  /** When something came last, or the stream began, on the clock of `performance.now()`. */
  readonly heardAtMs: number;
};

/**
 * complete: the server has ended it. cancelled: client, server or Envoy has left before that; from where we are they look
 * alike. revoked: policies have changed. broken-off: an event was larger than may be. failed: we have.
 */
export type StreamEnd = "complete" | "cancelled" | "revoked" | "broken-off" | "failed";

/** The kinds of Envoy's messages, and the one question of ext_authz. */
export type Phase = ExchangeEvent["kind"] | "check";

export type Meter = {
  /** Each is in here for as long as it is open: gauges are read from it, and cannot stay up. */
  readonly open: Set<OpenExchange>;
  /** One message of Envoy's is answered. */
  processed(phase: Phase, ms: number): void;
  streamEvents(server: string, count: number): void;
  streamEnded(server: string, how: StreamEnd): void;
  streamResumed(server: string): void;
};

/** What is open on one server. */
export type OpenOnServer = { calls: number; streams: number; longestSilenceMs: number };

/** `nowMs`: on the clock of `performance.now()`. */
export function countOpen(open: Iterable<OpenExchange>, nowMs: number): Map<string, OpenOnServer> {
  const servers = new Map<string, OpenOnServer>();
  for (const { server, calls, stream } of open) {
    if (server === undefined) continue;
    let counted = servers.get(server);
    if (counted === undefined) servers.set(server, (counted = { calls: 0, streams: 0, longestSilenceMs: 0 }));
    counted.calls += calls;
    if (stream === undefined) continue;
    counted.streams += 1;
    counted.longestSilenceMs = Math.max(counted.longestSilenceMs, nowMs - stream.heardAtMs);
  }
  return servers;
}
