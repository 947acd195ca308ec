/** `toolgate schema`: the JSON Schema of the policy documents, for editors. */
import { DOCUMENT_SCHEMA } from "../core/policy/document.ts";

/** Prints the schema that `check` and `serve` validate with. */
export function runSchema(out: { readonly write: (text: string) => unknown }): void {
  out.write(`${JSON.stringify(DOCUMENT_SCHEMA, undefined, 2)}\n`);
}
