/** `toolgate schema` and `toolgate log schema`: the JSON Schema of policy documents and of the decision log's lines. */

/** Prints the schema that `check` and `serve` validate with, or that the lines are held against. */
export function runSchema(schema: object, out: { readonly write: (text: string) => unknown }): void {
  out.write(`${JSON.stringify(schema, undefined, 2)}\n`);
}
