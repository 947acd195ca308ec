/**
 * The label sets of one metric: counted up to a cap, dropped when idle. Past the cap a call is still counted, in a
 * coarser set: first without its caller, then without all that tells calls apart.
 *
 * The client library has neither cap nor clock, and finds a set by its values joined with "|": `auth0|7` as a JWT
 * subject could be counted for another caller. Here each label is a level of maps: nothing to confuse, and on the path
 * of every call 0.10 us for seven labels where a joined key takes 0.23 to 0.39 (Node 24).
 */
import { OVERFLOW } from "./labels.ts";

export type Labels<Name extends string> = Readonly<Record<Name, string>>;
type LabelSet<Name extends string, Item> = {
  readonly labels: Labels<Name>;
  readonly item: Item;
  usedAtMs: number;
};

export type LabelSets<Name extends string, Item> = {
  /** What is counted under these labels, or under coarser ones. */
  at(labels: Labels<Name>, nowMs: number): Item;
  /**
   * Keeps a set with nothing counted in it yet, and one that is idle. Not those past half the cap: what nobody uses must
   * not take the room of what somebody does.
   */
  hold(labels: Labels<Name>, nowMs: number): void;
  expire(idleSinceMs: number): void;
  values(): Iterable<LabelSet<Name, Item>>;
};

export type LabelSetOptions<Name extends string, Item> = {
  readonly names: readonly Name[];
  /** Labels with few values, all ours: they are kept in the coarsest set. */
  readonly closed: readonly Name[];
  readonly cap: number;
  readonly create: (labels: Labels<Name>) => Item;
  /** Hears of each call that went into a coarser set: `caller`, or `all`. */
  readonly onOverflow: (label: string) => void;
};

/** The part of the cap for sets that name a caller: many callers must not push the tools out of the picture. */
const SHARE_WITH_CALLER = 0.75;

/** One level for each label; the last one leads to the set. */
type Level<Leaf> = Map<string, Level<Leaf> | Leaf>;

export function createLabelSets<Name extends string, Item>(
  options: LabelSetOptions<Name, Item>,
): LabelSets<Name, Item> {
  type Leaf = LabelSet<Name, Item>;
  const { names, cap } = options;
  const root: Level<Leaf> = new Map();
  const sets = new Set<Leaf>();
  const hasCaller = names.some((name) => name === "caller");
  const ownCap = hasCaller ? cap * SHARE_WITH_CALLER : cap;

  const find = (labels: Labels<Name>): Leaf | undefined => {
    let at: Level<Leaf> | Leaf | undefined = root;
    for (let i = 0; i < names.length && at !== undefined; i++) at = (at as Level<Leaf>).get(labels[names[i] as Name]);
    return at as Leaf | undefined;
  };

  const add = (given: Labels<Name>): Leaf => {
    const labels = pick(names, (name) => given[name]);
    const leaf: Leaf = { labels, item: options.create(labels), usedAtMs: 0 };
    const last = names.at(-1) as Name;
    let level = root;
    for (const name of names.slice(0, -1)) {
      const next = (level.get(labels[name]) ?? new Map()) as Level<Leaf>;
      level.set(labels[name], next);
      level = next;
    }
    level.set(labels[last], leaf);
    sets.add(leaf);
    return leaf;
  };

  const coarser = (labels: Labels<Name>): Leaf => {
    if (hasCaller) {
      const withoutCaller = { ...labels, caller: OVERFLOW };
      const leaf = find(withoutCaller) ?? (sets.size < cap ? add(withoutCaller) : undefined);
      options.onOverflow(leaf === undefined ? "all" : "caller");
      if (leaf !== undefined) return leaf;
    } else {
      options.onOverflow("all");
    }
    const coarsest = pick(names, (name) => (options.closed.includes(name) ? labels[name] : OVERFLOW));
    return find(coarsest) ?? add(coarsest);
  };

  return {
    at(labels, nowMs) {
      const leaf = find(labels) ?? (sets.size < ownCap ? add(labels) : coarser(labels));
      leaf.usedAtMs = nowMs;
      return leaf.item;
    },
    hold(labels, nowMs) {
      const leaf = find(labels) ?? (sets.size < cap / 2 ? add(labels) : undefined);
      if (leaf !== undefined) leaf.usedAtMs = nowMs;
    },
    expire(idleSinceMs) {
      for (const leaf of sets) {
        if (leaf.usedAtMs <= idleSinceMs) sets.delete(leaf);
      }
      prune(root, (leaf) => sets.has(leaf));
    },
    values: () => sets,
  };
}

/** Takes out what is not kept, and the levels that lead nowhere then. */
function prune<Leaf>(level: Level<Leaf>, keep: (leaf: Leaf) => boolean): void {
  for (const [value, below] of level) {
    if (below instanceof Map) prune(below, keep);
    if (below instanceof Map ? below.size === 0 : !keep(below)) level.delete(value);
  }
}

const pick = <Name extends string>(names: readonly Name[], value: (name: Name) => string): Record<Name, string> =>
  Object.fromEntries(names.map((name) => [name, value(name)])) as Record<Name, string>;
