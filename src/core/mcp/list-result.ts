/**
 * Takes out of the lists in a result what the caller may not use, and leaves every other byte alone: order, cursors and
 * unknown fields stay. By shape, whatever was asked for.
 */
import { concat, utf8 } from "../bytes.ts";
import { foldCase } from "../fold-case.ts";
import {
  elementsOf,
  endOf,
  firstChild,
  isObject,
  isString,
  keyIs,
  kindAt,
  member,
  memberText,
  sliceAt,
  span,
  textAt,
} from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import type { Json } from "../jsonrpc/scan.ts";
import { ARRAY, WIDTH } from "../jsonrpc/tape.ts";
import { err, ok } from "../result.ts";
import type { Result } from "../result.ts";
import type { ListMember } from "./methods.ts";
import { nameSubject, resourceSubject, templateSubject } from "./subject.ts";
import type { Subject } from "./subject.ts";

/** The names that a server has listed. */
export type Listed = { readonly kind: "tool" | "prompt"; readonly names: readonly string[] };

export type Filtered = {
  /** The same object as in the document when nothing was taken out. */
  readonly bytes: Uint8Array;
  readonly hiddenItems: number;
  readonly listed: Listed | undefined;
};

/** The error says what about the result cannot be delivered to anyone. */
export function filterLists(
  json: Json,
  result: At,
  isVisible: (subject: Subject) => boolean,
): Result<Filtered, string> {
  const edits: Edit[] = [];
  let listed: Listed | undefined;
  let hiddenItems = 0;
  const end = endOf(json, result);
  for (let key = firstChild(result); key < end; key = endOf(json, key + WIDTH)) {
    const list = LISTS.find((one) => keyIs(json, key, one.member));
    if (list === undefined) {
      if (foldsToList(textAt(json, key))) return err("has a list under a name in another case");
      continue;
    }
    if (kindAt(json, key + WIDTH) !== ARRAY) return err(`has "${list.member}" that is not a list`);
    const kept = keepVisible(json, key + WIDTH, list, isVisible);
    hiddenItems += kept.hiddenItems;
    if (kept.edit !== undefined) edits.push(kept.edit);
    if (list.label !== undefined) listed = { kind: list.label, names: kept.names };
    // What one caller may see is not for a cache that serves others (R23).
    const scope = member(json, result, "cacheScope");
    if (isString(json, scope) && textAt(json, scope) !== "private")
      edits.push({ span: span(json, scope), bytes: PRIVATE });
  }
  return ok({ bytes: applyEdits(json.bytes, edits), hiddenItems, listed });
}

const PRIVATE = utf8('"private"');

type List = {
  readonly member: ListMember;
  readonly key: string;
  readonly subject: (name: string) => ReturnType<typeof nameSubject>;
  readonly label: "tool" | "prompt" | undefined;
};

const LISTS: readonly List[] = [
  { member: "tools", key: "name", subject: (name) => nameSubject("tool", name), label: "tool" },
  { member: "prompts", key: "name", subject: (name) => nameSubject("prompt", name), label: "prompt" },
  { member: "resources", key: "uri", subject: resourceSubject, label: undefined },
  { member: "resourceTemplates", key: "uriTemplate", subject: templateSubject, label: undefined },
];

const FOLDED = new Set(LISTS.map((list) => foldCase(list.member)));
/** Whether a reader who ignores case would find a list under this key. */
export const foldsToList = (key: string): boolean => FOLDED.has(foldCase(key));

/** Not of an entry with a key that a reader who ignores case would take for the name. */
function nameOf(json: Json, element: At, key: string): string | undefined {
  const end = endOf(json, element);
  for (let at = firstChild(element); at < end; at = endOf(json, at + WIDTH)) {
    if (!keyIs(json, at, key) && foldCase(textAt(json, at)) === foldCase(key)) return undefined;
  }
  return memberText(json, element, key);
}

type Kept = { readonly edit: Edit | undefined; readonly hiddenItems: number; readonly names: readonly string[] };

/** An entry without a name, or with one that no call could use, is not shown. Order, cursors and unknown fields stay. */
function keepVisible(json: Json, array: At, list: List, isVisible: (subject: Subject) => boolean): Kept {
  const names: string[] = [];
  const kept: Uint8Array[] = [];
  const elements = elementsOf(json, array);
  for (const element of elements) {
    const name = isObject(json, element) ? nameOf(json, element, list.key) : undefined;
    const subject = name === undefined ? undefined : list.subject(name);
    if (subject?.ok !== true) continue;
    if (list.label !== undefined) names.push(subject.value.name);
    if (!isVisible(subject.value)) continue;
    if (kept.length > 0) kept.push(COMMA);
    kept.push(sliceAt(json, element));
  }
  const visible = Math.ceil(kept.length / 2);
  if (visible === elements.length) return { edit: undefined, hiddenItems: 0, names };
  const bytes = concat([OPEN, ...kept, CLOSE]);
  return { edit: { span: span(json, array), bytes }, hiddenItems: elements.length - visible, names };
}

const [OPEN, CLOSE, COMMA] = [utf8("["), utf8("]"), utf8(",")];

type Edit = { readonly span: readonly [start: number, end: number]; readonly bytes: Uint8Array };

function applyEdits(bytes: Uint8Array, edits: Edit[]): Uint8Array {
  if (edits.length === 0) return bytes;
  const slices: Uint8Array[] = [];
  let at = 0;
  for (const edit of edits.toSorted((one, other) => one.span[0] - other.span[0])) {
    if (edit.span[0] < at) continue; // the same edit again
    slices.push(bytes.subarray(at, edit.span[0]), edit.bytes);
    at = edit.span[1];
  }
  slices.push(bytes.subarray(at));
  return concat(slices);
}
