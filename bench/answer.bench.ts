/** core/mcp/answer.ts: a list of 500 tools, of which the caller may see all, half or none, and a plain result. */
import { deliver } from "../src/core/mcp/answer.ts";
import type { Asked } from "../src/core/mcp/asked.ts";
import { askedWith } from "../test/fixtures/asked.ts";
import { LIST, TOOL_RESULT, toolName } from "./documents.ts";
import type { Micro } from "./micro.ts";

const EVEN: ReadonlySet<string> = new Set(Array.from({ length: 250 }, (_, i) => toolName(2 * i)));
const asked = (isVisible: Asked["isVisible"]): Asked => askedWith([], { id: "7", method: "tools/list", isVisible });

const filter = (name: string, isVisible: Asked["isVisible"]): Micro => ({
  name: `filter a list of 500 tools, ${name}`,
  bytes: LIST.length,
  run: () => deliver(LIST, asked(isVisible)),
});
const result = Buffer.from(TOOL_RESULT);

export const answerBenches: readonly Micro[] = [
  filter("all kept", () => true),
  filter("half kept", ({ name }) => EVEN.has(name)),
  filter("none kept", () => false),
  {
    name: "deliver a tool's result",
    bytes: result.length,
    run: () =>
      deliver(
        result,
        asked(() => true),
      ),
  },
];
