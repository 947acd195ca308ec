// @ts-check
/** What is open now: event streams, and calls that the server has not answered yet. */
import { matches } from "./filter.js";
import { count } from "./format.js";
import { createPanel } from "./panel.js";
import { createTable } from "./table.js";
import { hasFilter } from "./view.js";

/** @import { Activity } from "./answers.js" */
/** @import { View } from "./view.js" */

export function createStreamsPanel() {
  const table = createTable({
    caption: "Open streams and calls in flight, by server",
    noun: "servers",
    key: (/** @type {Activity} */ { server }) => server,
    order: { column: "streams", descending: true },
    columns: [
      { id: "server", label: "Server", heading: true, value: ({ server }) => server },
      {
        id: "streams",
        label: "Open streams",
        numeric: true,
        value: ({ streams }) => streams,
        text: (row) => count(row.streams),
      },
      {
        id: "inflight",
        label: "Calls in flight",
        numeric: true,
        value: ({ inflight }) => inflight,
        text: (row) => count(row.inflight),
      },
    ],
  });
  const panel = createPanel({ id: "streams", title: "Open now" }, table.element);
  return {
    element: panel.element,
    /** @param {View} view */
    update(view) {
      const { answers, terms, aboutServer } = view;
      const open = answers.streams.ok
        ? answers.streams.value.filter(({ inflight, streams }) => inflight + streams > 0)
        : [];
      const wanted = open.filter(({ server }) => matches(terms, aboutServer(server)));
      const empty =
        open.length > 0 && hasFilter(view)
          ? "Nothing here matches the filter."
          : "No stream is open, and no call is in flight.";
      if (panel.state([answers.streams], wanted.length > 0 ? undefined : empty)) table.update(wanted);
    },
  };
}
