// @ts-check
/** What is in the address, so that it can be shared: the filter, the window, and the panel one looks at. */

/** @typedef {{ readonly filter: string, readonly windowSeconds: number, readonly at: string }} Place */

export const WINDOWS = [60, 300];

/** @param {string} hash @returns {Place} */
export function parsePlace(hash) {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const window = Number(query.get("window"));
  return {
    filter: query.get("filter") ?? "",
    windowSeconds: WINDOWS.includes(window) ? window : 60,
    at: query.get("at") ?? "",
  };
}

/** @param {Place} place */
export function formatPlace({ filter, windowSeconds, at }) {
  const query = new URLSearchParams();
  if (at !== "") query.set("at", at);
  if (filter !== "") query.set("filter", filter);
  if (windowSeconds !== 60) query.set("window", String(windowSeconds));
  return `#${query}`;
}
