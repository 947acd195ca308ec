/**
 * A table that fits: where there is no room for all of it, first the columns go that can best be missed, each named below
 * the table, then the longest texts are cut. Numbers are never cut.
 */
import { cut, paint, printable, widthOf } from "./screen.ts";
import type { Colour, Screen } from "./screen.ts";

/** `text` undefined: nothing is known. */
export type Cell = { readonly text: string | undefined; readonly colour?: Colour | undefined };

export type Column<Row> = {
  readonly title: string;
  readonly cell: (row: Row) => Cell;
  readonly isNumber?: true;
  /** Only shown when all are asked for. */
  readonly isWide?: true;
  /** What goes first where there is no room: the highest. Those without stay. */
  readonly missable?: number;
};

const GAP = "  ";
/** With less, `get-resource-links` and `get-resource-reference` would look the same. */
const MIN_TEXT_WIDTH = 16;

export function printTable<Row>(out: Screen, columns: readonly Column<Row>[], rows: readonly Row[]): void {
  const shown = [...columns];
  const left: string[] = [];
  while (out.columns !== undefined && total(shown.map((column) => leastWidth(column, rows))) > out.columns) {
    const most = Math.max(...shown.map(({ missable = 0 }) => missable));
    const at = shown.findLastIndex(({ missable }) => missable === most);
    if (at === -1) break;
    left.unshift(...shown.splice(at, 1).map(({ title }) => title));
  }
  const widths = fit(
    shown.map((column) => fullWidth(column, rows)),
    shown.map((column) => leastWidth(column, rows)),
    out.columns,
  );
  const line = (cells: readonly Cell[]): string =>
    cells
      .map(({ text, colour }, i) => {
        const width = widths[i] ?? 0;
        const fitted = cut(printable(text ?? "-"), width);
        const space = " ".repeat(width - widthOf(fitted));
        const painted = paint(out, colour, fitted);
        return shown[i]?.isNumber === true ? space + painted : painted + space;
      })
      .join(GAP)
      .trimEnd();
  out.write(`${line(shown.map(({ title }) => ({ text: title, colour: "bold" })))}\n`);
  for (const row of rows) out.write(`${line(shown.map((column) => column.cell(row)))}\n`);
  if (left.length > 0) out.write(`${paint(out, "dim", cut(`no room for ${left.join(" ")}`, out.columns ?? 0))}\n`);
}

const total = (widths: readonly number[]): number =>
  widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));

const fullWidth = <Row>({ title, cell }: Column<Row>, rows: readonly Row[]): number =>
  Math.max(title.length, ...rows.map((row) => widthOf(printable(cell(row).text ?? "-"))));

const leastWidth = <Row>(column: Column<Row>, rows: readonly Row[]): number => {
  const full = fullWidth(column, rows);
  return column.isNumber === true ? full : Math.min(full, Math.max(column.title.length, MIN_TEXT_WIDTH));
};

/** Takes from the widest, one column at a time, until all fit or nothing is left to take. */
function fit(full: readonly number[], least: readonly number[], room: number | undefined): readonly number[] {
  const widths = [...full];
  for (let over = room === undefined ? 0 : total(widths) - room; over > 0; over--) {
    const spare = widths.map((width, i) => (width > (least[i] ?? 0) ? width : 0));
    const widest = Math.max(...spare);
    if (widest === 0) break;
    widths[spare.lastIndexOf(widest)] = widest - 1;
  }
  return widths;
}
