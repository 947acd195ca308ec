/**
 * Resources inside results: links to them, their embedded text, and what `resources/read` answers. Judged by what a part
 * has, whatever type it says it is of: what the caller may not read is taken out.
 */
import { ABSENT, isObject, kindAt, member } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import { ARRAY } from "../jsonrpc/tape.ts";
import { hasCaseVariant } from "./filtering.ts";
import type { Filtering } from "./filtering.ts";

/** `content` of a tool's result, or of a message of a prompt: one block or a list of them. False: none may be seen. */
export function filterBlocks(filtering: Filtering, content: At): boolean {
  if (kindAt(filtering.json, content) !== ARRAY) return isBlockReadable(filtering, content);
  filtering.hide(content, (block) => isBlockReadable(filtering, block));
  return true;
}

function isBlockReadable(filtering: Filtering, block: At): boolean {
  const { json } = filtering;
  if (!isObject(json, block)) return true;
  if (["uri", "resource", "content"].some((key) => hasCaseVariant(json, block, key))) return filtering.asked.seesAll();
  const resource = member(json, block, "resource");
  if (member(json, block, "uri") !== ABSENT && !filtering.isReadable(block, "uri")) return false;
  if (resource !== ABSENT && !filtering.isReadable(resource, "uri")) return false;
  // The result of a tool, inside a message of a model.
  return filterBlocks(filtering, member(json, block, "content"));
}

/** `messages` of `prompts/get`: a message goes as a whole when its one block does. */
export function filterMessages(filtering: Filtering, messages: At): string | undefined {
  const { json } = filtering;
  if (kindAt(json, messages) !== ARRAY)
    return isObject(json, messages) ? 'has "messages" that is not a list' : undefined;
  filtering.hide(messages, (message) => {
    if (!isObject(json, message)) return true;
    if (hasCaseVariant(json, message, "content")) return filtering.asked.seesAll();
    return filterBlocks(filtering, member(json, message, "content"));
  });
  return undefined;
}

/** `contents` of `resources/read`: several, and of other URIs than the one asked for. */
export function filterContents(filtering: Filtering, contents: At): string | undefined {
  if (kindAt(filtering.json, contents) !== ARRAY) return 'has "contents" that is not a list';
  let isAnyKept = false;
  const hidden = filtering.hide(contents, (one) => {
    const isKept = filtering.isReadable(one, "uri");
    isAnyKept ||= isKept;
    return isKept;
  });
  return hidden > 0 && !isAnyKept ? "holds only resources that no rule lets the caller read" : undefined;
}
