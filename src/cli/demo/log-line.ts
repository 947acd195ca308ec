/** A line of a program that logs JSON. */

/** The object; undefined for anything else, also for a line that a killed program has not finished. */
export function parseLogLine(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined; // It is still among the program's last lines, if it has ended.
  }
}
