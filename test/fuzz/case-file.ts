/**
 * Cases that have once broken a property, one a file in test/fixtures/fuzz: readable, and played again by every test run.
 * A file with `known` is a break that is not mended yet: its message is excused in hunts, and a test notices the mending.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Failure } from "./hunt.ts";

export type CaseFile = {
  readonly property: string;
  /** What is wrong, in the words of the property: without anything of this one case. */
  readonly message: string;
  /** Why it is not mended yet. */
  readonly known?: string;
  readonly case: unknown;
};

const FOLDER = join(import.meta.dirname, "../fixtures/fuzz");

export const readCaseFiles = (): readonly (readonly [name: string, file: CaseFile])[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith(".json"))
    .map((name) => [name, JSON.parse(readFileSync(join(FOLDER, name), "utf8"), asBytes) as CaseFile]);

/** Named after the property and what is in it, so that the same case is the same file. Answers its path. */
export function writeCaseFile(property: string, failure: Failure): string {
  const file: CaseFile = { property, message: failure.message, case: failure.case };
  const text = `${JSON.stringify(file, asText, 2)}\n`;
  const path = join(FOLDER, `${property}-${createHash("sha256").update(text).digest("hex").slice(0, 8)}.json`);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** The messages that hunts for this property excuse. */
export const excusedFor = (property: string): ReadonlySet<string> =>
  new Set(
    readCaseFiles().flatMap(([, file]) =>
      file.property === property && file.known !== undefined ? [file.message] : [],
    ),
  );

/** Bytes are text where they can be. */
function asText(_key: string, value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  const text = Buffer.from(value).toString();
  return Buffer.compare(Buffer.from(text), value) === 0
    ? { utf8: text }
    : { base64: Buffer.from(value).toString("base64") };
}

function asBytes(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("utf8" in value) return Uint8Array.from(Buffer.from(String(value.utf8)));
  if ("base64" in value) return Uint8Array.from(Buffer.from(String(value.base64), "base64"));
  return value;
}
