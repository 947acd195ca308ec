import { hash } from "node:crypto";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { runPin } from "../../src/cli/pin.ts";
import { utf8 } from "../fixtures/bytes.ts";

function pin(text: string): { readonly code: number; readonly out: string; readonly err: string } {
  let [out, err] = ["", ""];
  const code = runPin(utf8(text), { write: (more) => (out += more) }, { write: (more) => (err += more) });
  return { code, out, err };
}

const sha256 = (text: string): string => hash("sha256", text);

test("pin prints the digest of each tool's name, descriptions and schemas", () => {
  const tools = [
    { inputSchema: { b: 1, a: 2 }, name: "echo", description: "é", icons: [], _meta: {} },
    { name: "a b", annotations: { readOnlyHint: true } },
  ];
  const expected = [
    "pins:",
    `  - { tool: "echo", sha256: ${sha256('{"name":"echo","description":"é","inputSchema":{"b":1,"a":2}}')} }`,
    `  - { tool: "a b", sha256: ${sha256('{"name":"a b","annotations":{"readOnlyHint":true}}')} }`,
    "",
  ].join("\n");
  expect(pin(JSON.stringify({ tools }, undefined, 2))).toEqual({ code: 0, out: expected, err: "" });
  expect(pin(JSON.stringify({ jsonrpc: "2.0", id: 1, result: { tools } })).out).toBe(expected);
});

test("pin shows what nobody would see in a name, in a form that YAML reads as the same name", () => {
  const name = "echo\u009b2K\u202e\u{e0041}";
  const { out } = pin(JSON.stringify({ tools: [{ name }] }));
  expect(out).toMatch(/^[ -~\n]+$/);
  expect(parse(out)).toMatchObject({ pins: [{ tool: name }] });
});

test.each([
  ["{", "not acceptable JSON: the document ends: expected ',' or '}'\n"],
  ["[]", 'expected the result of tools/list: an object with a list "tools"\n'],
  ['{"tools":{}}', 'expected the result of tools/list: an object with a list "tools"\n'],
  ['{"result":{"prompts":[]}}', 'expected the result of tools/list: an object with a list "tools"\n'],
])("pin says what is wrong with %s", (text, err) => {
  expect(pin(text)).toEqual({ code: 2, out: "", err });
});
