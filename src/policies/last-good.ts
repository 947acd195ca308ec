/**
 * Keep-last-good, as a pure step: what was good before and what is there now to what holds from now on. A document that
 * is wrong never takes the place of a good one, and one that never was good still denies what it is about; leaving it
 * out could lose a Deny rule.
 */
import { compile } from "../core/policy/compile.ts";
import type { CompileOptions, Compiled } from "../core/policy/compile.ts";
import type { About, DocumentProblem, InvalidDocument, PolicyDocument } from "../core/policy/document.ts";
import type { PolicySet } from "../core/policy/policy-set.ts";
import { guessAbout } from "./identify.ts";
import type { LocatedProblem, PolicyFile, ReadDocument } from "./source.ts";

/** A document and the file it was last seen in. */
type Placed = { readonly document: PolicyDocument; readonly file: string };

/** By document key. */
export type LastGood = ReadonlyMap<string, Placed>;

export type Kept = {
  readonly policies: PolicySet;
  readonly lastGood: LastGood;
  readonly problems: readonly LocatedProblem[];
  readonly warnings: readonly LocatedProblem[];
};

/** By document key, all documents of that key in files that can be believed. */
type Claimed = ReadonlyMap<string, readonly ReadDocument[]>;

/** What goes into the compiler. */
type Chosen = { readonly documents: Map<string, Placed>; readonly invalid: InvalidDocument[] };

/** Makes a policy set of `files`, falling back to `lastGood` document by document. */
export function keepLastGood(lastGood: LastGood, files: readonly PolicyFile[], options: CompileOptions): Kept {
  const claimed = byKey(files);
  const chosen: Chosen = { documents: new Map(), invalid: [] };
  for (const [key, documents] of claimed) choose(chosen, key, documents, lastGood);
  for (const file of files) keepUnseen(chosen, file, lastGood, claimed);

  const { compiled, problems } = compileGood(chosen, lastGood, options);
  const failed = new Set(compiled.problems.map((problem) => problem.document));
  const good = [...chosen.documents].flatMap(([key, placed]) => {
    const kept = failed.has(key) ? lastGood.get(key) : placed;
    return kept === undefined ? [] : [[key, kept] as const];
  });
  const locate = (problem: DocumentProblem) => located(problem, claimed, chosen);
  return {
    policies: compiled.policies,
    lastGood: new Map(good),
    problems: inOrder([...formProblems(files), ...duplicateProblems(claimed), ...problems.map(locate)]),
    warnings: inOrder(compiled.warnings.map(locate)),
  };
}

function byKey(files: readonly PolicyFile[]): Claimed {
  const found = new Map<string, ReadDocument[]>();
  for (const document of files.filter((file) => file.problems.length === 0).flatMap((file) => file.documents)) {
    if (document.key === undefined) continue;
    const same = found.get(document.key);
    if (same === undefined) found.set(document.key, [document]);
    else same.push(document);
  }
  return found;
}

/** Of two documents with one key neither is known to be meant: as bad as one with a mistake. */
function choose(chosen: Chosen, key: string, documents: readonly ReadDocument[], lastGood: LastGood): void {
  const [first, ...more] = documents;
  if (first === undefined) return;
  const known = lastGood.get(key);
  if (first.kind === "valid" && more.length === 0) {
    chosen.documents.set(key, { document: first.document, file: first.file });
  } else if (known !== undefined) {
    chosen.documents.set(key, { document: known.document, file: first.file });
  } else {
    chosen.invalid.push({ name: nameOf(key), ...union(documents.map(aboutWhat)) });
  }
}

/**
 * A file with a mistake in it takes nothing away: it may be cut off, or hold the missing document under a wrong name.
 * What has no name stands for one that is kept; when there are not that many, something never was good.
 */
function keepUnseen(chosen: Chosen, file: PolicyFile, lastGood: LastGood, claimed: Claimed): void {
  const isBelieved = file.problems.length === 0;
  if (isBelieved && file.documents.every((document) => document.kind === "valid")) return;
  const kept = [...lastGood].filter(([key, placed]) => placed.file === file.file && !claimed.has(key));
  for (const [key, placed] of kept) chosen.documents.set(key, placed);
  if (!isBelieved) {
    if (kept.length === 0) chosen.invalid.push({ name: file.file, targets: "all", matches: [] });
    return;
  }
  const nameless = file.documents.filter((document) => document.key === undefined);
  if (kept.length >= nameless.length) return;
  for (const document of nameless) {
    const about = aboutWhat(document);
    if (about.targets.length > 0) chosen.invalid.push({ name: `${document.file}:${document.line}`, ...about });
  }
}

type CompiledGood = { readonly compiled: Compiled; readonly problems: readonly DocumentProblem[] };

/** Compiles, takes what does not compile out of `chosen`, and compiles again until nothing is left to take out. */
function compileGood(chosen: Chosen, lastGood: LastGood, options: CompileOptions): CompiledGood {
  const problems = new Map<string, DocumentProblem>();
  for (;;) {
    const documents = [...chosen.documents.values()].map((placed) => placed.document);
    const compiled = compile(documents, chosen.invalid, options);
    for (const problem of compiled.problems) problems.set(JSON.stringify(problem), problem);
    const failed = new Set(compiled.problems.map((problem) => problem.document));
    if (!fallBack(chosen, lastGood, failed)) return { compiled, problems: [...problems.values()] };
  }
}

/**
 * Puts last good versions in the place of what failed. When one of those fails too, a newcomer is at odds with it, and
 * has to go. False when there is nothing to change: what then still fails denies what it is about.
 */
function fallBack(chosen: Chosen, lastGood: LastGood, failed: ReadonlySet<string>): boolean {
  const current = [...chosen.documents].filter(([key]) => failed.has(key));
  const known = current.flatMap(([key, { document, file }]) => {
    const good = lastGood.get(key);
    return good === undefined
      ? []
      : [{ key, good: { document: good.document, file }, isNew: good.document !== document }];
  });
  const swaps = known.filter(({ isNew }) => isNew);
  for (const { key, good } of swaps) chosen.documents.set(key, good);
  if (swaps.length > 0 || known.length === 0) return swaps.length > 0;
  const newcomers = current.filter(([key]) => !lastGood.has(key));
  for (const [key, { document }] of newcomers) {
    chosen.documents.delete(key);
    chosen.invalid.push({ name: nameOf(key), ...guessAbout(document) });
  }
  return newcomers.length > 0;
}

const formProblems = (files: readonly PolicyFile[]): readonly LocatedProblem[] =>
  files.flatMap((file) => [
    ...file.problems,
    ...file.documents.flatMap((document) => (document.kind === "invalid" ? document.problems : [])),
  ]);

const duplicateProblems = (claimed: Claimed): readonly LocatedProblem[] =>
  [...claimed].flatMap(([key, [first, ...more]]) =>
    more.map(({ file, line }) => ({
      file,
      line,
      path: "metadata.name",
      message: `${key} is already in ${first?.file}:${first?.line}; expected each document once`,
    })),
  );

function located({ document: key, path, message }: DocumentProblem, claimed: Claimed, chosen: Chosen): LocatedProblem {
  const [read] = claimed.get(key) ?? [];
  const file = read?.file ?? chosen.documents.get(key)?.file ?? key;
  return { file, line: read?.lineOf(path) ?? 1, path, message };
}

const aboutWhat = (document: ReadDocument): About =>
  document.kind === "invalid"
    ? { targets: document.targets, matches: document.matches }
    : guessAbout(document.document);

function union(abouts: readonly About[]): About {
  const targets = abouts.map((about) => about.targets);
  return {
    targets: targets.includes("all") ? "all" : [...new Set(targets.flat())],
    matches: abouts.flatMap(({ matches }) => matches),
  };
}

const nameOf = (key: string): string => key.slice(key.indexOf(" ") + 1);

const inOrder = (problems: readonly LocatedProblem[]): readonly LocatedProblem[] =>
  [...problems].sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
