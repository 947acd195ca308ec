/**
 * Where a command prints to: how wide it is, and whether it shows colours. A file or a pipe has no width and none, so that
 * what is in it can be searched and cut by other programs.
 */
import process from "node:process";
import { styleText } from "node:util";

export type Colour = "bold" | "dim" | "red" | "green" | "yellow";

export type Screen = {
  readonly write: (text: string) => unknown;
  /** Undefined: lines may be as long as they are. */
  readonly columns: number | undefined;
  readonly hasColours: boolean;
};

export function screen(out: typeof process.stdout = process.stdout): Screen {
  const isTerminal = out.isTTY;
  return {
    write: (text) => out.write(text),
    // It can change while a command runs.
    get columns() {
      return isTerminal ? out.columns : undefined;
    },
    // NO_COLOR counts whatever it says, unless it is empty (no-color.org).
    hasColours: isTerminal && (process.env["NO_COLOR"] ?? "") === "" && out.hasColors(),
  };
}

export const paint = ({ hasColours }: Screen, colour: Colour | undefined, text: string): string =>
  hasColours && colour !== undefined ? styleText(colour, text, { validateStream: false }) : text;

/** What a terminal obeys or nobody sees, in a form that is only read: controls, marks of direction, zero-width marks. */
export const printable = (text: string): string => text.replaceAll(DECEPTIVE, escape);

const DECEPTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const escape = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

/** Columns that a text takes, as most terminals draw it. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += MARK.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

const MARK = /\p{Mn}|\p{Me}/u;
const WIDE = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60]/u;

/** At most so many columns: what is left out at the end is an ellipsis. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let shown = "";
  let width = 0;
  for (const character of text) {
    width += widthOf(character);
    if (width > columns - 1) break;
    shown += character;
  }
  return `${shown}…`;
}
