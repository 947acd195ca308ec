/**
 * Rules, found without walking over all of them: by the name asked for, then by who asks. A decision costs a few map
 * look-ups and the rules that are about this very name and caller, whatever the number of policies.
 */
import { isAbsent, isNobody } from "../identity/identity.ts";
import type { Identity, User } from "../identity/identity.ts";
import { claimValues, isCaller, onlyWorkload } from "./caller.ts";
import type { CallerTest, Truth, UserTest } from "./caller.ts";
import type { RuleRef } from "./decision.ts";
import { isEverything, isExact, literalPrefix, matches } from "./pattern.ts";
import type { Pattern } from "./pattern.ts";

/** One entry of a rule's `from` with one pattern of its `to`. */
export type Entry = { readonly rule: RuleRef; readonly caller: CallerTest; readonly pattern: Pattern };

/** Which truths make a rule apply: a Deny rule's "unknown" applies, an Allow rule's does not. */
export type Applies = (truth: Truth) => boolean;
export const ALLOW_APPLIES: Applies = (truth) => truth === "yes";
export const DENY_APPLIES: Applies = (truth) => truth !== "no";

/** Entries that ask for a JWT of one issuer. */
class UserIndex {
  readonly #bySubject = new Map<string, Entry[]>();
  readonly #withSubject: Entry[] = [];
  readonly #byClaim = new Map<string, { readonly byValue: Map<string, Entry[]>; readonly all: Entry[] }>();
  readonly #others: Entry[] = [];

  add(entry: Entry, { subject, claims }: UserTest): void {
    const [claim] = claims;
    if (subject !== undefined) {
      push(this.#bySubject, subject, entry);
      this.#withSubject.push(entry);
    } else if (claim === undefined) {
      this.#others.push(entry);
    } else {
      let index = this.#byClaim.get(claim.name);
      if (index === undefined) this.#byClaim.set(claim.name, (index = { byValue: new Map(), all: [] }));
      for (const value of claim.values) push(index.byValue, value, entry);
      index.all.push(entry);
    }
  }

  /** A Deny rule also applies when a claim is unknown, so then all its entries have to be tried. */
  find(question: Question, user: User): Entry | undefined {
    const takesUnknown = question.applies("unknown");
    const unknown = takesUnknown ? this.#withSubject : undefined;
    const bySubject = user.subject === undefined ? unknown : this.#bySubject.get(user.subject);
    const found = first(bySubject, question) ?? first(this.#others, question);
    if (found !== undefined) return found;
    for (const [name, { byValue, all }] of this.#byClaim) {
      const { values, isKnown } = claimValues(user, name);
      const byClaim = !isKnown && takesUnknown ? first(all, question) : firstOf(values, byValue, question);
      if (byClaim !== undefined) return byClaim;
    }
    return undefined;
  }
}

function firstOf(
  values: readonly string[],
  byValue: ReadonlyMap<string, Entry[]>,
  question: Question,
): Entry | undefined {
  for (const value of values) {
    const found = first(byValue.get(value), question);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Who asks, and for what. `name` undefined: for anything, the question is only who. */
type Question = { readonly identity: Identity; readonly name: string | undefined; readonly applies: Applies };

/** Entries by the most telling thing that their `from` says. */
export class CallerIndex {
  readonly #byWorkload = new Map<string, Entry[]>();
  readonly #byIssuer = new Map<string, UserIndex>();
  readonly #others: Entry[] = [];

  add(entry: Entry): void {
    const { caller } = entry;
    const workload = onlyWorkload(caller);
    if (workload !== undefined) push(this.#byWorkload, workload, entry);
    else if (caller.user === undefined) this.#others.push(entry);
    else {
      let users = this.#byIssuer.get(caller.user.issuer);
      if (users === undefined) this.#byIssuer.set(caller.user.issuer, (users = new UserIndex()));
      users.add(entry, caller.user);
    }
  }

  find(identity: Identity, name: string | undefined, applies: Applies): Entry | undefined {
    const question = { identity, name, applies };
    const { workload, user } = identity;
    return (
      this.#findByWorkload(question, workload) ??
      (isAbsent(user) ? undefined : this.#byIssuer.get(user.issuer)?.find(question, user)) ??
      first(this.#others, question)
    );
  }

  /** Of one that cannot be told, a Deny rule has to be tried whomever it names. */
  #findByWorkload(question: Question, workload: Identity["workload"]): Entry | undefined {
    if (!isAbsent(workload)) return first(this.#byWorkload.get(workload.uri), question);
    if (isNobody(workload) || !question.applies("unknown")) return undefined;
    for (const entries of this.#byWorkload.values()) {
      const found = first(entries, question);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function first(entries: readonly Entry[] | undefined, { identity, name, applies }: Question): Entry | undefined {
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
  readonly #callersOfAny = new CallerIndex();
  readonly #callersOfAll = new CallerIndex();

  add(entry: Entry): void {
    this.#all.push(entry);
    this.#callersOfAny.add(entry);
    if (isEverything(entry.pattern)) this.#callersOfAll.add(entry);
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

  /** One that is written for this very name, or for all names: a pattern that only matches it does not count. */
  findLiteral(identity: Identity, name: string, applies: Applies): Entry | undefined {
    return (
      this.#exact.get(name)?.find(identity, name, applies) ?? this.#callersOfAll.find(identity, undefined, applies)
    );
  }

  /** One for any name at all. */
  findAny(identity: Identity, applies: Applies): Entry | undefined {
    return this.#callersOfAny.find(identity, undefined, applies);
  }

  /** The same for a whole set of names, as a template of URIs is one: `relates` says whether a pattern is about it. */
  findWhere(identity: Identity, relates: (pattern: Pattern) => boolean, applies: Applies): Entry | undefined {
    return this.#all.find((entry) => relates(entry.pattern) && applies(isCaller(entry.caller, identity)));
  }

  names(name: string): boolean {
    return this.#exact.has(name);
  }

  exactNames(): Iterable<string> {
    return this.#exact.keys();
  }
}
