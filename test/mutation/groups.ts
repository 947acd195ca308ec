/** What is mutated, and which tests have to notice. */
export type Group = { readonly mutate: readonly string[]; readonly tests: readonly string[] };

const mutated = (folder: string, ...names: string[]): string[] => names.map((name) => `src/core/${folder}/${name}.ts`);

export const GROUPS = {
  scanner: {
    mutate: mutated("jsonrpc", "scan", "keys", "tape", "json"),
    tests: ["test/core/jsonrpc/**", "test/properties/scan.test.ts"],
  },
  canonical: {
    mutate: mutated("jsonrpc", "canonical", "mend", "splice"),
    tests: ["test/core/jsonrpc/**", "test/properties/scan.test.ts"],
  },
  policy: {
    mutate: mutated("policy", "pattern", "decide", "rule-index"),
    tests: ["test/core/policy/**", "test/properties/{decide,pattern}.test.ts"],
  },
  answers: {
    mutate: [
      ...mutated("mcp", "answer", "capabilities", "content", "filtering", "list-result", "outcome", "result-filter"),
      ...mutated("mcp", "rpc-error", "server-notification", "subscriptions"),
    ],
    tests: ["test/core/mcp/**", "test/properties/answers.test.ts"],
  },
  exchange: {
    mutate: mutated("exchange", "answer-headers", "follow-events", "response", "seen"),
    tests: ["test/core/exchange/**", "test/properties/answers.test.ts"],
  },
} as const satisfies Record<string, Group>;

export type GroupName = keyof typeof GROUPS;
export const GROUP_NAMES = Object.keys(GROUPS) as readonly GroupName[];
