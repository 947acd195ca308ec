/** "Did you mean": for the problems that people read. */

/** The word that was probably meant: another case, or at most two letters off (one in short words). */
export function closest(word: string, words: readonly string[]): string | undefined {
  const maxEdits = word.length > 4 ? 2 : 1;
  const ranked = words
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const [best] = ranked;
  return best !== undefined && best.edits <= maxEdits ? best.candidate : undefined;
}

/** Levenshtein's distance with neighbours swapped as one edit; words that differ much in length are not compared. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Number.POSITIVE_INFINITY;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const changed = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const edits = Math.min(changed, at(i - 1, j) + 1, at(i, j - 1) + 1, swapped ? at(i - 2, j - 2) + 1 : changed);
      rows[i]?.push(edits);
    }
  }
  return at(a.length, b.length);
}
