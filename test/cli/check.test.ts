import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCheck } from "../../src/cli/check.ts";
import { file, policy, server, temporaryDirectory } from "../policies/fixtures.ts";

async function check(
  texts: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly printed: string }> {
  const directory = temporaryDirectory();
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(directory, name), text);
  const { code, printed } = await checkDirectory(directory);
  return { code, printed: printed.replaceAll(`${directory}/`, "").replaceAll(directory, "DIR") };
}

async function checkDirectory(directory: string): Promise<{ readonly code: number; readonly printed: string }> {
  let printed = "";
  const code = await runCheck(directory, { write: (text) => (printed += text) });
  return { code, printed };
}

test("prints the counts and ends with 0 when all is well", async () => {
  const result = await check({ "a.yaml": file(server("everything"), policy("one", "echo")) });
  expect(result).toEqual({ code: 0, printed: "2 documents in 1 file: 0 problems, 0 warnings\n" });
});

test("prints every problem with file, line and path, and ends with 1", async () => {
  const wrong = policy("one", "echo").replace("Allow", "allow").replace("tools: [ echo ]", "tools: echo");
  const result = await check({ "a.yaml": file(server("everything"), wrong, policy("two", "add")), "b.yaml": "a: [\n" });
  expect(result).toEqual({
    code: 1,
    printed: [
      'a.yaml:12: spec.rules[0].action: must be one of "Allow", "Deny", but is "allow"',
      'a.yaml:12: spec.rules[0].to[0].tools: must be a list, but is "echo"',
      "b.yaml:2: is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
      "3 documents in 2 files: 3 problems, 0 warnings",
      "",
    ].join("\n"),
  });
});

test("marks warnings as such and ends with 0", async () => {
  const { code, printed } = await check({
    "a.yaml": file(server("everything"), server("lonely"), policy("one", "echo")),
  });
  expect(printed).toMatch(/^a\.yaml:8: metadata\.name: warning: /m);
  expect(printed).toMatch(/: 0 problems, 1 warning\n$/);
  expect(code).toBe(0);
});

test("warns of a directory without policies", async () => {
  const result = await check({ "notes.txt": "" });
  expect(result).toEqual({
    code: 0,
    printed: [
      "DIR: warning: no *.yaml or *.yml file in it, so everything is denied",
      "0 documents in 0 files: 0 problems, 1 warning",
      "",
    ].join("\n"),
  });
});

test("says which directory cannot be read, and ends with 2", async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "file"), "");
  mkdirSync(join(directory, "ok"));
  expect(await checkDirectory(join(directory, "nowhere"))).toEqual({
    code: 2,
    printed: `${directory}/nowhere: cannot be read: it does not exist; expected a directory of *.yaml files\n`,
  });
  expect((await checkDirectory(join(directory, "file"))).code).toBe(2);
  expect((await checkDirectory(join(directory, "ok"))).code).toBe(0);
});
