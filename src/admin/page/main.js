// @ts-check
/** Puts the page together: the address says what is looked at, the store what is known, and the panels show it. */
import { readAnswers } from "./answers.js";
import { parseFilter, toggled } from "./filter.js";
import { h } from "./h.js";
import { createHead } from "./head.js";
import { formatPlace, parsePlace } from "./location.js";
import { createNotices } from "./notices.js";
import { createPicturePanel } from "./picture-panel.js";
import { createPolicyPanel } from "./policy-panel.js";
import { createRefusalsPanel, noAudits, noDenials } from "./refusals-panel.js";
import { createSignalsPanel } from "./signals-panel.js";
import { createStore } from "./store.js";
import { createStreamsPanel } from "./streams-panel.js";
import { createThemeButton } from "./theme.js";
import { createTrafficPanel } from "./traffic-panel.js";
import { createView } from "./view.js";

/** @import { Known } from "./store.js" */
/** @import { Place } from "./location.js" */
/** @import { Choose } from "./view.js" */

const PANELS = [
  { id: "traffic", title: "Traffic" },
  { id: "picture", title: "Who calls what" },
  { id: "signals", title: "Signals" },
  { id: "denied", title: "Denied" },
  { id: "audited", title: "Would be denied" },
  { id: "streams", title: "Open now" },
  { id: "policy", title: "Policy" },
];

let place = parsePlace(location.hash);
/** @type {Known | undefined} */
let known;

const store = createStore({
  read: () => readAnswers(place.windowSeconds),
  now: Date.now,
  publish(next) {
    known = next;
    render();
  },
});
const notices = createNotices(store.forgetRestart);

/** @type {Choose} */
const choose = (field, name) => go({ filter: toggled(place.filter, field, name) });

const traffic = createTrafficPanel();
const denied = createRefusalsPanel(
  { decision: "deny", id: "denied", title: "Denied", about: "the last refusals, newest first", empty: noDenials },
  choose,
);
const audited = createRefusalsPanel(
  { decision: "audit", id: "audited", title: "Would be denied", about: "let through by audit mode", empty: noAudits },
  choose,
);
const picture = createPicturePanel(choose);
const signals = createSignalsPanel(choose);
const policy = createPolicyPanel(choose);
const streams = createStreamsPanel();
const panels = [traffic, picture, signals, denied, audited, streams, policy];
const head = createHead({
  panels: PANELS,
  go,
  status: notices.status,
  tools: [createThemeButton(() => traffic.redraw())],
});
const main = h(
  "main",
  {},
  notices.element,
  traffic.element,
  picture.element,
  signals.element,
  denied.element,
  h("div", { class: "beside" }, audited.element, streams.element),
  policy.element,
);
document.body.replaceChildren(h("a", { class: "skip", href: "#at=traffic" }, "To the signals"), head.element, main);

/** @param {Partial<Place>} changes */
function go(changes) {
  const before = place;
  place = { ...place, at: "", ...changes };
  history.replaceState(undefined, "", formatPlace(place));
  head.update(place);
  if (place.windowSeconds !== before.windowSeconds) void store.ask();
  render();
}

function render() {
  const now = Date.now();
  if (known === undefined) return;
  notices.update(known, now);
  const { answers } = known;
  main.classList.toggle("known", answers !== undefined);
  if (answers === undefined) return;
  if (answers.info.ok) head.tell(answers.info.value, now);
  const view = createView(answers, parseFilter(place.filter), place.windowSeconds, now);
  for (const panel of panels) panel.update(view);
}

/** A link leads to a panel: there the reading, and the next Tab, goes on. */
function arrive() {
  const title = document.getElementById(`${place.at}-title`);
  title?.focus({ preventScroll: true });
  title?.closest("section")?.scrollIntoView();
}

addEventListener("hashchange", () => {
  const before = place;
  place = parsePlace(location.hash);
  head.update(place);
  if (place.windowSeconds !== before.windowSeconds) void store.ask();
  render();
  arrive();
});
document.addEventListener("visibilitychange", () => store.pause(document.hidden));
setInterval(() => known !== undefined && notices.update(known, Date.now()), 1_000);
head.update(place);
void store.ask().then(arrive);
