/** docs/metrics.md and the registry say the same. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compiled, serverDocument } from "../fixtures/policies.ts";
import { ANONYMOUS, denied, record } from "./records.ts";
import { create } from "./samples.ts";

const DOCUMENT = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");
const ROW = /^\| `(\w+)` \| (\w+) \|([^|]*)\|[^|]+\|[^|]*\|$/gm;

/** Name, type, label names. */
type Row = readonly [name: string, type: string, labels: readonly string[]];

const documented: readonly Row[] = [...DOCUMENT.matchAll(ROW)].map(([, name = "", type = "", labels = ""]) => [
  name,
  type,
  [...labels.matchAll(/`(\w+)`/g)].map(([, label = ""]) => label),
]);

/** With a sample of everything. */
async function exposed(): Promise<string> {
  const { policies } = compiled([serverDocument("everything", [{ path: "/mcp" }])]);
  const metrics = create({ inForce: () => policies });
  metrics.record(record({ client: { name: "inspector", version: "1" }, hiddenItems: 1, changedTools: ["echo"] }));
  metrics.record(record({ answerFault: { reason: "unreadable", message: "is no JSON" }, identity: ANONYMOUS }));
  metrics.record(record({ outcome: { kind: "rpc_error", code: -1 } }));
  metrics.record(denied());
  metrics.meter.streamEnded("tools/everything", "complete");
  for (let i = 0; i < 60; i++) metrics.record(record({ client: { name: `c-${i}`, version: undefined } }));
  return String(await metrics.expose());
}

function labelsIn(text: string, name: string): readonly string[] {
  const sample = text.split("\n").find((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  if (sample === undefined) throw new Error(`${name} has no sample to be compared by`);
  return [...sample.matchAll(/(\w+)="/g)].map(([, label = ""]) => label).filter((label) => label !== "le");
}

test("each series of ours is in the document, and each of the document is there, with its type and labels", async () => {
  const text = await exposed();
  const series = [...text.matchAll(/^# TYPE ((?:toolgate|mcp)_\w+) (\w+)$/gm)].map(([, name = "", type = ""]): Row => [
    name,
    type,
    labelsIn(text, type === "histogram" ? `${name}_bucket` : name),
  ]);
  const byName = (one: Row, other: Row): number => one[0].localeCompare(other[0]);
  expect(documented.toSorted(byName)).toStrictEqual(series.toSorted(byName));
});

test("each series of Node's that the document names is there", async () => {
  const text = await exposed();
  const named = [...DOCUMENT.matchAll(/`((?:nodejs|process)_\w+)`/g)].map(([, name = ""]) => name);
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((name) => !text.includes(`# TYPE ${name} `))).toStrictEqual([]);
});
