/**
 * Patterns of names: exact, or with `*` for any run of characters. Never a regular expression: four stars in one can hold
 * a process for seconds on a name of 500 characters. What a caller sends is never a pattern.
 */
export type Pattern = {
  readonly text: string;
  /** What stands before, between and after the stars; one piece when there is none. */
  readonly pieces: readonly string[];
};

export const parsePattern = (text: string): Pattern => ({ text, pieces: text.split("*") });

export const isExact = (pattern: Pattern): boolean => pattern.pieces.length === 1;

/** `*`: it matches any name. */
export const isEverything = ({ pieces }: Pattern): boolean =>
  pieces.length > 1 && pieces.every((piece) => piece === "");

/** The text before the first star. */
export const literalPrefix = (pattern: Pattern): string => pattern.pieces[0] ?? "";

/** One pass: each piece is taken where it is found first, so nothing is tried twice. */
export function matches(pattern: Pattern, name: string): boolean {
  const { pieces } = pattern;
  const last = pieces.length - 1;
  if (last === 0) return name === pattern.text;
  const suffix = pieces[last] ?? "";
  let at = literalPrefix(pattern).length;
  const end = name.length - suffix.length;
  if (!name.startsWith(literalPrefix(pattern)) || !name.endsWith(suffix)) return false;
  for (let i = 1; i < last; i++) {
    const piece = pieces[i] ?? "";
    const found = name.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return at <= end;
}

/** Stands for "any text" inside a name; only a star covers it, since no pattern holds it as a character. */
const ANY = "\uffff";

/** Whether all that `inner` matches, `outer` matches too. Sound: "yes" is certain, "no" may be too careful. */
export const covers = (outer: Pattern, inner: Pattern): boolean => coversAll(inner)(outer);

/** The same, to be asked of many patterns. */
export function coversAll(inner: Pattern): (outer: Pattern) => boolean {
  const all = allOf(inner);
  return (outer) => matches(outer, all);
}

/** A name that stands for all that the pattern matches: what matches it, covers the pattern. */
export const allOf = (pattern: Pattern): string => pattern.pieces.join(ANY);

/** Whether something may match both. Sound: "no" is certain. */
export function mayOverlap(one: Pattern, other: Pattern): boolean {
  if (isExact(one)) return matches(other, one.text);
  if (isExact(other)) return matches(one, other.text);
  const [head, otherHead] = [literalPrefix(one), literalPrefix(other)];
  const [tail, otherTail] = [one.pieces.at(-1) ?? "", other.pieces.at(-1) ?? ""];
  return (
    (head.startsWith(otherHead) || otherHead.startsWith(head)) && (tail.endsWith(otherTail) || otherTail.endsWith(tail))
  );
}

/** A URI template as a pattern: each expression stands for any text (RFC 6570). */
export const templatePattern = (template: string): Pattern => ({
  text: template,
  pieces: template.split(/\{[^{}]*\}/),
});
