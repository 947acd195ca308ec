/** The slow twin of the list filter in `mcp/answer.ts`: parse, filter, and compare as values. */
export type Item = { readonly [key: string]: unknown };

const KEYS = { tools: "name", prompts: "name", resources: "uri", resourceTemplates: "uriTemplate" } as const;

/** What a client may see of a result, when `isVisible` says which names of which list it may. */
export function filterSlowly(
  result: { readonly [key: string]: unknown },
  isVisible: (list: string, name: string) => boolean,
): { readonly [key: string]: unknown } {
  const filtered: { [key: string]: unknown } = { ...result };
  let isList = false;
  for (const [list, key] of Object.entries(KEYS)) {
    const items = result[list];
    if (!Array.isArray(items)) continue;
    isList = true;
    filtered[list] = (items as unknown[]).filter((item) => {
      const name: unknown =
        typeof item === "object" && item !== null && !Array.isArray(item) ? (item as Item)[key] : undefined;
      return typeof name === "string" && isVisible(list, name);
    });
  }
  if (isList && typeof result["cacheScope"] === "string") filtered["cacheScope"] = "private";
  return filtered;
}
