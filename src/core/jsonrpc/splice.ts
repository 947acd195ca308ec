/**
 * Changes to a document that leave every other byte alone: values replaced, members and elements taken out, members
 * added. Numbers keep their lexemes, keys their order, and white space stays where it was.
 */
import { concat, EMPTY } from "../bytes.ts";
import { endOf, firstChild, kindAt, span } from "./json.ts";
import type { At } from "./json.ts";
import { canonical } from "./canonical.ts";
import { scan } from "./scan.ts";
import type { Json, ScanLimits } from "./scan.ts";
import { OBJECT, WIDTH } from "./tape.ts";

/** What a request is with these changes made, in canonical form. */
export function canonicalOf(splice: Splice, json: Json, limits: ScanLimits): Uint8Array {
  const bytes = splice.bytes();
  if (bytes === json.bytes) return canonical(json);
  const changed = scan(bytes, limits);
  if (changed.kind === "fault") throw new Error(`what was taken out has left no JSON: ${changed.message}`);
  return canonical(changed);
}

type Edit = { readonly start: number; readonly end: number; readonly bytes: Uint8Array };

/** Of two edits of the same bytes, the one that leaves nothing of them. */
const outerFirst = (one: Edit, other: Edit): number =>
  one.start - other.start || other.end - one.end || one.bytes.length - other.bytes.length;

const COMMA = Uint8Array.of(0x2c);

export class Splice {
  readonly #json: Json;
  readonly #edits: Edit[] = [];

  constructor(json: Json) {
    this.#json = json;
  }

  replace(at: At, bytes: Uint8Array): void {
    const [start, end] = span(this.#json, at);
    this.#edits.push({ start, end, bytes });
  }

  /**
   * Takes out of an array the elements, or out of an object the members, that are not kept; says how many. `child` is the
   * element, or the member's key.
   */
  keep(container: At, isKept: (child: At) => boolean): number {
    const json = this.#json;
    const isObject = kindAt(json, container) === OBJECT;
    const end = endOf(json, container);
    let removed = 0;
    let hasKept = false;
    let firstGone: number | undefined;
    let previousEnd = 0;
    for (let child = firstChild(container); child < end;) {
      const value = isObject ? child + WIDTH : child;
      const [start] = span(json, child);
      const childEnd = span(json, value)[1];
      if (isKept(child)) {
        // What goes before the first that is kept goes with the comma behind it, all else with the comma before it.
        if (!hasKept && firstGone !== undefined) this.#remove(firstGone, start);
        hasKept = true;
      } else {
        removed++;
        if (hasKept) this.#remove(previousEnd, childEnd);
        else firstGone ??= start;
      }
      previousEnd = childEnd;
      child = endOf(json, value);
    }
    if (!hasKept && firstGone !== undefined) this.#remove(firstGone, previousEnd);
    return removed;
  }

  /** Adds members at the end of an object. `hasOthers`: some are there, and stay. */
  append(object: At, members: Uint8Array, hasOthers: boolean): void {
    const end = span(this.#json, object)[1] - 1;
    this.#edits.push({ start: end, end, bytes: hasOthers ? concat([COMMA, members]) : members });
  }

  #remove(start: number, end: number): void {
    this.#edits.push({ start, end, bytes: EMPTY });
  }

  /** The document with the changes made; the bytes that were read when there are none. */
  bytes(): Uint8Array {
    const { bytes } = this.#json;
    if (this.#edits.length === 0) return bytes;
    const slices: Uint8Array[] = [];
    let at = 0;
    // What lies inside a part that goes as a whole, goes with it: it begins later, or ends earlier.
    for (const edit of this.#edits.toSorted(outerFirst)) {
      if (edit.start < at) continue;
      slices.push(bytes.subarray(at, edit.start), edit.bytes);
      at = edit.end;
    }
    slices.push(bytes.subarray(at));
    return concat(slices);
  }
}
