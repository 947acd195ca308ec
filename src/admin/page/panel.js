// @ts-check
/** What panels have in common: a heading, a sentence when there is nothing to show, another when it could not be read. */
import { h, setText, show } from "./h.js";

/** @import { Answer } from "./answers.js" */

/**
 * @param {{ id: string, title: string, about?: string }} options
 * @param {...(Node | string)} content
 */
export function createPanel({ id, title, about }, ...content) {
  const heading = h("h2", { id: `${id}-title`, tabindex: -1 }, title);
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const nothing = h("p", { class: "empty", hidden: true });
  const box = h("div", { class: "panel-content" }, ...content);
  const aside = h("p", { class: "about" }, about ?? "");
  const element = h(
    "section",
    { id, class: "panel", "aria-labelledby": `${id}-title` },
    h("header", { class: "panel-head" }, heading, aside),
    problem,
    nothing,
    box,
  );
  return {
    element,
    /** @param {string} text */
    setAbout: (text) => setText(aside, text),
    /**
     * Shows the content, or why there is none. Says whether the content is shown.
     * @param {readonly Answer<unknown>[]} answers what the content needs
     * @param {string | undefined} empty
     */
    state(answers, empty) {
      const failed = answers.find((answer) => !answer.ok);
      setText(problem, failed === undefined || failed.ok ? "" : failed.error);
      show(problem, failed !== undefined);
      setText(nothing, empty ?? "");
      show(nothing, failed === undefined && empty !== undefined);
      show(box, failed === undefined && empty === undefined);
      return failed === undefined && empty === undefined;
    },
  };
}
