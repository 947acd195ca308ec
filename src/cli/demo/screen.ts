/**
 * How the demo looks: 100 columns, two of them margin, colour only where it says something. `styleText` leaves the
 * colour out by itself when the output is no terminal or NO_COLOR is set.
 */
import { stripVTControlCharacters, styleText } from "node:util";

const WIDTH = 98;
const MARGIN = "  ";

export const bold = (text: string): string => styleText("bold", text);
export const dim = (text: string): string => styleText("dim", text);
export const green = (text: string): string => styleText("green", text);
export const red = (text: string): string => styleText("red", text);
export const yellow = (text: string): string => styleText("yellow", text);

/** Prints lines as they are, inside the margin; without an argument an empty one. */
export function say(...lines: readonly string[]): void {
  for (const line of lines.length === 0 ? [""] : lines) process.stdout.write(line === "" ? "\n" : `${MARGIN}${line}\n`);
}

/** Prints a heading with a line of air around it. */
export const heading = (text: string): void => say("", bold(text), "");

/** Says on stderr what went wrong. */
export const complain = (line: string): void => void process.stderr.write(line === "" ? "\n" : `${MARGIN}${line}\n`);

/** Fills up to `width` columns as they are seen, colour not counted; at least one space follows. */
export const column = (text: string, width: number): string =>
  text + " ".repeat(Math.max(1, width - stripVTControlCharacters(text).length));

/**
 * Text in lines of the screen's width, behind `indent` columns. It is cut after a space or a comma, so that JSON and
 * metric lines can be read; a longer word stays whole, so that it can be copied.
 */
export function wrap(text: string, indent: number): readonly string[] {
  const room = WIDTH - MARGIN.length - indent;
  const lines: string[] = [];
  let line = "";
  for (const piece of text.match(/[^ ,]*[ ,]*/g) ?? []) {
    if (line !== "" && line.length + piece.trimEnd().length > room) {
      lines.push(line.trimEnd());
      line = "";
    }
    line += piece;
  }
  return [...lines, line.trimEnd()].map((part) => " ".repeat(indent) + part);
}
