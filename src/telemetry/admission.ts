/**
 * A set of names with a cap, from which idle names leave. What becomes a label value passes through one of these, so
 * that the number of series depends on us and never on who calls.
 */
export type Admission = {
  /** Whether the name is in, or there was room to let it in. Marks it as used. */
  admit(name: string, nowMs: number): boolean;
  /** Lets go of the names last used at that time or before. */
  expire(idleSinceMs: number): void;
};

export function createAdmission(cap: number): Admission {
  const usedAtMs = new Map<string, number>();
  return {
    admit(name, nowMs) {
      if (!usedAtMs.has(name) && usedAtMs.size >= cap) return false;
      usedAtMs.set(name, nowMs);
      return true;
    },
    expire(idleSinceMs) {
      for (const [name, used] of usedAtMs) if (used <= idleSinceMs) usedAtMs.delete(name);
    },
  };
}
