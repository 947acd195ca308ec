/** `toolgate pin`: the tools of a list as they are now, as the `pins` of an MCPServer. */
import { ANSWER_SCAN, scan } from "../core/jsonrpc/scan.ts";
import { elementsOf, isObject, kindAt, member, memberText, ROOT } from "../core/jsonrpc/json.ts";
import { ARRAY } from "../core/jsonrpc/tape.ts";
import { definitionOf } from "../core/mcp/definition.ts";
import { formatLine } from "../telemetry/decision-line.ts";
import { sha256 } from "../sha256.ts";

type Output = { readonly write: (text: string) => unknown };

/** `answer`: the result of `tools/list`, or the whole JSON-RPC answer to it. The exit code: 2 when it is neither. */
export function runPin(answer: Uint8Array, out: Output, err: Output): number {
  const json = scan(answer, ANSWER_SCAN);
  if (json.kind === "fault") {
    err.write(`not acceptable JSON: ${json.message}\n`);
    return 2;
  }
  const result = isObject(json, ROOT) ? member(json, ROOT, "result") : ROOT;
  const holder = isObject(json, result) ? result : ROOT;
  const tools = isObject(json, holder) ? member(json, holder, "tools") : -1;
  if (tools === -1 || kindAt(json, tools) !== ARRAY) {
    err.write('expected the result of tools/list: an object with a list "tools"\n');
    return 2;
  }
  out.write("pins:\n");
  for (const tool of elementsOf(json, tools)) {
    const name = isObject(json, tool) ? memberText(json, tool, "name") : undefined;
    if (name === undefined) continue;
    out.write(`  - { tool: ${formatLine(name)}, sha256: ${sha256(definitionOf(json, tool))} }\n`);
  }
  return 0;
}
