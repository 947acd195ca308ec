/** `src/core` touches nothing of the world: the compiler says so, since its tsconfig gives it no types of Node. */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const copy = mkdtempSync(join(tmpdir(), "toolgate-core-"));
for (const file of ["package.json", "tsconfig.json"]) cpSync(join(ROOT, file), join(copy, file));
cpSync(join(ROOT, "src/core"), join(copy, "src/core"), { recursive: true });
symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** What the compiler says of a copy of the core with this file in it. */
function compile(source: string, ...options: readonly string[]): Promise<string> {
  writeFileSync(join(copy, "src/core/added.ts"), source);
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  return new Promise((resolve) => {
    execFile(tsc, ["-p", "src/core", ...options], { cwd: copy }, (_, stdout) => resolve(stdout));
  });
}

test("the core compiles by itself", async () => {
  expect(await compile("export {};")).toBe("");
});

test.each([
  ["node:fs", 'import "node:fs";'],
  ["node:http2", 'import { connect } from "node:http2"; export { connect };'],
  ["Buffer", "export const bytes = Buffer.alloc(1);"],
  ["process", "export const { pid } = process;"],
  ["setTimeout", "export const timer = setTimeout(() => 0, 1);"],
  ["fetch", 'export const answer = fetch("http://localhost");'],
  ["crypto", "export const id = crypto.randomUUID();"],
])("the core does not compile with %s", async (name, source) => {
  const complaint = await compile(source);
  expect(complaint).toContain("added.ts(1,");
  expect(complaint).toContain(name);
  expect(await compile(source, "--types", "node"), "with Node's types nothing is wrong with it").not.toContain(
    "added.ts",
  );
});
