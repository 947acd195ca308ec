// @ts-check
/** Whether what is shown is true now: nobody answers, or another process does than before. Told once, not every second. */
import { ago, clock, span } from "./format.js";
import { h, setText, show } from "./h.js";

/** @import { Known } from "./store.js" */

/** @param {() => void} forgetRestart */
export function createNotices(forgetRestart) {
  const pulse = h("span", { class: "pulse" });
  const state = h("span", { class: "state" }, "Asking …");
  const silence = h("p", { class: "notice silence", hidden: true });
  const restartText = h("span");
  const restart = h(
    "p",
    { class: "notice restart", hidden: true },
    restartText,
    h("button", { type: "button", onclick: forgetRestart }, "Understood"),
  );
  return {
    /** For the head of the page. */
    status: h("p", { class: "status" }, pulse, state),
    element: h("div", { class: "notices", role: "status" }, silence, restart),
    /** @param {Known} known @param {number} now */
    update({ answeredAt, silence: silent, restart: restarted }, now) {
      document.body.classList.toggle("silent", silent !== undefined);
      const last = answeredAt === undefined ? "There is no data yet" : `Last data of ${clock(answeredAt)}`;
      setText(silence, silent === undefined ? "" : `Toolgate is not answering. ${last}, trying again.`);
      show(silence, silent !== undefined);
      const wait = silent === undefined ? 0 : Math.max(0, silent.nextTryAt - now) / 1_000;
      setText(
        state,
        silent !== undefined
          ? `Not answering, again in ${span(Math.ceil(wait))}`
          : answeredAt === undefined
            ? "Asking …"
            : now - answeredAt < 5_000
              ? "Live"
              : `Data of ${ago(answeredAt, now)}`,
      );
      const when = restarted === undefined ? "" : clock(Date.parse(restarted.startedAt));
      setText(restartText, restarted === undefined ? "" : `Toolgate was started anew at ${when}: counts begin there.`);
      show(restart, restarted !== undefined);
    },
  };
}
