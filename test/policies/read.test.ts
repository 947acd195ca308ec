import { describe, expect, test } from "vitest";
import { readPolicyFile } from "../../src/policies/read.ts";
import { formatProblem } from "../../src/policies/source.ts";
import type { PolicyFile } from "../../src/policies/source.ts";
import { FULL_POLICY as POLICY, FULL_SERVER as SERVER } from "./fixtures.ts";

const read = (text: string): PolicyFile => readPolicyFile("p.yaml", new TextEncoder().encode(text));

const problemsOf = (text: string): readonly string[] => {
  const { documents, problems } = read(text);
  return [...problems, ...documents.flatMap((one) => (one.kind === "invalid" ? one.problems : []))].map(formatProblem);
};

/** The policy with one piece replaced; fails when the piece is not there. */
const broken = (piece: string, by: string): string => {
  expect(POLICY).toContain(piece);
  return POLICY.replace(piece, by);
};

describe("readPolicyFile() of a server", () => {
  const withSpec = (match: string, options = ""): string =>
    SERVER.replace(/ {2}match:[^]*/, `  match: [ ${match} ]\n  ${options}\n`);

  test.each([
    ["{ path: /mcp }", "answers: pass"],
    ["{ path: /mcp }", "answers: read"],
    ["{ path: /mcp }", "batches: judge"],
    ["{ path: /mcp }", "batches: refuse"],
    ["{ path: /mcp }", `pins: [ { tool: echo, sha256: ${"0a".repeat(32)} } ]`],
    ["{ path: /sse, messages: /messages }", ""],
    ["{ path: /mcp, messages: /mcp }", ""],
    ["{ host: h, path: /sse, messages: /messages }", ""],
  ])("takes %s with %j", (match, options) => {
    expect(problemsOf(withSpec(match, options))).toEqual([]);
  });

  test.each([
    ["{ messages: /messages }", ""],
    ["{ route: r, messages: /messages }", ""],
    ["{ path: /sse, messages: messages }", ""],
    ["{ path: /sse, messages: '/messages?x' }", ""],
    ["{ path: /sse, messages: '' }", ""],
    ["{ path: /mcp }", "answers: Pass"],
    ["{ path: /mcp }", "batches: true"],
    ["{ path: /mcp }", `pins: [ { tool: echo, sha256: ${"0A".repeat(32)} } ]`],
    ["{ path: /mcp }", `pins: [ { tool: echo, sha256: ${"0".repeat(63)} } ]`],
    ["{ path: /mcp }", "pins: []"],
  ])("refuses %s with %j", (match, options) => {
    expect(problemsOf(withSpec(match, options)).length).toBeGreaterThan(0);
  });
});

describe("readPolicyFile()", () => {
  test("reads several documents of one file, each with its key and line", () => {
    const { documents, problems } = read(`# ours\n---\n${SERVER}---\n${POLICY}`);
    expect(problems).toEqual([]);
    expect(documents.map(({ kind, key, line }) => [kind, key, line])).toEqual([
      ["valid", "MCPServer tools/everything", 3],
      ["valid", "MCPAccessPolicy tools/readers", 11],
    ]);
  });

  test("tells the line of what a path points at, or of the nearest thing around it", () => {
    const [document] = read(POLICY).documents;
    const lines = [
      "spec.rules[0].to[0].tools[1]",
      "spec.mode",
      "spec.rules[0].from[1].spiffe",
      "spec.rules[0].nothing",
    ];
    expect(lines.map((path) => document?.lineOf(path))).toEqual([15, 6, 13, 8]);
  });

  test("gives exactly three problems for a policy with three mistakes, each with line and path", () => {
    const text = broken("action: Allow", "action: allow")
      .replace("tools: [ echo,", "tool: [ echo,")
      .replace("      from:\n", "      frm:\n");
    expect(problemsOf(text)).toEqual([
      'p.yaml:9: spec.rules[0].action: must be one of "Allow", "Deny", but is "allow"',
      'p.yaml:10: spec.rules[0]: unknown field "frm"; did you mean "from"?',
      'p.yaml:15: spec.rules[0].to[0]: unknown field "tool"; did you mean "tools"?',
    ]);
  });

  test.each([
    [
      '- tools: [ echo, "get-*" ]',
      "- { tools: [ echo ], arguments: { type: object } }",
      "p.yaml:15: spec.rules[0].to[0].arguments: conditions on arguments are not supported by this version of Toolgate",
    ],
    [
      "      action: Allow\n",
      "      action: Allow\n      when: 'true'\n",
      "p.yaml:10: spec.rules[0].when: CEL conditions are not supported by this version of Toolgate",
    ],
    [
      "kind: MCPAccessPolicy",
      "kind: MCPAcessPolicy",
      'p.yaml:2: kind: must be one of "MCPServer", "MCPAccessPolicy", but is "MCPAcessPolicy"',
    ],
    ["kind: MCPAccessPolicy\n", "", 'p.yaml:1: kind: is missing; expected one of "MCPServer", "MCPAccessPolicy"'],
    [
      "toolgate.dev/v1alpha1",
      "toolgate.dev/v1",
      'p.yaml:1: apiVersion: must be "toolgate.dev/v1alpha1", but is "toolgate.dev/v1"',
    ],
    [
      "name: readers-may-read",
      "name: 7",
      /^p\.yaml:8: spec\.rules\[0\]\.name: must be a name .*, but is the number 7; put it in quotes$/,
    ],
    [
      "name: readers-may-read",
      "name: Readers",
      /^p\.yaml:8: .*: must be a name of lower-case letters, .* but is "Readers"$/,
    ],
    [
      "prompts: [ simple-prompt ]",
      "prompts: simple-prompt",
      /^p\.yaml:17: .*\.prompts: must be a list, but is "simple-prompt"$/,
    ],
    [
      "prompts: [ simple-prompt ]",
      "prompts: []",
      /^p\.yaml:17: .*\.prompts: must have at least one entry, but is an empty list$/,
    ],
    ["prompts: [ simple-prompt ]", "prompts:", /^p\.yaml:17: .*\.prompts: must be a list, but is empty$/],
    ["prompts: [ simple-prompt ]", 'prompts: [""]', /^p\.yaml:17: .*\.prompts\[0\]: must not be empty$/],
    [
      "- prompts: [ simple-prompt ]",
      "- {}",
      'p.yaml:17: spec.rules[0].to[2]: must have at least one of "tools", "prompts", "resources", "methods", but is an empty object',
    ],
    ["      action: Allow\n", "", 'p.yaml:8: spec.rules[0].action: is missing; expected one of "Allow", "Deny"'],
    [
      "spiffe: spiffe:",
      "spiffe: http:",
      /^p\.yaml:13: .*\.spiffe: must be a SPIFFE ID, which begins with "spiffe:\/\/", but is "http:/,
    ],
    [
      "  mode: Enforce",
      "  colour: red",
      'p.yaml:6: spec: unknown field "colour"; expected only "targetRefs", "mode", "rules"',
    ],
    [
      "- spiffe: spiffe://cluster.local/ns/agents/sa/reader",
      "- anyone: false",
      /^p\.yaml:13: .*\.anyone: must be true, but is false$/,
    ],
  ])("says what was found and what was expected: %s -> %s", (piece, by, message) => {
    const problems = problemsOf(broken(piece, by));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toEqual(typeof message === "string" ? message : expect.stringMatching(message));
  });

  test.each([
    [
      "{ host: a.example }",
      'must be a "path", with a "host" or "messages" or without, or a "route" alone, but has "host"',
    ],
    [
      "{ route: a, path: /b }",
      'must be a "path", with a "host" or "messages" or without, or a "route" alone, but has "route", "path"',
    ],
    ["{ hsot: a, path: /b }", 'unknown field "hsot"; did you mean "host"?'],
    ["{ rout: a }", 'unknown field "rout"; did you mean "route"?'],
    ["{}", 'must be a "path", with a "host" or "messages" or without, or a "route" alone, but is an empty object'],
  ])("gives one problem for a wrong match of a server: %s", (match, message) => {
    expect(problemsOf(SERVER.replace("{ route: everything }", match))).toEqual([`p.yaml:7: spec.match[1]: ${message}`]);
  });

  test("refuses a field that is written twice, with its line", () => {
    const { documents, problems } = read(broken("  mode: Enforce", "  mode: Audit\n  mode: Enforce"));
    expect(documents).toEqual([]);
    expect(problems.map(formatProblem)).toEqual([
      'p.yaml:7: field "mode" is written twice; expected each field of an object once',
    ]);
  });

  test.each([
    ["a:\nb:\na:\n", 3],
    ["a: 1\n\n  # why\na: 2\n", 4],
    ["{ b: 1,\n a, a }\n", 2],
  ])("tells the line of the second time in any form: %j", (text, line) => {
    expect(problemsOf(text)).toEqual([
      `p.yaml:${line}: field "a" is written twice; expected each field of an object once`,
    ]);
  });

  test("reports all documents of a file that cannot be believed because of one of them", () => {
    const text = `${broken("action: Allow", "action: allow")}---\n${SERVER}spec: {}\n`;
    expect(problemsOf(text)).toEqual([
      'p.yaml:26: field "spec" is written twice; expected each field of an object once',
      'p.yaml:9: spec.rules[0].action: must be one of "Allow", "Deny", but is "allow"',
    ]);
  });

  test.each([
    ["a tag", "a: !secret x\n", "Unresolved tag: !secret; expected no YAML tags"],
    ["a value that JSON has not", "a: !!binary eA==\n", "expected no YAML tags"],
    ["aliases that multiply", bomb(), "its anchors and aliases cannot be expanded: Excessive alias count"],
    ["an anchor inside itself", "a: &a [ *a ]\n", "an anchor that contains itself"],
    ["an alias of nothing", "a: *b\n", "its anchors and aliases cannot be expanded: Unresolved alias"],
    ["nesting without end", "[".repeat(100_000), "is nested too deeply"],
    ["an open quote", 'a: "b', "is not valid YAML: Missing closing"],
    ["nothing at all", "", "holds no document"],
    ["only a comment", "# later\n", "holds no document"],
  ])("refuses a file with %s", (_what, text, message) => {
    const { documents, problems } = read(text);
    expect(documents).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(message);
  });

  test("refuses bytes that are not UTF-8", () => {
    const { problems } = readPolicyFile("p.yaml", Uint8Array.of(0x61, 0x3a, 0x20, 0xff));
    expect(problems.map(formatProblem)).toEqual(["p.yaml:1: is not UTF-8 text; expected YAML in UTF-8"]);
  });

  test("reads anchors that are used with measure", () => {
    const text = broken("name: readers-may-read", "name: &n readers").replace("[ simple-prompt ]", "[ *n ]");
    expect(read(text).documents.map((one) => one.kind)).toEqual(["valid"]);
  });

  test("takes CRLF and a byte order mark as other files", () => {
    const { documents, problems } = read(`\uFEFF${POLICY.replaceAll("\n", "\r\n")}`);
    expect(problems).toEqual([]);
    expect(documents.map(({ kind, key }) => [kind, key])).toEqual([["valid", "MCPAccessPolicy tools/readers"]]);
    expect(documents[0]?.lineOf("spec.rules[0].action")).toBe(9);
  });

  test("reports an empty document between others", () => {
    expect(problemsOf(`${POLICY}---\n---\n${SERVER}`)).toEqual([
      'p.yaml:18: an empty document; write one, or take the line "---" away',
    ]);
  });

  test("never takes a file that is cut off inside a document for a whole one of another meaning", () => {
    // Cut at a line's end what is left can be a whole document, which only the quiet time before reading prevents.
    for (let length = 1; length < POLICY.length; length++) {
      const text = POLICY.slice(0, length);
      const [document] = read(text).documents;
      if (document?.kind === "valid") expect(length).toBeGreaterThan(POLICY.indexOf("- tools:"));
    }
  });
});

/** Key and targets of the invalid documents. */
const about = (text: string) =>
  read(text).documents.map((one) => (one.kind === "invalid" ? [one.key, one.targets] : []));

describe("what an invalid document is about", () => {
  test("the servers that a policy names, in its namespace", () => {
    const text = broken("action: Allow", "action: allow");
    expect(about(text)).toEqual([["MCPAccessPolicy tools/readers", ["tools/everything"]]]);
    expect(about(text.replace(", namespace: tools", ""))).toEqual([
      ["MCPAccessPolicy default/readers", ["default/everything"]],
    ]);
  });

  test("a server itself, and the requests that would go to it", () => {
    const matches = [{ host: "everything.tools.svc.cluster.local", path: "/mcp" }, { route: "everything" }];
    expect(read(SERVER.replace("spec:", "spec:\n  answer: pass")).documents).toMatchObject([
      { kind: "invalid", key: "MCPServer tools/everything", targets: ["tools/everything"], matches },
    ]);
  });

  test("everyone, where it cannot be read which requests would go to a server", () => {
    for (const by of [
      "path: mcp",
      "path: /mcp?x",
      "path: 7",
      "pth: /mcp",
      "path: /mcp, messages: m",
      "path: /mcp, route: r",
    ])
      expect(about(SERVER.replace("path: /mcp", by)), by).toEqual([["MCPServer tools/everything", "all"]]);
  });

  test.each([
    ["targetRefs: [ { kind: MCPServer, name: everything } ]", "targetRefs: []"],
    ["targetRefs: [ { kind: MCPServer, name: everything } ]", "targetRef: [ { kind: MCPServer, name: everything } ]"],
    ["name: everything } ]", "name: everything }, { kind: MCPServer, nam: other } ]"],
    ["namespace: tools }", "namespace: 7 }"],
  ])("everyone, where that cannot be read: %s -> %s", (piece, by) => {
    expect(about(broken(piece, by)).map(([, targets]) => targets)).toEqual(["all"]);
  });

  test("the servers it names also when nothing tells which document it is", () => {
    expect(about(broken("kind: MCPAccessPolicy", "kind: Policy"))).toEqual([[undefined, ["tools/everything"]]]);
    expect(about("just text\n")).toEqual([[undefined, "all"]]);
  });
});

const ten = (name: string) => `[ ${Array.from({ length: 10 }, () => name).join(", ")} ]`;

function bomb(): string {
  return `a: &a ${ten("x")}\nb: &b ${ten("*a")}\nc: &c ${ten("*b")}\nd: ${ten("*c")}\n`;
}
