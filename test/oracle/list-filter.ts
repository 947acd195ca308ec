/** The slow twin of the list filter in `mcp/answer.ts`: parse, filter, and compare as values. */
export type Item = { readonly [key: string]: unknown };

const KEYS = { tools: "name", prompts: "name", resources: "uri", resourceTemplates: "uriTemplate" } as const;

/** What a client may see of a result, when `isVisible` says which names of which list it may. */
export function filterSlowly(
  result: { readonly [key: string]: unknown },
  isVisible: (list: string, name: string) => boolean,
): { readonly [key: string]: unknown } {
  const filtered: { [key: string]: unknown } = { ...result };
  for (const [list, key] of Object.entries(KEYS)) {
    const items = result[list];
    if (!Array.isArray(items)) continue;
    const seen = new Set<unknown>();
    filtered[list] = (items as unknown[]).filter((item) => {
      const name: unknown =
        typeof item === "object" && item !== null && !Array.isArray(item) ? (item as Item)[key] : undefined;
      const isFirst = !seen.has(name);
      seen.add(name);
      return typeof name === "string" && isFirst && isVisible(list, name);
    });
  }
  if (typeof result["cacheScope"] === "string") filtered["cacheScope"] = "private";
  return filtered;
}
