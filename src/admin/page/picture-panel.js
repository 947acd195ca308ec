// @ts-check
/**
 * Who calls what: callers, servers and tools in three columns, with links as wide as the rate and coloured by how calls
 * ended. The names are buttons, so that the keyboard reaches them; the same as a table is one click away.
 */
import { isChosen } from "./filter.js";
import { count, percent, plural, rate } from "./format.js";
import { createGraph } from "./graph.js";
import { h, setProperties, setText, show, svg, visible } from "./h.js";
import { keyedChildren } from "./keyed.js";
import { createPanel } from "./panel.js";
import { heightOf, middles, strands } from "./strands.js";
import { createTable } from "./table.js";
import { flows, hasFilter } from "./view.js";

/** @import { EdgeRow } from "./answers.js" */
/** @import { Graph, GraphNode } from "./graph.js" */
/** @import { Strand } from "./strands.js" */
/** @import { View, Choose } from "./view.js" */

const COLUMNS = /** @type {const} */ (["caller", "server", "tool"]);
const TITLES = { caller: "Callers", server: "Servers", tool: "Tools" };

/** @param {Choose} choose */
export function createPicturePanel(choose) {
  /** @type {View | undefined} */
  let shown;
  /** @type {Graph} */
  let graph = createGraph([]);
  /** @type {string | undefined} */
  let lit;
  let asTable = false;

  const links = svg("svg", { class: "links", "aria-hidden": "true", focusable: "false" });
  const lists = COLUMNS.map((column) => h("ul", { class: `nodes ${column}`, "aria-label": TITLES[column] }));
  const heads = h(
    "div",
    { class: "picture-heads", "aria-hidden": "true" },
    ...COLUMNS.map((column) => h("span", {}, TITLES[column])),
  );
  const stage = h("div", { class: "stage" }, links, ...lists);
  const picture = h("div", { class: "picture" }, heads, stage, legend());
  const table = createFlowTable(choose);
  const content = h("div", {}, picture, table.element);
  const button = h("button", { type: "button", onclick: () => flip() }, "As a table");
  const panel = createPanel({ id: "picture", title: "Who calls what" }, content);
  panel.element.querySelector("header")?.append(h("div", { class: "switch" }, button));

  const updateLinks = keyedChildren(links, {
    key: (/** @type {Strand} */ { id }) => id,
    create: ({ look, isRest }) => svg("path", { class: `strand ${look}${isRest ? " rest" : ""}` }),
    update: (path, { path: d, width }) => setProperties(path, { d, "stroke-width": width.toFixed(2) }),
  });
  const updateNodes = lists.map((list) =>
    keyedChildren(list, {
      key: (/** @type {GraphNode} */ { id }) => id,
      create: (node) => createNode(node, choose, light),
      update: updateNode,
    }),
  );

  /** @param {Element} item @param {GraphNode} node */
  function updateNode(item, node) {
    const { rps, errors, denied, column, name, isGroup } = node;
    const top = middles(graph).get(node.id) ?? 0;
    /** @type {HTMLElement} */ (item).style.top = `${top}px`;
    const box = item.firstElementChild;
    const number = box?.querySelector(".number");
    if (box === null || !number) return;
    setText(number, `${rate(rps)}/s`);
    const parts = [errors > 0 ? plural(errors, "error") : "", denied > 0 ? `${count(denied)} denied` : ""].filter(
      Boolean,
    );
    const words = box.querySelector(".unseen");
    if (words !== null) setText(words, parts.length === 0 ? "" : `, ${parts.join(", ")}`);
    setProperties(box, { title: [name, node.detail, ...parts].filter(Boolean).map(visible).join("\n") });
    if (!isGroup) setProperties(box, { "aria-pressed": String(isChosen(shown?.terms ?? [], column, name)) });
  }

  const place = () => {
    const box = stage.getBoundingClientRect();
    if (box.width === 0) return;
    const height = heightOf(graph);
    stage.style.height = `${height}px`;
    setProperties(links, { viewBox: `0 0 ${box.width} ${height}`, width: box.width, height });
    const [caller, server, tool] = lists.map((list) => {
      const { left, right } = list.getBoundingClientRect();
      return { left: left - box.left, right: right - box.left };
    });
    if (caller === undefined || server === undefined || tool === undefined) return;
    updateLinks(strands(graph, { caller, server, tool }));
    dim();
  };
  /** What the pointer or the focus is on stands out, with all that it calls or is called by. @param {string | undefined} id */
  const light = (id) => {
    lit = id;
    dim();
  };
  const dim = () => {
    const paths = lit === undefined ? [] : graph.paths.filter((path) => path.has(/** @type {string} */ (lit)));
    const isLit = (/** @type {string} */ id) => paths.some((path) => path.has(id));
    stage.classList.toggle("dimmed", paths.length > 0);
    for (const [i, column] of COLUMNS.entries())
      for (const [j, node] of graph.nodes[column].entries())
        lists[i]?.children[j]?.classList.toggle("lit", isLit(node.id));
    const all = [...links.children];
    for (const [i, id] of strandEnds(graph).entries())
      all[i]?.classList.toggle(
        "lit",
        paths.some((path) => path.has(id.from) && path.has(id.to)),
      );
  };
  const flip = () => {
    asTable = !asTable;
    setText(button, asTable ? "As a picture" : "As a table");
    if (shown !== undefined) update(shown);
  };
  /** @param {View} view */
  const update = (view) => {
    shown = view;
    const rows = flows(view);
    const { edges, toolEdges } = view.answers;
    const empty = hasFilter(view) ? "No call in this window matches the filter." : noCalls(view);
    if (!panel.state([edges, toolEdges], rows.length > 0 ? undefined : empty)) return;
    show(picture, !asTable);
    show(table.element, asTable);
    if (asTable) return table.update(rows);
    graph = createGraph(rows);
    for (const [i, column] of COLUMNS.entries()) updateNodes[i]?.(graph.nodes[column]);
    place();
  };
  new ResizeObserver(place).observe(stage);
  return { element: panel.element, update };
}

/** In the order in which they are drawn. @param {Graph} graph */
const strandEnds = (graph) => {
  const anywhere = { left: 0, right: 0 };
  return strands(graph, { caller: anywhere, server: anywhere, tool: anywhere });
};

/** @param {View} view */
function noCalls({ answers }) {
  const address = answers.info.ok ? answers.info.value.listen : undefined;
  const where = address === undefined ? "" : ` at ${address}`;
  return `No call has come in this window. Toolgate waits for Envoy${where}: send an MCP request through it, and the caller, the server and the tool are drawn here.`;
}

/** @param {GraphNode} node @param {Choose} choose @param {(id: string | undefined) => void} light */
function createNode({ id, column, name, detail, isGroup }, choose, light) {
  const content = [
    h("span", { class: "node-name" }, name),
    h("span", { class: "node-detail" }, detail),
    h("span", { class: "number" }),
    h("span", { class: "unseen" }),
  ];
  const box = isGroup
    ? h("div", { class: "node group" }, ...content)
    : h("button", { type: "button", class: "node", onclick: () => choose(column, name) }, ...content);
  const on = () => light(id);
  const off = () => light(undefined);
  return h("li", { onmouseenter: on, onmouseleave: off, onfocusin: on, onfocusout: off }, box);
}

const legend = () =>
  h(
    "ul",
    { class: "legend picture-legend" },
    ...["ok", "errors", "denied"].map((look) => h("li", {}, h("i", { class: `swatch ${look}` }), h("span", {}, look))),
    h("li", { class: "hint" }, "wide is often; choose a name to see it alone"),
  );

/** @param {Choose} choose */
const createFlowTable = (choose) =>
  createTable({
    caption: "Who calls what",
    noun: "rows",
    key: (/** @type {EdgeRow} */ { caller, identity, server, tool }) =>
      JSON.stringify([caller, identity, server, tool]),
    order: { column: "rps", descending: true },
    columns: [
      { ...name("caller", "Caller", (row) => row.caller, choose), heading: true },
      { id: "identity", label: "Identity", wide: true, value: (row) => row.identity },
      { ...name("server", "Server", (row) => row.server, choose), wide: true },
      { id: "tool", label: "Tool", value: (row) => row.tool ?? "other methods" },
      { id: "rps", label: "Calls/s", numeric: true, value: (row) => row.rps, text: (row) => rate(row.rps) },
      {
        id: "success",
        label: "Success",
        numeric: true,
        value: (row) => row.success,
        text: (row) => percent(row.success),
      },
      {
        id: "errors",
        label: "Errors",
        numeric: true,
        value: (row) => row.errors,
        look: (row) => (row.errors > 0 ? "errors" : ""),
      },
      {
        id: "denied",
        label: "Denied",
        numeric: true,
        value: (row) => row.denied,
        look: (row) => (row.denied > 0 ? "denied" : ""),
      },
    ],
  });

/**
 * @param {"caller" | "server"} field
 * @param {string} label
 * @param {(row: EdgeRow) => string} value
 * @param {Choose} choose
 */
const name = (field, label, value, choose) => ({
  id: field,
  label,
  value,
  /** @param {HTMLElement} cell @param {EdgeRow} row */
  fill(cell, row) {
    if (cell.firstChild === null)
      cell.append(h("button", { type: "button", class: "name", onclick: () => choose(field, value(row)) }, value(row)));
  },
});
