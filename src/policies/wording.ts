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

const shortened = (text: string): string =>
  text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}...` : text;
