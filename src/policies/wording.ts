/** The plain words in which problems speak about values and about what a schema asks for. */

/** What of a schema's vocabulary is put into words. */
export type SchemaNode = {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly not?: object;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
};

const MAX_SHOWN_CHARS = 80;
const NOUNS: Readonly<Record<string, string>> = { array: "a list", object: "an object", string: "text" };

/** What was expected, to complete "must be ...". */
export function expected(schema: SchemaNode): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return `one of ${quoted(schema.enum)}`;
  return NOUNS[schema.type ?? ""] ?? "something else";
}

/** What was found, to complete "but is ...". */
export function found(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return Object.keys(value).length === 0 ? "an empty object" : "an object";
  if (typeof value === "number") return `the number ${value}`;
  return shortened(JSON.stringify(value));
}

/** `"a", "b"` */
export const quoted = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join(", ");

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

const shortened = (text: string): string =>
  text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}...` : text;
