// @ts-check
/**
 * Makes elements. Text is only ever text: names come from callers, and nothing here could turn one into markup. Handlers
 * are functions, and there are no styles, since the page's content security policy allows neither inline.
 */

/** @typedef {Node | string | undefined} Child */
/** @typedef {{ readonly [name: string]: string | number | boolean | undefined | ((event: Event) => void) }} Properties */

/**
 * `on…` are handlers, everything else attributes: `true` is one without a value, `false` and undefined are none.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  setProperties(element, properties);
  for (const child of children)
    if (child !== undefined) element.append(typeof child === "string" ? visible(child) : child);
  return element;
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties} [properties]
 * @param {...Node} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setProperties(element, properties);
  element.append(...children);
  return element;
}

/** Touches only what is another: a reader's selection, focus and screen reader stay where they are. @param {Element} element @param {Properties} properties */
export function setProperties(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === undefined || value === false) element.removeAttribute(name);
    else {
      const text = value === true ? "" : String(value);
      if (element.getAttribute(name) !== text) element.setAttribute(name, text);
    }
  }
}

/** @param {Element} element @param {string} text */
export function setText(element, text) {
  const shown = visible(text);
  if (element.textContent !== shown) element.textContent = shown;
}

/** With what cannot be seen, or turns the text around, as its number: two names that differ look different. @param {string} text */
export const visible = (text) =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (mark) => `\\u{${(mark.codePointAt(0) ?? 0).toString(16)}}`);

/** @param {HTMLElement} element @param {boolean} shown */
export function show(element, shown) {
  if (element.hidden === shown) element.hidden = !shown;
}
