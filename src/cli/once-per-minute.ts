/** For what would be said for every request: each message at most once a minute. */
export function oncePerMinute(
  say: (message: string) => void,
  clock: () => number = () => performance.now(),
): (message: string) => void {
  const saidAtMs = new Map<string, number>();
  return (message) => {
    const nowMs = clock();
    if (nowMs - (saidAtMs.get(message) ?? -Infinity) < 60_000) return;
    // Messages may hold what a peer sent: their number is not ours to trust.
    if (saidAtMs.size >= 100) saidAtMs.clear();
    saidAtMs.set(message, nowMs);
    say(message);
  };
}
