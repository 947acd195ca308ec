/** What is mutated, and which tests have to notice. */
export type Group = { readonly mutate: readonly string[]; readonly tests: readonly string[] };

const mutated = (folder: string, ...names: string[]): string[] => names.map((name) => `src/core/${folder}/${name}.ts`);

export const GROUPS = {
  scanner: {
    mutate: mutated("jsonrpc", "scan", "keys", "tape", "json"),
    tests: ["test/core/jsonrpc/**", "test/properties/scan.test.ts"],
  },
  canonical: {
    mutate: [
      ...mutated("jsonrpc", "canonical", "mend", "message", "splice", "value-end"),
      "src/core/bytes.ts",
      "src/core/fold-case.ts",
    ],
    tests: ["test/core/jsonrpc/**", "test/core/{bytes,fold-case}.test.ts", "test/properties/{scan,splice}.test.ts"],
  },
  events: {
    mutate: mutated("sse", "encode", "parse"),
    tests: ["test/core/sse/**"],
  },
  identity: {
    mutate: mutated("identity", "identify", "identity", "linkerd", "spiffe", "xfcc"),
    tests: ["test/core/identity/**"],
  },
  policy: {
    mutate: mutated("policy", "caller", "decide", "pattern", "rule-index", "server-match"),
    tests: ["test/core/policy/**", "test/properties/{decide,pattern}.test.ts"],
  },
  documents: {
    mutate: [
      ...mutated("policy", "compile", "document", "policy-set", "to-patterns", "warnings"),
      "src/core/closest.ts",
    ],
    tests: ["test/core/policy/**", "test/core/closest.test.ts"],
  },
  records: {
    mutate: mutated("mcp", "client-info", "logged-arguments", "propagate", "secret", "trace-context"),
    tests: ["test/core/mcp/{call,logged-arguments,secret,trace-context}.test.ts", "test/core/exchange/traces.test.ts"],
  },
  requests: {
    mutate: mutated("mcp", "batch", "call", "local-reply", "methods", "refusal", "revision", "sealed-denial"),
    tests: ["test/core/{mcp,exchange}/**", "test/properties/request.test.ts"],
  },
  headers: {
    mutate: mutated("mcp", "classify", "headers", "reconcile"),
    tests: ["test/core/{mcp,exchange}/**", "test/cli/doctor.test.ts"],
  },
  names: {
    mutate: mutated("mcp", "subject", "uri"),
    tests: ["test/core/mcp/{subject,uri}.test.ts", "test/properties/uri.test.ts"],
  },
  answers: {
    mutate: [
      ...mutated("mcp", "answer", "capabilities", "content", "definition", "filtering", "list-result", "outcome"),
      ...mutated("mcp", "result-filter", "rpc-error", "server-notification", "subscriptions"),
    ],
    tests: ["test/core/mcp/**", "test/properties/answers.test.ts"],
  },
  judgement: {
    mutate: mutated("exchange", "judge", "judge-batch", "parsed-request", "request", "sentence", "skipped-headers"),
    tests: ["test/core/exchange/**"],
  },
  check: {
    mutate: mutated("exchange", "check"),
    tests: ["test/core/exchange/check.test.ts", "test/grpc/ext-authz.test.ts"],
  },
  exchange: {
    mutate: [
      ...mutated("exchange", "asked-by", "call-trace", "changes", "exchange", "full-duplex", "metadata", "progress"),
      ...mutated("exchange", "record", "with-traces"),
    ],
    tests: ["test/core/exchange/**"],
  },
  responses: {
    mutate: mutated("exchange", "answer-headers", "follow-events", "response", "seen"),
    tests: ["test/core/exchange/**", "test/properties/answers.test.ts"],
  },
} as const satisfies Record<string, Group>;

export type GroupName = keyof typeof GROUPS;
export const GROUP_NAMES = Object.keys(GROUPS) as readonly GroupName[];
