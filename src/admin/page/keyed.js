// @ts-check
/** Children that stay the same elements as long as their keys are there: what has the focus keeps it. */

/**
 * @template Item
 * @template {Element} Child
 * @param {Element} parent
 * @param {object} options
 * @param {(item: Item) => string} options.key
 * @param {(item: Item) => Child} options.create
 * @param {(child: Child, item: Item, index: number) => void} options.update
 * @returns {(items: readonly Item[]) => void}
 */
export function keyedChildren(parent, { key, create, update }) {
  /** @type {Map<string, Child>} */
  let children = new Map();
  return (items) => {
    /** @type {Map<string, Child>} */
    const next = new Map();
    for (const [index, item] of items.entries()) {
      const name = key(item);
      const child = children.get(name) ?? create(item);
      next.set(name, child);
      update(child, item, index);
    }
    for (const [name, child] of children) if (next.get(name) !== child) child.remove();
    let place = parent.firstElementChild;
    for (const child of next.values()) {
      if (child === place) place = place.nextElementSibling;
      else parent.insertBefore(child, place);
    }
    children = next;
  };
}
