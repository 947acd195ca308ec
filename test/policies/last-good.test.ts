import { describe, expect, test } from "vitest";
import { keepLastGood } from "../../src/policies/last-good.ts";
import type { Kept, LastGood } from "../../src/policies/last-good.ts";
import { formatProblem } from "../../src/policies/source.ts";
import { file, files, policy, server } from "./fixtures.ts";

/** Takes one set of files after the other and answers how it stands after the last. */
function after(...deliveries: readonly Readonly<Record<string, string>>[]): Kept {
  let lastGood: LastGood = new Map();
  let kept: Kept | undefined;
  for (const texts of deliveries) {
    kept = keepLastGood(lastGood, files(texts), { trustDomain: "cluster.local" });
    ({ lastGood } = kept);
  }
  if (kept === undefined) throw new Error("no delivery");
  return kept;
}

const names = (kept: Kept, ...tools: readonly string[]) =>
  tools.filter((tool) => kept.policies.isNamed("tools/everything", "tool", tool));

const invalidServers = ({ policies }: Kept) => policies.servers.filter((one) => one.invalid).map((one) => one.name);

const problems = (kept: Kept) => kept.problems.map(formatProblem);

const SERVERS = file(server("everything"), server("other"));
const START = { "a.yaml": file(policy("one", "echo"), policy("two", "add")), "s.yaml": SERVERS };
const WRONG = policy("one", "sum").replace("Allow", "allow");

describe("a document that was good", () => {
  test("is replaced by its next good version, and by nothing else", () => {
    const kept = after(START, { ...START, "a.yaml": file(policy("one", "sum"), policy("two", "add")) });
    expect(names(kept, "echo", "sum", "add")).toEqual(["sum", "add"]);
    expect(problems(kept)).toEqual([]);
  });

  test("stays when its next version is wrong, while its neighbour changes", () => {
    const kept = after(START, { ...START, "a.yaml": file(WRONG, policy("two", "sub")) });
    expect(names(kept, "echo", "sum", "add", "sub")).toEqual(["echo", "sub"]);
    expect(invalidServers(kept)).toEqual([]);
    expect(problems(kept)).toEqual(['a.yaml:7: spec.rules[0].action: must be one of "Allow", "Deny", but is "allow"']);
  });

  test("stays for as long as its next version is wrong", () => {
    const broken = { ...START, "a.yaml": file(WRONG, policy("two", "add")) };
    expect(names(after(START, broken, broken, broken), "echo", "sum", "add")).toEqual(["echo", "add"]);
  });

  test.each([
    ["an empty file", ""],
    ["a file with a comment only", "# soon\n"],
    ["a file that is not YAML", "a: [ b\n"],
    ["an empty document", "---\n"],
    ["a list", "- a\n"],
    ["a document without a name", policy("one", "sum").replace("name: one", "")],
    ["a document of an unknown kind", policy("one", "sum").replace("MCPAccessPolicy", "MCPPolicy")],
    ["a field written twice", `${policy("one", "sum")}kind: MCPServer\n`],
  ])("stays when its file becomes %s", (_what, text) => {
    const kept = after({ ...START, "a.yaml": policy("one", "echo") }, { ...START, "a.yaml": text });
    expect(names(kept, "echo", "sum")).toEqual(["echo"]);
    expect(invalidServers(kept)).toEqual([]);
    expect(kept.problems.length).toBeGreaterThan(0);
  });

  test("stays wherever its file is cut off, unless what is left is whole", () => {
    const whole = file(policy("one", "sum"), policy("two", "sub"));
    for (let length = 0; length < whole.trimEnd().length; length++) {
      const cut = whole.slice(0, length);
      // Only the quiet time before files are read guards against this one.
      if (cut.trimEnd() === policy("one", "sum").trimEnd()) continue;
      const kept = after(START, { ...START, "a.yaml": cut });
      expect([cut, names(kept, "add", "sub"), invalidServers(kept)]).toEqual([cut, ["add"], []]);
    }
  });

  test("is gone when it is taken out of a file that can be read", () => {
    expect(names(after(START, { ...START, "a.yaml": policy("two", "add") }), "echo", "add")).toEqual(["add"]);
  });

  test("is gone with its file", () => {
    const kept = after(START, { "s.yaml": SERVERS });
    expect(names(kept, "echo", "add")).toEqual([]);
    expect(problems(kept)).toEqual([]);
  });

  test("is gone with its file, also while another file is broken", () => {
    const kept = after({ ...START, "b.yaml": policy("three", "sum") }, { ...START, "a.yaml": "a: [" });
    expect(names(kept, "echo", "sum", "add")).toEqual(["echo", "add"]);
  });

  test("may move to another file, also when its old one becomes unreadable", () => {
    const kept = after(START, { "a.yaml": "a: [", "b.yaml": policy("one", "sum"), "s.yaml": SERVERS });
    expect(names(kept, "echo", "sum", "add")).toEqual(["sum", "add"]);
  });

  test("does not come back after it was taken out and something else went wrong", () => {
    const kept = after(START, { ...START, "a.yaml": policy("two", "add") }, { ...START, "a.yaml": "a: [" });
    expect(names(kept, "echo", "add")).toEqual(["add"]);
  });
});

describe("a document that never was good", () => {
  test("denies the servers that it names", () => {
    const kept = after({ ...START, "a.yaml": WRONG });
    expect(invalidServers(kept)).toEqual(["tools/everything"]);
    expect(kept.policies.counts.invalid).toBe(1);
  });

  test("denies no other server when the one that it names is not there", () => {
    const elsewhere = policy("three", "x", "nowhere").replace("Allow", "Maybe");
    const kept = after({ ...START, "b.yaml": elsewhere });
    expect(kept.policies.counts.invalid).toBe(1);
    expect(invalidServers(kept)).toEqual([]);
  });

  test("denies everything when nobody can tell whom it is about", () => {
    const kept = after({ ...START, "b.yaml": "a: [" });
    expect(invalidServers(kept)).toEqual(["tools/everything", "tools/other"]);
  });

  test("denies what it names also beside good documents of its file", () => {
    const nameless = policy("x", "y", "other").replace("MCPAccessPolicy", "Policy");
    const kept = after(START, { ...START, "a.yaml": file(START["a.yaml"], nameless) });
    expect(names(kept, "echo", "add")).toEqual(["echo", "add"]);
    expect(invalidServers(kept)).toEqual(["tools/other"]);
  });

  test("denies nothing when it is only an empty one between others", () => {
    const kept = after({ ...START, "a.yaml": `${START["a.yaml"]}---\n` });
    expect(invalidServers(kept)).toEqual([]);
    expect(kept.policies.counts.invalid).toBe(0);
    expect(problems(kept)).toEqual(['a.yaml:16: an empty document; write one, or take the line "---" away']);
  });

  test("no longer denies when it has been put right", () => {
    const kept = after({ ...START, "a.yaml": WRONG }, START);
    expect(invalidServers(kept)).toEqual([]);
    expect(names(kept, "echo")).toEqual(["echo"]);
  });
});

describe("two documents with one key", () => {
  const twice = { ...START, "b.yaml": policy("one", "sum") };

  test("are a problem of the later one", () => {
    expect(problems(after(START, twice))).toEqual([
      "b.yaml:1: metadata.name: MCPAccessPolicy tools/one is already in a.yaml:1; expected each document once",
    ]);
  });

  test("leave the last good version in force, whichever file comes first", () => {
    const kept = after(START, { "0.yaml": policy("one", "sum"), ...START });
    expect(names(kept, "echo", "sum")).toEqual(["echo"]);
    expect(invalidServers(kept)).toEqual([]);
  });

  test("deny whom both are about when neither was in force before", () => {
    const kept = after({ ...START, "b.yaml": policy("one", "sum", "other") });
    expect(invalidServers(kept)).toEqual(["tools/everything", "tools/other"]);
  });
});

describe("a document that has the right form and does not compile", () => {
  const METHOD = "{ tools: [ sum ], methods: [ tools/unknown ] }";
  const odd = policy("one", "sum").replace("{ tools: [ sum ] }", METHOD);

  test("leaves its last good version in force", () => {
    const kept = after(START, { ...START, "a.yaml": file(odd, policy("two", "sub")) });
    expect(names(kept, "echo", "sum", "sub")).toEqual(["echo", "sub"]);
    expect(invalidServers(kept)).toEqual([]);
    expect(problems(kept)).toEqual([
      expect.stringMatching(/^a\.yaml:7: spec\.rules\[0\]\.to\[0\]\.methods\[0\]: must be a method/),
    ]);
  });

  test("denies what it is about when it never was good", () => {
    const kept = after({ ...START, "a.yaml": odd });
    expect(invalidServers(kept)).toEqual(["tools/everything"]);
    expect(problems(kept)).toHaveLength(1);
  });

  test("is not taken for good by being delivered again", () => {
    const broken = { ...START, "a.yaml": file(odd, policy("two", "add")) };
    expect(names(after(START, broken, broken), "echo", "sum")).toEqual(["echo"]);
  });

  test("does not count as good for its file when that becomes unreadable", () => {
    expect(invalidServers(after({ ...START, "a.yaml": odd }, { ...START, "a.yaml": "a: [" }))).toEqual([
      "tools/everything",
      "tools/other",
    ]);
  });

  test.each(["a-thief", "z-thief"])("does not take requests from a server that was there before: %s", (name) => {
    const thief = server("everything").replace("name: everything", `name: ${name}`);
    const kept = after(START, { ...START, "t.yaml": thief });
    const owner = kept.policies.match({ route: undefined, host: undefined, path: "/everything" })?.server;
    expect([owner?.name, owner?.invalid]).toEqual(["tools/everything", false]);
    expect(problems(kept)).toContainEqual(expect.stringContaining("t.yaml:4: spec.match"));
  });
});

describe("a server that never was good", () => {
  const strict = server("strict").replace("{ path: /strict }", "{ host: strict.example, path: /everything }");
  const at = (kept: Kept, host: string) => {
    const found = kept.policies.match({ route: undefined, host, path: "/everything" })?.server;
    return [found?.name, found?.invalid];
  };

  test("denies the requests that would go to it, and leaves none to a broader server", () => {
    const wrong = strict.replace("spec: {", "spec: { answer: pass,");
    const kept = after({ ...START, "x.yaml": wrong });
    expect(at(kept, "strict.example")).toEqual(["tools/strict", true]);
    expect(at(kept, "other.example")).toEqual(["tools/everything", false]);
  });

  test("takes none from a server with the same match", () => {
    const wrong = server("everything")
      .replace("name: everything", "name: x")
      .replace("spec: {", "spec: { answer: pass,");
    const kept = after({ ...START, "x.yaml": wrong });
    expect(at(kept, "any.example")).toEqual(["tools/everything", false]);
  });

  test("denies everything where it cannot be read which requests those are", () => {
    const kept = after({ ...START, "x.yaml": strict.replace("path: /everything", "path: everything") });
    expect(invalidServers(kept)).toEqual(["tools/everything", "tools/other"]);
  });
});
