// @ts-check
/** A table that is sorted by a click on a column's name, and grows by a click when it is long. */
import { h, setProperties, setText, show } from "./h.js";
import { keyedChildren } from "./keyed.js";
import { sorted } from "./sort.js";

/** @import { Order } from "./sort.js" */

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} id
 * @property {string} label
 * @property {(row: Row) => string | number | null | undefined} value what it is sorted by
 * @property {(row: Row) => string} [text] what is shown, when that is another
 * @property {(cell: HTMLElement, row: Row) => void} [fill] shows more than text
 * @property {(row: Row) => string} [look] the class of the cell's text
 * @property {boolean} [numeric]
 * @property {boolean} [wide] only where there is room
 * @property {boolean} [heading] names the row
 */

/**
 * @template Row
 * @param {object} options
 * @param {string} options.caption
 * @param {readonly Column<Row>[]} options.columns
 * @param {(row: Row) => string} options.key
 * @param {Order} options.order
 * @param {string} options.noun in the plural
 * @param {number} [options.most] rows shown at first
 */
export function createTable({ caption, columns, key, order, noun, most = 25 }) {
  /** @type {readonly Row[]} */
  let rows = [];
  let isWhole = false;
  const headings = columns.map((column) => {
    const button = h("button", { type: "button", class: "sort", onclick: () => sortBy(column) }, column.label);
    return h("th", { scope: "col", class: classOf(column) }, button);
  });
  const body = h("tbody");
  const more = h("button", { type: "button", class: "more", onclick: () => toggle() });
  const element = h(
    "div",
    { class: "table-box" },
    h("table", {}, h("caption", { class: "unseen" }, caption), h("thead", {}, h("tr", {}, ...headings)), body),
    more,
  );

  const updateRows = keyedChildren(body, {
    key,
    create: () =>
      h(
        "tr",
        {},
        ...columns.map((column) =>
          h(column.heading ? "th" : "td", { class: classOf(column), ...(column.heading ? { scope: "row" } : {}) }),
        ),
      ),
    update(line, row) {
      for (const [i, column] of columns.entries()) {
        const cell = /** @type {HTMLElement} */ (line.children[i]);
        if (column.fill !== undefined) column.fill(cell, row);
        else setText(cell, column.text === undefined ? String(column.value(row) ?? "–") : column.text(row));
        if (column.look !== undefined) setProperties(cell, { class: `${classOf(column)} ${column.look(row)}`.trim() });
      }
    },
  });
  const render = () => {
    for (const [i, column] of columns.entries()) {
      const isIt = column.id === order.column;
      headings[i]?.setAttribute("aria-sort", isIt ? (order.descending ? "descending" : "ascending") : "none");
    }
    const column = columns.find(({ id }) => id === order.column);
    const all = column === undefined ? rows : sorted(rows, column.value, order.descending);
    updateRows(isWhole ? all : all.slice(0, most));
    show(more, all.length > most);
    setText(more, isWhole ? `Show the first ${most} ${noun} only` : `Show all ${all.length} ${noun}`);
  };
  /** @param {Column<Row>} column */
  const sortBy = (column) => {
    const isIt = column.id === order.column;
    order = { column: column.id, descending: isIt ? !order.descending : column.numeric === true };
    render();
  };
  const toggle = () => {
    isWhole = !isWhole;
    render();
  };

  return {
    element,
    /** @param {readonly Row[]} next */
    update(next) {
      rows = next;
      render();
    },
  };
}

/** @param {{ numeric?: boolean, wide?: boolean }} column */
const classOf = ({ numeric, wide }) => [numeric ? "number" : "", wide ? "wide" : ""].filter(Boolean).join(" ");
