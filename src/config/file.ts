/** The configuration file: a flat YAML mapping, read to the text of each value and the line it stands on. */
import { LineCounter, isMap, isScalar, parseDocument } from "yaml";
import type { Pair } from "yaml";
import type { Problem } from "../core/result.ts";
import { OPTION_NAMES, unknownOption } from "./options.ts";

/** A value as it was written, and where. */
export type Given = { readonly place: string; readonly text: string };

/** What the file says, by option name; nothing when it cannot be read. What is wrong with it goes to `problems`. */
export function readConfigFile(
  { place, text: path }: Given,
  readFile: (path: string) => string,
  problems: Problem[],
): ReadonlyMap<string, Given> | undefined {
  const yaml = tryRead(readFile, path);
  if (yaml instanceof Error) {
    problems.push({ path: place, message: `cannot read the file: ${yaml.message}` });
    return undefined;
  }
  const lines = new LineCounter();
  const { errors, contents } = parseDocument(yaml, { lineCounter: lines });
  const lineAt = (offset = 0): string => `${path}:${lines.linePos(offset).line}`;
  for (const { pos, message, code } of errors) {
    problems.push({ path: lineAt(pos[0]), message: message.split(/ at line |:?\n/)[0] ?? code });
  }
  if (errors.length > 0) return undefined;
  if (contents === null) return new Map();
  if (!isMap(contents)) {
    problems.push({ path: lineAt(), message: "expected a mapping of options, as in `listen: 127.0.0.1:9002`" });
    return undefined;
  }
  return readMapping(contents.items, lineAt, problems);
}

function readMapping(items: readonly Pair[], lineAt: (offset?: number) => string, problems: Problem[]) {
  const values = new Map<string, Given>();
  for (const { key, value } of items) {
    const name = isScalar(key) ? String(key.value) : "?";
    const place = `${lineAt(isScalar(key) ? key.range?.[0] : undefined)}: ${name}`;
    if (!OPTION_NAMES.some((known) => known === name)) {
      problems.push({ path: place, message: unknownOption(name, OPTION_NAMES) });
    } else if (!isScalar(value) || value.value === null) {
      problems.push({ path: place, message: "expected one value: a text or a number" });
    } else {
      const text = typeof value.value === "string" ? value.value : (value.source ?? JSON.stringify(value.value));
      values.set(name, { place, text });
    }
  }
  return values;
}

function tryRead(readFile: (path: string) => string, path: string): string | Error {
  try {
    return readFile(path);
  } catch (error: unknown) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
