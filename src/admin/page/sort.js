// @ts-check
/** Rows in the order of one column. What has no value comes last, whichever way. */

/** @typedef {{ readonly column: string, readonly descending: boolean }} Order */

/**
 * @template Row
 * @param {readonly Row[]} rows
 * @param {(row: Row) => string | number | null | undefined} valueOf
 * @param {boolean} descending
 * @returns {Row[]}
 */
export function sorted(rows, valueOf, descending) {
  const sign = descending ? -1 : 1;
  return rows.toSorted((one, other) => {
    const [a, b] = [valueOf(one) ?? null, valueOf(other) ?? null];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), "en", { numeric: true });
  });
}
