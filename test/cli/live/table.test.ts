import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AUTHZ_COLUMNS, EDGE_COLUMNS, STAT_COLUMNS } from "../../../src/cli/live/columns.ts";
import { cut, printable, widthOf } from "../../../src/cli/live/screen.ts";
import { printTable } from "../../../src/cli/live/table.ts";
import type { Column } from "../../../src/cli/live/table.ts";
import type { AuthzRow } from "../../../src/telemetry/authz.ts";
import type { Edge } from "../../../src/telemetry/edges.ts";
import type { StatRow } from "../../../src/telemetry/stat.ts";
import { terminal } from "./terminal.ts";

const GOLDEN = {
  requests: 1234,
  rps: 20.57,
  answered: 1200,
  success: 0.9712,
  availability: 0.9934,
  tool_errors: 27,
  client_errors: 8,
  denied: 3,
  audited: 0,
  p50: 0.0123,
  p95: 0.245,
  p99: 1.62,
};
const IDLE = {
  ...GOLDEN,
  requests: 0,
  rps: 0,
  answered: 0,
  success: null,
  availability: null,
  tool_errors: 0,
  client_errors: 0,
  denied: 0,
  p50: null,
  p95: null,
  p99: null,
};
const SERVERS: readonly StatRow[] = [
  { server: "tools/everything", ...GOLDEN, inflight: 2, streams: 14 },
  { server: "tools/a-server-with-quite-a-long-name", ...IDLE, inflight: 0, streams: 0 },
];
const TOOLS: readonly StatRow[] = [
  { server: "tools/everything", method: "tools/call", name: "trigger-long-running-operation", ...GOLDEN },
  { server: "tools/everything", method: "tools/list", ...IDLE },
];
const EDGES: readonly Edge[] = [
  {
    caller: "agents/reader",
    identity: "spiffe",
    server: "tools/everything",
    tools: 4,
    requests: 100,
    rps: 1.7,
    answered: 100,
    success: 1,
    denied: 0,
  },
  {
    caller: "anonymous",
    identity: "anonymous:no-certificate, jwt-missing",
    server: "tools/everything",
    tools: 0,
    requests: 2,
    rps: 0.033,
    answered: 0,
    success: null,
    denied: 2,
  },
];
const RULES: readonly AuthzRow[] = [
  {
    server: "tools/everything",
    method: "tools/call",
    name: "echo",
    policy: "tools/readers",
    rule: "readers-may-read",
    mode: "Enforce",
    allowed: 100,
    denied: 0,
    audited: 0,
    success: 1,
    rps: 1.7,
    p50: 0.004,
    p95: 0.02,
    p99: 0.031,
  },
  {
    server: "tools/everything",
    policy: "tools/on-trial",
    rule: "no-long-operations",
    mode: "Audit",
    allowed: 0,
    denied: 0,
    audited: 0,
    success: null,
    rps: 0,
    p50: null,
    p95: null,
    p99: null,
  },
];

function printed<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width?: number): string {
  const { screen, kept } = terminal(width);
  printTable(
    screen,
    columns.filter(({ isWide }) => isWide !== true),
    rows,
  );
  return `\n${kept.text}`;
}

describe("stat servers", () => {
  test("at 60 columns", () =>
    expect(printed(STAT_COLUMNS.servers, SERVERS, 60)).toMatchInlineSnapshot(`
      "
      NAMESPACE  SERVER               SUCCESS   RPS    P95  DENIED
      tools      everything            97.12%  20.6  245ms       3
      tools      a-server-with-quit…        -     -      -       0
      no room for P50 P99 INFLIGHT STREAMS
      "
    `));
  test("at 80 columns", () =>
    expect(printed(STAT_COLUMNS.servers, SERVERS, 80)).toMatchInlineSnapshot(`
      "
      NAMESPACE  SERVER             SUCCESS   RPS   P50    P95   P99  DENIED  INFLIGHT
      tools      everything          97.12%  20.6  12ms  245ms  1.6s       3         2
      tools      a-server-with-qu…        -     -     -      -     -       0         0
      no room for STREAMS
      "
    `));
  test("at 200 columns", () =>
    expect(printed(STAT_COLUMNS.servers, SERVERS, 200)).toMatchInlineSnapshot(`
      "
      NAMESPACE  SERVER                           SUCCESS   RPS   P50    P95   P99  DENIED  INFLIGHT  STREAMS
      tools      everything                        97.12%  20.6  12ms  245ms  1.6s       3         2       14
      tools      a-server-with-quite-a-long-name        -     -     -      -     -       0         0        0
      "
    `));
});

describe("stat tools", () => {
  test("at 60 columns", () =>
    expect(printed(STAT_COLUMNS.tools, TOOLS, 60)).toMatchInlineSnapshot(`
      "
      SERVER            TOOL               SUCCESS  TOOL_ERR   RPS
      tools/everything  trigger-long-run…   97.12%        27  20.6
      tools/everything  -                        -         0     -
      no room for P95 P50 P99 METHOD
      "
    `));
  test("at 80 columns", () =>
    expect(printed(STAT_COLUMNS.tools, TOOLS, 80)).toMatchInlineSnapshot(`
      "
      SERVER            TOOL                SUCCESS  TOOL_ERR   RPS   P50    P95   P99
      tools/everything  trigger-long-runn…   97.12%        27  20.6  12ms  245ms  1.6s
      tools/everything  -                         -         0     -     -      -     -
      no room for METHOD
      "
    `));
  test("at 200 columns", () =>
    expect(printed(STAT_COLUMNS.tools, TOOLS, 200)).toMatchInlineSnapshot(`
      "
      SERVER            METHOD      TOOL                            SUCCESS  TOOL_ERR   RPS   P50    P95   P99
      tools/everything  tools/call  trigger-long-running-operation   97.12%        27  20.6  12ms  245ms  1.6s
      tools/everything  tools/list  -                                     -         0     -     -      -     -
      "
    `));
});

describe("edges", () => {
  test("at 60 columns", () =>
    expect(printed(EDGE_COLUMNS, EDGES, 60)).toMatchInlineSnapshot(`
      "
      CALLER     SERVER       RPS  SUCCESS  SECURED
      reader     everything   1.7  100.00%  spiffe
      anonymous  everything  <0.1        -  no: no-certificate, j…
      no room for TOOLS DENIED CALLER_NS SERVER_NS
      "
    `));
  test("at 80 columns", () =>
    expect(printed(EDGE_COLUMNS, EDGES, 80)).toMatchInlineSnapshot(`
    "
    CALLER     CALLER_NS  SERVER      TOOLS   RPS  SUCCESS  DENIED  SECURED
    reader     agents     everything      4   1.7  100.00%       0  spiffe
    anonymous  -          everything      0  <0.1        -       2  no: no-certific…
    no room for SERVER_NS
    "
  `));
  test("at 200 columns", () =>
    expect(printed(EDGE_COLUMNS, EDGES, 200)).toMatchInlineSnapshot(`
    "
    CALLER     CALLER_NS  SERVER      SERVER_NS  TOOLS   RPS  SUCCESS  DENIED  SECURED
    reader     agents     everything  tools          4   1.7  100.00%       0  spiffe
    anonymous  -          everything  tools          0  <0.1        -       2  no: no-certificate, jwt-missing
    "
  `));
});

describe("authz", () => {
  test("at 60 columns", () =>
    expect(printed(AUTHZ_COLUMNS, RULES, 60)).toMatchInlineSnapshot(`
      "
      TOOL  RULE                ALLOWED  DENIED  AUDITED
      echo  readers-may-read        100       0        0
      -     no-long-operations        0       0        0
      no room for POLICY SERVER MODE SUCCESS RPS P50 P95 P99
      "
    `));
  test("at 80 columns", () =>
    expect(printed(AUTHZ_COLUMNS, RULES, 80)).toMatchInlineSnapshot(`
      "
      TOOL  POLICY          RULE                ALLOWED  DENIED  AUDITED
      echo  tools/readers   readers-may-read        100       0        0
      -     tools/on-trial  no-long-operations        0       0        0
      no room for SERVER MODE SUCCESS RPS P50 P95 P99
      "
    `));
  test("at 200 columns", () =>
    expect(printed(AUTHZ_COLUMNS, RULES, 200)).toMatchInlineSnapshot(`
    "
    SERVER            TOOL  POLICY          RULE                MODE     ALLOWED  DENIED  AUDITED  SUCCESS  RPS    P50   P95   P99
    tools/everything  echo  tools/readers   readers-may-read    Enforce      100       0        0  100.00%  1.7  4.0ms  20ms  31ms
    tools/everything  -     tools/on-trial  no-long-operations  Audit          0       0        0        -    -      -     -     -
    "
  `));
});

describe("a table", () => {
  const columns: readonly Column<readonly [string, number]>[] = [
    { title: "NAME", cell: ([name]) => ({ text: name, colour: "red" }) },
    { title: "COUNT", cell: ([, value]) => ({ text: String(value) }), isNumber: true },
  ];

  test("never is wider than the terminal, whatever is in it, as long as the numbers fit", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: "binary", maxLength: 40 }), fc.nat()), { maxLength: 5 }),
        fc.integer({ min: 30, max: 100 }),
        (rows, width) => {
          const { screen, kept } = terminal(width);
          printTable(screen, columns, rows);
          const lines = kept.text.split("\n").slice(0, -1);
          expect(lines).toHaveLength(rows.length + 1);
          for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("is as wide as it is where there is no terminal", () => {
    const { screen, kept } = terminal();
    printTable(screen, columns, [["x".repeat(500), 7]]);
    expect(kept.text.split("\n")[1]).toBe(`${"x".repeat(500)}      7`);
  });

  test("does not let a name draw on the terminal", () => {
    const { screen, kept } = terminal(80);
    printTable(screen, columns, [["\u001b[2Jgone\u202eback\nnext", 1]]);
    expect(kept.text).toContain(String.raw`\u{1b}[2Jgone\u{202e}back\u{a}next`);
  });

  test("has colours only where the screen has", () => {
    const [plain, coloured] = [terminal(80), terminal(80, true)];
    for (const { screen } of [plain, coloured]) printTable(screen, columns, [["one", 1]]);
    expect(plain.kept.text).not.toContain("\u001b");
    expect(coloured.kept.text).toContain("\u001b[31mone\u001b[39m");
  });
});

test.each([
  ["plain", 5],
  ["日本語", 6],
  ["e\u0301", 1],
  ["", 0],
])("%j takes %d columns", (text, width) => {
  expect(widthOf(text)).toBe(width);
});

test("a text is cut with an ellipsis, in columns and not in characters", () => {
  expect([cut("abcdef", 4), cut("日本語", 4), cut("abcd", 4)]).toEqual(["abc…", "日…", "abcd"]);
});

test("what can be printed as it is stays so", () => {
  expect(printable("tools/déjà-vu 日本 🙂")).toBe("tools/déjà-vu 日本 🙂");
});
