/**
 * The bytes of one file to documents and problems, each with its line. YAML 1.2; what two readers could understand
 * differently (duplicate keys, tags, bytes that are not UTF-8) is refused, and with any such mistake the whole file is
 * not believed: a file cut off in the middle often has a good beginning.
 */
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments, visit } from "yaml";
import type { Document, Pair, YAMLError } from "yaml";
import { documentKey } from "../core/policy/document.ts";
import { guessAbout, guessKey } from "./identify.ts";
import type { LocatedProblem, PolicyFile, ReadDocument } from "./source.ts";
import { validateDocument } from "./validate.ts";
import type { Segment } from "./validate.ts";

const MAX_FILE_BYTES = 8 * 1024 * 1024;
const MAX_ALIASES = 100;

/** Reads the documents of `file`, which is only a name here. */
export function readPolicyFile(file: string, bytes: Uint8Array): PolicyFile {
  const refuse = (message: string): PolicyFile => ({ file, documents: [], problems: [wholeFile(file, message)] });
  if (bytes.length > MAX_FILE_BYTES) return refuse(`is too large; expected at most ${MAX_FILE_BYTES} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuse("is not UTF-8 text; expected YAML in UTF-8");
  }
  const lines = new LineCounter();
  // resolveKnownTags: values must be what JSON has, which !!binary, !!set and !!timestamp are not.
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    resolveKnownTags: false,
    stringKeys: true,
    logLevel: "silent",
    // The library compares each key with all before it: seconds for a map of 20,000. See `duplicateKeys`.
    uniqueKeys: false,
  });
  if (!Array.isArray(parsed) || parsed.length === 0) {
    return refuse("holds no document; write one, or delete the file to take its documents away");
  }
  const read = parsed.map((document) => readDocument(file, document, lines));
  return {
    file,
    documents: read.flatMap((one) => ("kind" in one ? [one] : [])),
    problems: read.flatMap((one) => ("kind" in one ? [] : one.problems)),
  };
}

/** A problem of a file as a whole. */
export const wholeFile = (file: string, message: string): LocatedProblem => ({ file, line: 1, path: "", message });

type NotYaml = { readonly problems: readonly LocatedProblem[] };

function readDocument(file: string, parsed: Document, lines: LineCounter): ReadDocument | NotYaml {
  const line = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const mistakes = yamlMistakes(parsed);
  if (mistakes.length > 0) {
    const problems = mistakes.map(({ offset, message }) => ({ file, line: line(offset), path: "", message }));
    return { problems };
  }
  const start = line(parsed.contents?.range?.[0] ?? 0);
  const value = toValue(parsed);
  if (!value.ok) return { problems: [{ file, line: start, path: "", message: value.message }] };

  const lineAt = (at: readonly Segment[], key?: string) => line(offsetOf(parsed, at, key));
  const located = { file, line: start, lineOf: (path: string) => lineAt(segmentsOf(path)) };
  if (value.value === null) {
    const message = 'an empty document; write one, or take the line "---" away';
    const problems = [{ file, line: start, path: "", message }];
    return { ...located, kind: "invalid", key: undefined, targets: [], matches: [], problems };
  }
  const valid = validateDocument(value.value);
  if (valid.ok) return { ...located, kind: "valid", key: documentKey(valid.value), document: valid.value };
  const problems = valid.error
    .map(({ at, key: field, message }) => ({ file, line: lineAt(at, field), path: pathOf(at), message }))
    .sort((a, b) => a.line - b.line);
  return { ...located, ...guessAbout(value.value), kind: "invalid", key: guessKey(value.value), problems };
}

type YamlMistake = { readonly offset: number; readonly message: string };

/** The first syntax error (the rest follow from it), each duplicate key, each tag. */
function yamlMistakes(parsed: Document): readonly YamlMistake[] {
  const mistakes = [...parsed.errors.slice(0, 1), ...parsed.warnings].map(inWords);
  return [...mistakes, ...duplicateKeys(parsed)];
}

function duplicateKeys(parsed: Document): YamlMistake[] {
  const mistakes: YamlMistake[] = [];
  visit(parsed, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? String(key.value) : "";
        const message = `field "${name}" is written twice; expected each field of an object once`;
        if (seen.has(name)) mistakes.push({ offset: (isScalar(key) && key.range?.[0]) || 0, message });
        seen.add(name);
      }
    },
  });
  return mistakes;
}

function inWords({ code, message, pos }: YAMLError): YamlMistake {
  const [offset] = pos;
  if (code === "TAG_RESOLVE_FAILED") return { offset, message: `${message}; expected no YAML tags` };
  if (code === "RESOURCE_EXHAUSTION") return { offset, message: "is nested too deeply" };
  return { offset, message: `is not valid YAML: ${message}` };
}

type Value = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string };

function toValue(parsed: Document): Value {
  try {
    const value: unknown = parsed.toJS({ maxAliasCount: MAX_ALIASES });
    JSON.stringify(value); // throws when an anchor contains itself
    return { ok: true, value };
  } catch (error: unknown) {
    const cause = error instanceof ReferenceError ? error.message : "an anchor that contains itself";
    return { ok: false, message: `its anchors and aliases cannot be expanded: ${cause}` };
  }
}

/** Where in the text: of a list or an object the line of its key, which is where a reader looks for it. */
function offsetOf(parsed: Document, at: readonly Segment[], key: string | undefined): number {
  let node: unknown = parsed.contents;
  let offset = startOf(node) ?? 0;
  for (const segment of key === undefined ? at : [...at, key]) {
    if (isAlias(node)) node = node.resolve(parsed);
    if (isSeq(node)) {
      node = node.items[Number(segment)];
      offset = startOf(node) ?? offset;
    } else if (isMap(node)) {
      const pair: Pair | undefined = node.items.find(
        ({ key: name }) => isScalar(name) && String(name.value) === segment,
      );
      if (pair === undefined) return offset;
      node = pair.value;
      const isText = isScalar(node) && node.value !== null && key === undefined;
      offset = startOf(isText ? node : pair.key) ?? offset;
    }
  }
  return offset;
}

const startOf = (node: unknown): number | undefined =>
  isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;

const pathOf = (at: readonly Segment[]): string =>
  at.map((segment, i) => (typeof segment === "number" ? `[${segment}]` : i === 0 ? segment : `.${segment}`)).join("");

const segmentsOf = (path: string): readonly Segment[] =>
  (path.match(/[^.[\]]+/g) ?? []).map((part) => (/^\d+$/.test(part) ? Number(part) : part));
