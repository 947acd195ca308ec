/**
 * The protocol revisions, and the two eras they fall into: `legacy` begins with `initialize`, in `modern` each request says
 * all of it in its `_meta`. The set is closed.
 */
export type Era = "legacy" | "modern";

export const REVISIONS = {
  "2024-10-07": "legacy",
  "2024-11-05": "legacy",
  "2025-03-26": "legacy",
  "2025-06-18": "legacy",
  "2025-11-25": "legacy",
  "2026-07-28": "modern",
} as const satisfies Record<string, Era>;

const BY_NAME: ReadonlyMap<string, Era> = new Map(Object.entries(REVISIONS));

export const eraOf = (revision: string): Era | undefined => BY_NAME.get(revision);
