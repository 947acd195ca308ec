/** The foreign readers for tests: what is missing is said aloud, and in CI it is an error. */
import process from "node:process";
import { Readers } from "./readers/readers.ts";

export async function requiredReaders(): Promise<Readers> {
  const readers = await Readers.start();
  if (readers.missing.size === 0) return readers;
  const names = [...readers.missing].join(", ");
  const what = `readers are missing (${names}), so that some promises are not tried: see docs/fuzzing.md`;
  if (process.env["CI"] === "true") throw new Error(what);
  process.stderr.write(`\nNOT TRIED: ${what}\n`);
  return readers;
}
