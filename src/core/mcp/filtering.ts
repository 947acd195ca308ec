/** One message on its way to a client: what has been taken out of it so far. */
import { foldCase } from "../fold-case.ts";
import { endOf, firstChild, isObject, keyIs, keyIsInAnyCase, memberText, textAt } from "../jsonrpc/json.ts";
import type { At } from "../jsonrpc/json.ts";
import type { Json } from "../jsonrpc/scan.ts";
import { Splice } from "../jsonrpc/splice.ts";
import { WIDTH } from "../jsonrpc/tape.ts";
import type { Asked } from "./asked.ts";
import { resourceSubject } from "./subject.ts";

/** The names that a server has listed. */
export type Listed = { readonly kind: "tool" | "prompt"; readonly names: readonly string[] };

/** Of a message that wants something from the client: a fault, which completes "it ...". */
export const ASKS = "asks the client for input that no rule allows";

export class Filtering {
  readonly json: Json;
  readonly asked: Asked;
  readonly splice: Splice;
  hiddenItems = 0;
  readonly listed: Listed[] = [];
  /** Tools that are not shown because they are not any more what policy has pinned. */
  readonly changedTools: string[] = [];

  constructor(json: Json, asked: Asked) {
    this.json = json;
    this.asked = asked;
    this.splice = new Splice(json);
  }

  /** Takes out the elements or members that are not for this caller, and counts them. */
  hide(container: At, isKept: (child: At) => boolean): number {
    const hidden = this.splice.keep(container, isKept);
    this.hiddenItems += hidden;
    return hidden;
  }

  /** Whether the caller may read the resource that `object` has under `key`. */
  isReadable(object: At, key: string): boolean {
    const uri = isObject(this.json, object) ? exactText(this.json, object, key) : undefined;
    if (uri === undefined) return false;
    const subject = resourceSubject(uri, this.asked.limits);
    return subject.ok ? this.asked.isVisible(subject.value) : this.asked.seesAll();
  }
}

/** Undefined also when a key stands beside it that a reader who ignores case would take for it. */
export const exactText = (json: Json, object: At, key: string): string | undefined =>
  hasCaseVariant(json, object, key) ? undefined : memberText(json, object, key);

export function hasCaseVariant(json: Json, object: At, key: string): boolean {
  const end = endOf(json, object);
  for (let at = firstChild(object); at < end; at = endOf(json, at + WIDTH)) {
    if (!keyIs(json, at, key) && (keyIsInAnyCase(json, at, key) ?? sameFolded(textAt(json, at), key))) return true;
  }
  return false;
}

/** Folding may change a length by little: what differs by more is not worth folding. */
const sameFolded = (text: string, key: string): boolean =>
  text.length <= 2 * key.length && 2 * text.length >= key.length && foldCase(text) === foldCase(key);
