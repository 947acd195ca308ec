// @ts-check
/**
 * The filter: words that must all be found. `echo` may be anywhere; `tool:echo` in a tool's name; `tool=echo` is that name
 * exactly. What has spaces is quoted.
 */

/** @typedef {"server" | "tool" | "caller" | "rule"} Field */
/** @typedef {{ readonly field: Field | undefined, readonly exact: boolean, readonly text: string }} Term */
/** What a row is about. A field that a row says nothing of does not exclude it.
 * @typedef {{ readonly [field in Field]?: readonly string[] }} Subject */

const TERM = /(?:(server|tool|caller|rule)([:=]))?(?:"((?:[^"\\]|\\.)*)"|(\S+))/g;

/** @param {string} text @returns {readonly Term[]} */
export const parseFilter = (text) =>
  [...text.matchAll(TERM)].map(([, field, sign, quoted, word]) => ({
    field: /** @type {Field | undefined} */ (field),
    exact: sign === "=",
    text: quoted === undefined ? (word ?? "") : quoted.replaceAll(/\\(.)/g, "$1"),
  }));

/** @param {Field} field @param {string} text */
export const exactly = (field, text) =>
  `${field}=${/[\s"]|^$/.test(text) ? `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"` : text}`;

/** @param {readonly Term[]} terms @param {Subject} subject */
export const matches = (terms, subject) => terms.every((term) => matchesTerm(term, subject));

/** @param {Term} term @param {Subject} subject */
function matchesTerm({ field, exact, text }, subject) {
  const values = field === undefined ? Object.values(subject).flat() : subject[field];
  if (values === undefined) return true;
  if (exact) return values.includes(text);
  const wanted = text.toLowerCase();
  return values.some((value) => value.toLowerCase().includes(wanted));
}

/**
 * The filter with this name added, or taken away when it is there: what a click on a name does. One name a field.
 * @param {string} filter
 * @param {Field} field
 * @param {string} name
 */
export function toggled(filter, field, name) {
  const wanted = exactly(field, name);
  const words = [...filter.matchAll(TERM)].map(([word]) => word);
  const others = words.filter((word) => !word.startsWith(`${field}=`) && !word.startsWith(`${field}:`));
  return (words.includes(wanted) ? others : [...others, wanted]).join(" ");
}

/** @param {readonly Term[]} terms @param {Field} field @param {string} name */
export const isChosen = (terms, field, name) =>
  terms.some((term) => term.field === field && term.exact && term.text === name);
