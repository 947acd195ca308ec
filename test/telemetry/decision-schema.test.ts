/** The schema, the types, the lines and docs/decision-log.md say the same. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import type { ExchangeRecord } from "../../src/core/exchange/record.ts";
import { formatDecision } from "../../src/telemetry/decision-line.ts";
import { DECISION_SCHEMA } from "../../src/telemetry/decision-schema.ts";
import { ANSWER_FAULTS, OUTCOMES, REASONS } from "../../src/telemetry/decision-words.ts";
import { lineFaults } from "./line-faults.ts";
import { ANONYMOUS, denied, record, user } from "./records.ts";

const DOCS = readFileSync(new URL("../../docs/decision-log.md", import.meta.url), "utf8");

/** The rows of the tables, as cells, by the head of the table's first column. */
function tables(head: string): readonly (readonly string[])[][] {
  return DOCS.split("\n\n")
    .map((block) => block.split("\n"))
    .filter(([first]) => first?.startsWith(`| ${head} |`))
    .map((rows) => rows.slice(2).map((row) => row.slice(2, -2).split(" | ")));
}

const ajv = new Ajv2020({ strict: true, strictRequired: false });

describe.each(DECISION_SCHEMA.oneOf.map((kind, i) => [kind.title, kind, i] as const))("%s", (_title, kind, i) => {
  const rows = tables("member")[i] ?? [];
  const properties: readonly (readonly [string, { readonly type?: unknown; readonly description: string }])[] =
    Object.entries(kind.properties);

  test("has the members that are documented, in the same words", () => {
    expect(rows.map(([name, type, , meaning]) => [name, type, meaning])).toStrictEqual(
      properties.map(([name, { type = "word", description }]) => [`\`${name}\``, type, description]),
    );
  });

  test("has those members always of which it is said", () => {
    const always = rows.filter(([, , when]) => when === "always").map(([name]) => name);
    expect(always).toStrictEqual(kind.required.map((name) => `\`${name}\``));
  });

  test.each(properties)("has the member %s as in the example", (name, property) => {
    const example = rows.find(([cell]) => cell === `\`${name}\``)?.[4] ?? "";
    expect(example).toMatch(/^`.*`$/);
    expect(ajv.validate(property, JSON.parse(example.slice(1, -1)))).toBe(true);
  });
});

test.each([
  ["reason", REASONS],
  ["outcome", OUTCOMES],
  ["answer_fault_reason", ANSWER_FAULTS],
])("the words of %s are documented", (member, words) => {
  expect(tables(`\`${member}\``)[0]).toStrictEqual(
    Object.entries(words).map(([word, meaning]) => [`\`${word}\``, meaning]),
  );
});

const EVERYTHING = record({
  identity: { ...user("ann"), workload: { uri: "spiffe://td/x", name: "agents/x" } },
  decision: "audit",
  mode: "Audit",
  reason: "denied-by-rule",
  sentence: "Blocked by policy.",
  arguments: { values: { path: "/" }, withheld: 1 },
  outcome: { kind: "rpc_error", code: -32602 },
  httpStatus: 400,
  listed: [{ kind: "tool", names: ["echo"] }],
  hiddenItems: 1,
  changedTools: ["echo"],
  trace: { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", parent: undefined, linked: undefined, spans: undefined },
  answerFault: { reason: "unreadable", message: "is not JSON" },
});

describe("a line is as the schema says", () => {
  const long = "n".repeat(5_000);
  const records: Record<string, ExchangeRecord> = {
    "of a plain call": record(),
    "with everything": EVERYTHING,
    "of nobody": denied({ identity: ANONYMOUS }),
    "of a request that matched nothing": denied({ server: undefined, method: "unknown", target: undefined }),
    "with all that is long": record({
      target: { kind: "resource", name: long },
      identity: { ...user(long), workload: { uri: long, name: long } },
      requestId: long,
      sentence: long,
      changedTools: Array.from({ length: 1_000 }, () => long),
      answerFault: { reason: "unexpected", message: long },
      revision: long,
    }),
  };
  test.each(Object.entries(records))("%s", (_what, one) => {
    expect(lineFaults(formatDecision(one))).toStrictEqual([]);
  });

  test("and has no member of its own: the check would say so", () => {
    const line = JSON.parse(formatDecision(record())) as object;
    expect(lineFaults(JSON.stringify({ ...line, more: 1 }))).toHaveLength(2);
    expect(lineFaults(JSON.stringify({ ...line, v: 2 }))).toHaveLength(1);
    expect(lineFaults(JSON.stringify({ ...line, caller: undefined }))).toHaveLength(1);
  });

  test("and one has all members but those of other calls", () => {
    const members = Object.keys(JSON.parse(formatDecision(EVERYTHING)) as object);
    const [decision] = DECISION_SCHEMA.oneOf;
    expect(Object.keys(decision.properties).filter((name) => !members.includes(name))).toStrictEqual([
      "prompt",
      "resource",
      "absent",
      "seq",
      "chain",
    ]);
  });
});

test("the line that the page shows is the line of such a call", () => {
  expect(DOCS).toContain(formatDecision(record()));
});

describe("what the page does with jq", () => {
  const programs = [...DOCS.matchAll(/^jq (-\w) '(.*)' decisions\.jsonl$/gm)].map(([, flag = "", program = ""]) => [
    flag,
    program,
  ]);
  const lines = [
    record(),
    record({ target: { kind: "tool", name: "slow" }, durationMs: 900 }),
    denied({ target: { kind: "tool", name: "get-env" } }),
    denied({ target: undefined, method: "tools/list" }),
    record({ decision: "audit", mode: "Audit", reason: "no-rule-allows" }),
    record({ decision: "audit", mode: "Audit", reason: "no-rule-allows" }),
  ];
  const input = `${lines.map(formatDecision).join("")}{"v":1,"time":"2026-08-31T12:30:15.250Z","event":"gap","lost":3}\n`;

  test.skipIf(!hasJq())("does what it says", () => {
    const [denials, audited, slowest] = programs.map((args) => execFileSync("jq", args, { input, encoding: "utf8" }));
    expect(denials?.split("\n")).toStrictEqual([
      "agents/reader\ttoolgate\tdefault-deny\tno-rule-allows\tget-env",
      "agents/reader\ttoolgate\tdefault-deny\tno-rule-allows\ttools/list",
      "",
    ]);
    expect(JSON.parse(audited ?? "")).toStrictEqual([
      { caller: "agents/reader", server: "tools/everything", tool: "echo", calls: 2 },
    ]);
    expect(JSON.parse(slowest ?? "")).toStrictEqual([{ server: "tools/everything", tool: "slow", duration_ms: 900 }]);
    expect(programs).toHaveLength(3);
  });
});

function hasJq(): boolean {
  try {
    execFileSync("jq", ["--version"]);
    return true;
  } catch {
    process.stderr.write("SKIPPED, the examples of docs/decision-log.md: there is no jq\n");
    return false;
  }
}
