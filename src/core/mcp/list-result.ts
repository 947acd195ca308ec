/**
 * The lists that a result may hold: what each lists, and which of its entries a caller may see. An entry without a name,
 * with a name that no call could use, or with a name that stood before it, is not shown.
 */
import { foldCase } from "../fold-case.ts";
import { isObject, kindAt, member, textAt } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import { ARRAY } from "../jsonrpc/tape.ts";
import { definitionOf } from "./definition.ts";
import { exactText } from "./filtering.ts";
import type { Filtering } from "./filtering.ts";
import type { Limits } from "../limits.ts";
import type { Result } from "../result.ts";
import { checkedName, methodSubject, nameSubject, resourceSubject, templateSubject } from "./subject.ts";
import type { Subject, SubjectFault } from "./subject.ts";

type List = {
  /** Where an entry has its name. */
  readonly key: string;
  readonly subject: (name: string, limits: Limits) => Result<Subject, SubjectFault>;
  /** What the names become a label of. */
  readonly label?: "tool" | "prompt";
};

/** A task belongs to whoever began it, which only the server knows: who may list tasks, sees those of the list. */
const taskSubject: List["subject"] = (id, limits) => {
  const text = checkedName(id, limits);
  return text.ok ? { ok: true, value: methodSubject("tasks/list") } : text;
};

const LISTS = {
  tools: { key: "name", subject: (name, limits) => nameSubject("tool", name, limits), label: "tool" },
  prompts: { key: "name", subject: (name, limits) => nameSubject("prompt", name, limits), label: "prompt" },
  resources: { key: "uri", subject: resourceSubject },
  resourceTemplates: { key: "uriTemplate", subject: templateSubject },
  skills: { key: "uri", subject: resourceSubject },
  tasks: { key: "taskId", subject: taskSubject },
} as const satisfies Record<string, List>;

export type ListMember = keyof typeof LISTS;
export const LIST_MEMBERS = Object.keys(LISTS) as readonly ListMember[];

/** Filters the list at `at`. Answers what about it cannot be delivered to anyone. */
export function filterList(filtering: Filtering, name: ListMember, at: At): string | undefined {
  const { json, asked } = filtering;
  const list: List = LISTS[name];
  if (kindAt(json, at) !== ARRAY) return `has "${name}" that is not a list`;
  const names = new Set<string>();
  filtering.hide(at, (entry) => {
    const text = isObject(json, entry) ? exactText(json, entry, list.key) : undefined;
    const subject = text === undefined ? undefined : list.subject(text, asked.limits);
    if (text === undefined || subject?.ok !== true) return false;
    // Clients differ in which one of two they take, and a second one may be made to replace the first.
    const isFirst = names.size < names.add(text).size;
    if (!isFirst || !asked.isVisible(subject.value)) return false;
    if (name !== "tools") return true;
    if (!asked.isPinned(text, () => definitionOf(json, entry))) {
      filtering.changedTools.push(text);
      return false;
    }
    hideInterface(filtering, entry);
    return true;
  });
  if (list.label !== undefined) filtering.listed.push({ kind: list.label, names: [...names] });
  return undefined;
}

/** Where a tool's entry says which resource is its user interface (MCP Apps, in its form of today and the one before). */
function hideInterface(filtering: Filtering, tool: At): void {
  const { json, splice } = filtering;
  const meta = member(json, tool, "_meta");
  if (!isObject(json, meta)) return;
  const ui = member(json, meta, "ui");
  // What a reader who ignores case takes for one of these keys goes too.
  const isShown = (object: At, key: string) => (child: At) => {
    const name = textAt(json, child);
    return name === key ? filtering.isReadable(object, key) : foldCase(name) !== foldCase(key);
  };
  splice.keep(
    meta,
    (child) =>
      isShown(meta, "ui/resourceUri")(child) &&
      (textAt(json, child) === "ui" || foldCase(textAt(json, child)) !== "ui"),
  );
  if (isObject(json, ui)) splice.keep(ui, isShown(ui, "resourceUri"));
}
