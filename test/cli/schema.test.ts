import { Ajv2020 } from "ajv/dist/2020.js";
import { parseAllDocuments } from "yaml";
import { describe, expect, test } from "vitest";
import { runSchema } from "../../src/cli/schema.ts";
import { DOCUMENT_SCHEMA } from "../../src/core/policy/document.ts";
import { file, FULL_POLICY, FULL_SERVER, policy, server } from "../policies/fixtures.ts";

function printedSchema(): object {
  let printed = "";
  runSchema(DOCUMENT_SCHEMA, { write: (text) => (printed += text) });
  return JSON.parse(printed) as object;
}

const FULL = file(FULL_SERVER, `${FULL_POLICY}        - methods: [ completion/complete ]\n`);

describe("the schema that is printed", () => {
  // strictRequired wants the properties repeated beside every "required", also where an alternative only asks for one.
  const validate = new Ajv2020({ strict: true, strictRequired: false, allErrors: true }).compile(printedSchema());

  test.each(parseAllDocuments(FULL).map((document) => [document.toJS() as { kind: string }]))(
    "holds for a document that uses every field",
    (document) => {
      validate(document);
      expect(validate.errors).toBeNull();
    },
  );

  test.each([
    ["a server", server("everything").replace("path", "pth")],
    ["a policy", policy("one", "echo").replace("Allow", "allow")],
    ["conditions", policy("one", "echo").replace("action:", "when: 'true', action:")],
    ["another kind", server("everything").replace("MCPServer", "Server")],
  ])("does not hold for %s that is wrong", (_what, text) => {
    expect(validate(parseAllDocuments(text)[0]?.toJS())).toBe(false);
  });
});
