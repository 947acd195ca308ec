/** A screen that keeps what is printed. */
import type { Screen } from "../../../src/cli/live/screen.ts";

export function terminal(columns?: number, hasColours = false) {
  const kept = { text: "" };
  const screen: Screen = { write: (more) => void (kept.text += more), columns, hasColours };
  return { screen, kept };
}
