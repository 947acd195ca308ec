// @ts-check
/** Numbers and times as people read them. `–` is "there is nothing to tell". */

const NOTHING = "–";

/** @param {number} perSecond */
export function rate(perSecond) {
  if (perSecond === 0) return "0";
  if (perSecond < 0.01) return "<0.01";
  return perSecond < 10 ? perSecond.toFixed(perSecond < 1 ? 2 : 1) : count(Math.round(perSecond));
}

/** @param {number} number */
export const count = (number) =>
  number < 10_000 ? String(number) : number < 1e6 ? `${(number / 1e3).toFixed(1)}k` : `${(number / 1e6).toFixed(1)}M`;

/** Never 100 % when something has failed. @param {number | null | undefined} share */
export function percent(share) {
  if (share === null || share === undefined) return NOTHING;
  if (share === 1) return "100 %";
  const text = (Math.floor(share * 10_000) / 100).toFixed(share > 0.99 ? 2 : 1);
  return `${text} %`;
}

/** @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds < 0.001) return "<1 ms";
  if (seconds < 1) return `${Math.round(seconds * 1_000)} ms`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : span(seconds);
}

/** @param {number} seconds */
export function span(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** @param {number} sinceMs @param {number} nowMs */
export const ago = (sinceMs, nowMs) => (nowMs - sinceMs < 1_000 ? "now" : `${span((nowMs - sinceMs) / 1_000)} ago`);

/** @param {number} ms of the reader's day */
export const clock = (ms) => {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
};

/** @param {number} number @param {string} one @param {string} [many] */
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
