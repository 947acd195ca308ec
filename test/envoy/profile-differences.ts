/** In what the other profiles differ from the default, and why. */
import { expect } from "vitest";

export type Profile = "override" | "full duplex" | "lean" | "two messages" | "native MCP" | "ext_authz";

export type Verdict = {
  readonly status: number;
  readonly text: string;
  /** What reached the server. */
  readonly executed: readonly string[];
};

/** What the default profile says to the same caller, of a call by its title. */
export type Default = (title: string) => Verdict;

type Difference = {
  readonly profiles: readonly Profile[];
  /** By their titles. */
  readonly calls: RegExp;
  readonly why: string;
  readonly verdict: (before: Default) => Partial<Verdict>;
  /** Whether it is one, where that hangs on what the default profile has said. */
  readonly applies?: (before: Verdict) => boolean;
};

const isExecuted = ({ executed }: Verdict): boolean => executed.length > 0;
const REFUSED_BY_ENVOY = { status: 400, executed: [] } as const;

export const DIFFERENCES: readonly Difference[] = [
  {
    profiles: ["lean", "two messages"],
    calls: /^another argument in a header/,
    why: "headers cannot be enumerated, so nobody has seen Mcp-Param-*: the server has to hold it against its schema",
    verdict: (before) => before("the tool echo, modern"),
  },
  {
    profiles: ["lean", "two messages"],
    calls: /^a header that means nothing/,
    why: "it cannot be taken out, so that the request is refused",
    applies: isExecuted,
    verdict: () => ({ status: 200, text: expect.stringContaining("means nothing") as string, executed: [] }),
  },
  {
    profiles: ["native MCP"],
    calls: /^the answer to a ping/,
    why: "what is in an answer is not told, so that it takes the grant of one that carries something",
    applies: isExecuted,
    verdict: () => ({ status: 202, executed: [] }),
  },
  {
    profiles: ["native MCP"],
    calls: /^(?:another tool in the header|two names|no JSON|a batch|another type|DELETE|PUT)$/,
    why: "Envoy's own filter refuses it first, in its own words; a DELETE without a session too",
    verdict: () => REFUSED_BY_ENVOY,
  },
  {
    profiles: ["ext_authz"],
    calls: /\/list/,
    why: "answers are not seen, so that lists are refused",
    applies: isExecuted,
    verdict: () => ({
      status: 200,
      text: expect.stringContaining("would not be filtered here") as string,
      executed: [],
    }),
  },
];
