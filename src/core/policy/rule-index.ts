/**
 * Rules, found without walking over all of them: by the name asked for, then by who asks. A decision costs a few map
 * look-ups and the rules that are about this very name and caller, whatever the number of policies.
 */
import { isAbsent } from "../identity/identity.ts";
import type { Identity } from "../identity/identity.ts";
import { isCaller, onlyWorkload } from "./caller.ts";
import type { CallerTest, Truth } from "./caller.ts";
import type { RuleRef } from "./decision.ts";
import { isExact, literalPrefix, matches } from "./pattern.ts";
import type { Pattern } from "./pattern.ts";

/** One entry of a rule's `from` with one pattern of its `to`. */
export type Entry = { readonly rule: RuleRef; readonly caller: CallerTest; readonly pattern: Pattern };

/** Which truths make a rule apply: a Deny rule's "unknown" applies, an Allow rule's does not. */
export type Applies = (truth: Truth) => boolean;
export const ALLOW_APPLIES: Applies = (truth) => truth === "yes";
export const DENY_APPLIES: Applies = (truth) => truth !== "no";

/** Entries by the most telling thing that their `from` says. */
export class CallerIndex {
  readonly #byWorkload = new Map<string, Entry[]>();
  readonly #bySubject = new Map<string, Map<string, Entry[]>>();
  /** What names a subject, by issuer: for a token without one, which a Deny rule meets as unknown. */
  readonly #withSubject = new Map<string, Entry[]>();
  readonly #byIssuer = new Map<string, Entry[]>();
  readonly #others: Entry[] = [];

  add(entry: Entry): void {
    const { caller } = entry;
    const workload = onlyWorkload(caller);
    if (workload !== undefined) push(this.#byWorkload, workload, entry);
    else if (caller.user === undefined) this.#others.push(entry);
    else if (caller.user.subject !== undefined) {
      let subjects = this.#bySubject.get(caller.user.issuer);
      if (subjects === undefined) this.#bySubject.set(caller.user.issuer, (subjects = new Map()));
      push(subjects, caller.user.subject, entry);
      push(this.#withSubject, caller.user.issuer, entry);
    } else push(this.#byIssuer, caller.user.issuer, entry);
  }

  find(identity: Identity, name: string | undefined, applies: Applies): Entry | undefined {
    const { workload, user } = identity;
    const byWorkload = isAbsent(workload) ? undefined : this.#byWorkload.get(workload.uri);
    return (
      first(byWorkload, identity, name, applies) ??
      (isAbsent(user) ? undefined : this.#findUser(identity, user, name, applies)) ??
      first(this.#others, identity, name, applies)
    );
  }

  #findUser(
    identity: Identity,
    user: { issuer: string; subject: string | undefined },
    name: string | undefined,
    applies: Applies,
  ): Entry | undefined {
    const entries =
      user.subject === undefined
        ? this.#withSubject.get(user.issuer)
        : this.#bySubject.get(user.issuer)?.get(user.subject);
    // An Allow rule that names a subject never applies without one: there is nothing to look for.
    const isHopeless = user.subject === undefined && applies === ALLOW_APPLIES;
    const bySubject = isHopeless ? undefined : first(entries, identity, name, applies);
    return bySubject ?? first(this.#byIssuer.get(user.issuer), identity, name, applies);
  }
}

/** `name` undefined: any name, the question is only who. */
function first(
  entries: readonly Entry[] | undefined,
  identity: Identity,
  name: string | undefined,
  applies: Applies,
): Entry | undefined {
  if (entries === undefined) return undefined;
  for (const entry of entries) {
    if ((name === undefined || matches(entry.pattern, name)) && applies(isCaller(entry.caller, identity))) return entry;
  }
  return undefined;
}

function push(map: Map<string, Entry[]>, key: string, entry: Entry): void {
  const entries = map.get(key);
  if (entries === undefined) map.set(key, [entry]);
  else entries.push(entry);
}

/** Entries by the names they are about. */
export class NameIndex {
  readonly #exact = new Map<string, CallerIndex>();
  /** Patterns with a star, by the text before it; one map for each length of that text. */
  readonly #prefixes: { readonly length: number; readonly byPrefix: Map<string, CallerIndex> }[] = [];
  readonly #all: Entry[] = [];

  add(entry: Entry): void {
    this.#all.push(entry);
    const prefix = literalPrefix(entry.pattern);
    const map = isExact(entry.pattern) ? this.#exact : this.#prefixMap(prefix.length);
    let callers = map.get(prefix);
    if (callers === undefined) map.set(prefix, (callers = new CallerIndex()));
    callers.add(entry);
  }

  #prefixMap(length: number): Map<string, CallerIndex> {
    const found = this.#prefixes.find((one) => one.length === length);
    if (found !== undefined) return found.byPrefix;
    const added = { length, byPrefix: new Map<string, CallerIndex>() };
    this.#prefixes.push(added);
    return added.byPrefix;
  }

  /** An entry that applies to this name and caller. */
  find(identity: Identity, name: string, applies: Applies): Entry | undefined {
    const exact = this.#exact.get(name)?.find(identity, name, applies);
    if (exact !== undefined) return exact;
    for (const { length, byPrefix } of this.#prefixes) {
      if (length > name.length) continue;
      const found = byPrefix.get(name.slice(0, length))?.find(identity, name, applies);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The same for a whole set of names, as a template of URIs is one: `relates` says whether a pattern is about it. */
  findWhere(identity: Identity, relates: (pattern: Pattern) => boolean, applies: Applies): Entry | undefined {
    return this.#all.find((entry) => relates(entry.pattern) && applies(isCaller(entry.caller, identity)));
  }

  names(name: string): boolean {
    return this.#exact.has(name);
  }
}
