/** Toolgate's decision log, read back line by line as an operator's log pipeline would. */
import { setTimeout as sleep } from "node:timers/promises";
import { parseLogLine } from "./log-line.ts";

export type DecisionLine = {
  /** The line as it came. */
  readonly text: string;
  readonly caller: string;
  readonly method: string;
  /** The tool, prompt or resource; empty for a method without one. */
  readonly name: string;
  readonly decision: string;
  /** `<policy>/<rule>` */
  readonly rule: string;
};

const QUIET_MS = 150;
const PATIENCE_MS = 2_000;

export class DecisionLog {
  readonly #lines: DecisionLine[] = [];
  #listener: ((line: DecisionLine) => void) | undefined;

  get lines(): readonly DecisionLine[] {
    return this.#lines;
  }

  /** Takes one line of Toolgate's stdout. */
  add(text: string): void {
    const line = parseDecisionLine(text);
    if (line === undefined) return;
    if (this.#listener === undefined) this.#lines.push(line);
    else this.#listener(line);
  }

  /** From now on lines are passed on as they come, and no longer kept. */
  follow(listener: (line: DecisionLine) => void): void {
    this.#listener = listener;
  }

  /** A call's line comes a little after its answer: waits until no more come. */
  async settled(): Promise<void> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    for (let before = -1; before !== this.#lines.length && !deadline.aborted;) {
      before = this.#lines.length;
      await sleep(QUIET_MS);
    }
  }
}

function parseDecisionLine(text: string): DecisionLine | undefined {
  const line = parseLogLine(text);
  if (line?.["decision"] === undefined) return undefined;
  const field = (name: string): string => (typeof line[name] === "string" ? line[name] : "");
  return {
    text,
    caller: field("caller"),
    method: field("method"),
    name: field("tool") || field("prompt") || field("resource"),
    decision: field("decision"),
    rule: `${field("policy")}/${field("rule")}`,
  };
}
