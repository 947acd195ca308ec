/**
 * The calls that a Toolgate has seen end, as they come. When the stream ends, because Toolgate has, it is asked for again
 * each second, and the person is told both.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { SseParser, TOO_LARGE } from "../../core/sse/parse.ts";
import { ok } from "../../core/result.ts";
import type { Result } from "../../core/result.ts";
import type { DecisionLine } from "../../telemetry/decision-line.ts";
import type { AdminClient } from "./admin-client.ts";
import { plural } from "../plural.ts";

/** `text`: as it came, safe to print. `arguments` where both sides asked for them. */
export type TappedCall = { readonly text: string; readonly line: DecisionLine & { readonly arguments?: unknown } };

export type TapListener = {
  onCall(call: TappedCall): void;
  /** For the first time: from now on nothing is missed. */
  onConnected?(): void;
  /** Something to tell that is no call. */
  onNotice(sentence: string): void;
};

const RETRY_MS = 1_000;
const MAX_EVENT_BYTES = 1024 * 1024;

/** Until `signal` says so. The error: it could not be had even once. */
export async function follow(
  client: AdminClient,
  path: string,
  listener: TapListener,
  signal: AbortSignal,
): Promise<Result<undefined, string>> {
  let start: string | undefined;
  let isLost = false;
  while (!signal.aborted) {
    const opened = await client.open(path, signal);
    if (signal.aborted) break;
    if (opened.ok) {
      const now = await startOf(client);
      if (start === undefined) listener.onConnected?.();
      if (isLost) listener.onNotice(now === start ? "connected again" : "connected again: Toolgate was restarted");
      start = now;
      isLost = false;
      await listen(opened.value, listener);
      if (signal.aborted) break;
    } else if (start === undefined) {
      return opened;
    }
    if (!isLost) listener.onNotice("the connection has ended: trying again");
    isLost = true;
    await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
  }
  return ok(undefined);
}

/** Another start of the process has another id. */
async function startOf(client: AdminClient): Promise<string> {
  const info = await client.read("/api/info");
  return info.ok ? String((info.value as { readonly id: unknown }).id) : "";
}

async function listen(stream: AsyncIterable<Buffer>, listener: TapListener): Promise<void> {
  const parser = new SseParser(MAX_EVENT_BYTES);
  try {
    for await (const chunk of stream) {
      for (const event of parser.feed(chunk)) {
        if (event === TOO_LARGE || event.data === undefined) continue;
        const text = Buffer.from(event.data).toString("utf8");
        if (event.type === "dropped")
          listener.onNotice(`not shown, since this reader was too slow: ${lostCalls(text)}`);
        else if (event.type === "") listener.onCall({ text, line: JSON.parse(text) as TappedCall["line"] });
      }
    }
  } catch {
    // Broken off: the same as ended.
  }
}

function lostCalls(text: string): string {
  const { calls } = JSON.parse(text) as { readonly calls: number };
  return plural(calls, "call");
}
