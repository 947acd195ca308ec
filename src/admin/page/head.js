// @ts-check
/** The head of the page: what it is, whether it is live, the filter and the window, and the way to each panel. */
import { ago } from "./format.js";
import { h, setProperties, setText, show } from "./h.js";
import { formatPlace, WINDOWS } from "./location.js";

/** @import { Info } from "./answers.js" */
/** @import { Place } from "./location.js" */

/**
 * @param {object} options
 * @param {readonly { id: string, title: string }[]} options.panels
 * @param {(changes: Partial<Place>) => void} options.go
 * @param {readonly HTMLElement[]} options.tools
 * @param {HTMLElement} options.status
 */
export function createHead({ panels, go, tools, status }) {
  const version = h("span", { class: "version" });
  const input = h("input", {
    type: "search",
    id: "filter",
    placeholder: "server, tool, caller or rule",
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": "filter-hint",
    oninput: () => go({ filter: input.value.trim() }),
  });
  const clear = h(
    "button",
    { type: "button", class: "quiet", hidden: true, onclick: () => go({ filter: "" }) },
    "Clear",
  );
  const windows = WINDOWS.map((seconds) =>
    h(
      "button",
      { type: "button", onclick: () => go({ windowSeconds: seconds }) },
      seconds === 60 ? "1 min" : `${seconds / 60} min`,
    ),
  );
  const links = panels.map(({ id, title }) => h("a", { href: `#at=${id}` }, title));
  const element = h(
    "header",
    { class: "head" },
    h("div", { class: "brand" }, h("h1", {}, "Toolgate"), version, status, ...tools),
    h(
      "div",
      { class: "controls" },
      h("label", { for: "filter" }, "Filter"),
      input,
      h("span", { id: "filter-hint", class: "unseen" }, "Words that must all be found; tool=echo is that tool alone."),
      clear,
      h("div", { class: "switch", role: "group", "aria-label": "Window" }, ...windows),
      h("nav", { "aria-label": "Panels" }, ...links),
    ),
  );
  return {
    element,
    /** @param {Place} place */
    update(place) {
      if (input.value.trim() !== place.filter) input.value = place.filter;
      show(clear, place.filter !== "");
      for (const [i, button] of windows.entries())
        setProperties(button, { "aria-pressed": String(WINDOWS[i] === place.windowSeconds) });
      for (const [i, link] of links.entries())
        setProperties(link, { href: formatPlace({ ...place, at: panels[i]?.id ?? "" }) });
    },
    /** @param {Info} info @param {number} now */
    tell({ version: number, startedAt }, now) {
      setText(version, `${number} · started ${ago(Date.parse(startedAt), now)}`);
      setProperties(version, { title: `since ${startedAt}` });
    },
  };
}
