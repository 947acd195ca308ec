/** Numbers as a person reads them, in few characters; undefined where there is none. */
import type { Cell } from "./table.ts";

export const seconds = (value: number | null): Cell => ({ text: value === null ? undefined : formatSeconds(value) });

export function formatSeconds(value: number): string {
  const ms = value * 1_000;
  if (ms < 9.95) return `${ms.toFixed(1)}ms`;
  if (ms < 999.5) return `${ms.toFixed(0)}ms`;
  return `${value.toFixed(value < 9.95 ? 1 : 0)}s`;
}

/** Nothing has been called: then there is no rate either. */
export const rate = (perSecond: number): Cell => ({
  text: perSecond === 0 ? undefined : perSecond < 0.05 ? "<0.1" : perSecond.toFixed(perSecond < 99.95 ? 1 : 0),
});

/** Never rounded up to "100%": a failure in a million is one. */
export function share(value: number | null): Cell {
  if (value === null) return { text: undefined };
  const percent = Math.floor(value * 10_000) / 100;
  return {
    text: `${percent.toFixed(2)}%`,
    colour: percent >= 99.9 ? "green" : percent >= 95 ? "yellow" : "red",
  };
}

/** Rates over a fleet come to parts of calls. */
export const count = (value: number | undefined): Cell => ({
  text: value === undefined ? undefined : String(Math.round(value)),
});

export const badCount = (value: number): Cell => ({
  ...count(value),
  colour: Math.round(value) > 0 ? "yellow" : undefined,
});
