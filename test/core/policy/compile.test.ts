import { describe, expect, test } from "vitest";
import { isVisible } from "../../../src/core/policy/decide.ts";
import type { Server } from "../../../src/core/policy/policy-set.ts";
import { EMPTY_POLICY_SET } from "../../../src/core/policy/policy-set.ts";
import { READER } from "../../fixtures/identities.ts";
import {
  allow,
  compiled,
  deny,
  FROM_ANYONE,
  FROM_READER,
  policyDocument,
  serverDocument,
} from "../../fixtures/policies.ts";
import { prompt, resource, tool } from "../../fixtures/subjects.ts";

const ECHO = allow("echo", FROM_READER, { tools: ["echo"] });
const at = (policies: ReturnType<typeof compiled>["policies"], path: string): Server | undefined =>
  policies.match({ route: undefined, host: undefined, path })?.server;

describe("a Deny rule on a method that a name alone grants", () => {
  const ALL = allow("all", FROM_ANYONE, { tools: ["*"], prompts: ["*"], resources: ["*"] });
  const seen = (...methods: readonly string[]): readonly boolean[] => {
    const { policies } = compiled([
      serverDocument(),
      policyDocument("p", [ALL, deny("d", FROM_ANYONE, { methods: [...methods] })]),
    ]);
    const server = policies.match({ route: undefined, host: undefined, path: "/mcp" })?.server;
    return [tool("a"), prompt("a"), resource("x:/a"), resource("x:/../a")].map(
      (subject) => server !== undefined && isVisible(server, READER, subject),
    );
  };

  test.each([
    [["tools/call"], [false, true, true, true]],
    [["prompts/get"], [true, false, true, true]],
    [["resources/read"], [true, true, false, false]],
    [["tools/*"], [false, true, true, true]],
    [["*"], [false, false, false, false]],
    [
      ["tools/list", "completion/complete"],
      [true, true, true, true],
    ],
  ])("denies all that it could name: %j", (methods, expected) => {
    expect(seen(...methods)).toEqual(expected);
  });
});

describe("compile()", () => {
  test("counts what it was given", () => {
    const { policies, problems, warnings } = compiled(
      [serverDocument(), policyDocument("a", [ECHO]), policyDocument("b", [ECHO, { ...ECHO, name: "two" }])],
      [{ name: "MCPAccessPolicy other/x", targets: [], matches: [] }],
    );
    expect(policies.counts).toEqual({ servers: 1, policies: 2, rules: 3, invalid: 1 });
    expect([problems, warnings]).toEqual([[], []]);
  });

  test("names the rules that are in force, with what they do and whether they refuse", () => {
    const { policies } = compiled([
      serverDocument(),
      policyDocument("b", [ECHO, deny("no", FROM_ANYONE, { tools: ["x"] })], { mode: "Audit" }),
      policyDocument("a", [ECHO], { targets: ["elsewhere"] }),
      policyDocument("twice", [ECHO, ECHO]),
    ]);
    expect(policies.rules).toEqual([
      { policy: "tools/a", rule: "echo", action: "Allow", mode: "Enforce", servers: [] },
      { policy: "tools/b", rule: "echo", action: "Allow", mode: "Audit", servers: ["tools/everything"] },
      { policy: "tools/b", rule: "no", action: "Deny", mode: "Audit", servers: ["tools/everything"] },
    ]);
  });

  test("makes the same of the same documents in any order", () => {
    const documents = [
      serverDocument(),
      serverDocument("other", [{ path: "/other" }]),
      policyDocument("a", [ECHO]),
      policyDocument("b", [deny("d", FROM_ANYONE, { tools: ["echo"] })], { targets: ["other"] }),
    ];
    const [one, other] = [compiled(documents), compiled(documents.toReversed())];
    expect(one.policies.servers.map(({ name }) => name)).toEqual(other.policies.servers.map(({ name }) => name));
    expect(one.policies.counts).toEqual(other.policies.counts);
    for (const { policies } of [one, other]) {
      const server = at(policies, "/mcp");
      expect(server && isVisible(server, READER, tool("echo"))).toBe(true);
    }
  });

  test("cannot be changed afterwards", () => {
    expect(Object.isFrozen(compiled([]).policies)).toBe(true);
    expect(Object.isFrozen(EMPTY_POLICY_SET)).toBe(true);
  });

  test("knows which names policy names exactly: those may become labels", () => {
    const { policies } = compiled([
      serverDocument(),
      policyDocument("a", [allow("a", FROM_READER, { tools: ["echo", "get-*"], prompts: ["p"] })]),
      policyDocument("b", [deny("d", FROM_READER, { tools: ["gone"] })]),
      policyDocument("c", [deny("d", FROM_READER, { tools: ["trial"] })], { mode: "Audit" }),
    ]);
    const named = (name: string, kind: "tool" | "prompt" = "tool"): boolean =>
      policies.isNamed("tools/everything", kind, name);
    expect(["echo", "gone", "trial"].map((name) => named(name))).toEqual([true, true, true]);
    expect(["get-", "get-env", "get-*", "p", "constructor"].map((name) => named(name))).toEqual(Array(5).fill(false));
    expect(named("p", "prompt")).toBe(true);
    expect(policies.isNamed("tools/other", "tool", "echo")).toBe(false);
  });

  test("knows which servers ask for a JWT", () => {
    const wants = (...rules: Parameters<typeof policyDocument>[1]): boolean | undefined =>
      compiled([serverDocument(), policyDocument("a", rules)]).policies.servers[0]?.wantsUser;
    expect(wants(ECHO)).toBe(false);
    expect(wants(ECHO, allow("u", { jwt: { issuer: "i" } }, { tools: ["x"] }))).toBe(true);
  });

  test("has each server's options, and what they are where nothing is written", () => {
    const optionsOf = (...options: Parameters<typeof serverDocument>[2][]) => {
      const servers = options.map((one, i) => serverDocument(`s${i}`, [{ path: `/${i}` }], one));
      return compiled(servers).policies.servers.map(({ answers, batches, pins }) => [answers, batches, [...pins]]);
    };
    const sha256 = "0".repeat(64);
    expect(
      optionsOf({}, { answers: "pass" }, { batches: "judge", answers: "read" }, { pins: [{ tool: "a", sha256 }] }),
    ).toEqual([
      ["read", "refuse", []],
      ["pass", "refuse", []],
      ["read", "judge", []],
      ["read", "refuse", [["a", sha256]]],
    ]);
  });

  test("completes a service account with the trust domain, in the policy's own namespace for servers", () => {
    const { policies } = compiled([
      serverDocument(),
      { ...policyDocument("a", [ECHO]), metadata: { name: "a", namespace: "elsewhere" } },
    ]);
    const server = at(policies, "/mcp");
    expect(server && isVisible(server, READER, tool("echo"))).toBe(false);
  });
});

describe("compile() finds problems", () => {
  const problemsOf = (...documents: Parameters<typeof compiled>[0]): string[] =>
    compiled(documents).problems.map(({ document, path, message }) => `${document}: ${path} ${message}`);

  test("in a document that is written twice", () => {
    expect(problemsOf(serverDocument(), policyDocument("a", [ECHO]), policyDocument("a", [ECHO]))).toEqual([
      "MCPAccessPolicy tools/a: metadata.name MCPAccessPolicy tools/a is written twice",
    ]);
  });

  test("in a match that another server has, and then uses neither", () => {
    const documents = [
      serverDocument("a", [{ path: "/x" }, { path: "/a" }]),
      serverDocument("b", [{ path: "/b" }, { path: "/x" }]),
      policyDocument("p", [allow("all", FROM_ANYONE, { tools: ["*"] })], { targets: ["a", "b"] }),
    ];
    expect(problemsOf(...documents)).toEqual([
      "MCPServer tools/b: spec.match[1] must be unique, but MCPServer tools/a matches the same",
      "MCPServer tools/a: spec.match must be unique, but MCPServer tools/b matches the same",
    ]);
    const { policies } = compiled(documents);
    for (const path of ["/a", "/b", "/x"]) {
      const server = at(policies, path);
      expect(server && isVisible(server, READER, tool("echo")), path).toBe(false);
    }
    expect(policies.counts.invalid).toBe(2);
  });

  test("in rules of the same name, and in methods that nobody knows; the policy then denies what it is about", () => {
    const documents = [
      serverDocument(),
      policyDocument("a", [
        ECHO,
        allow("echo", FROM_READER, { tools: ["x"] }),
        allow("m", FROM_READER, { tools: ["x"] }, { methods: ["ping", "tools/run", "x*"] }),
      ]),
    ];
    expect(problemsOf(...documents)).toEqual([
      'MCPAccessPolicy tools/a: spec.rules[1].name must be unique in its policy, but "echo" is there already',
      'MCPAccessPolicy tools/a: spec.rules[2].to[1].methods[1] must be a method of MCP that this version knows, but is "tools/run"',
      'MCPAccessPolicy tools/a: spec.rules[2].to[1].methods[2] must be a method of MCP that this version knows, but is "x*"',
    ]);
    expect(compiled(documents).policies.servers[0]).toMatchObject({ invalid: true });
  });

  test("but none in a method that a server may ask for, or in a pattern that fits one", () => {
    const methods = ["*", "tools/*", "*/list", "sampling/createMessage", "elicitation/create", "roots/list", "ping"];
    expect(problemsOf(serverDocument(), policyDocument("a", [allow("m", FROM_READER, { methods })]))).toEqual([]);
  });
});

describe("compile() with documents that could not be used", () => {
  const documents = [
    serverDocument("a", [{ path: "/a" }]),
    serverDocument("b", [{ path: "/b" }]),
    policyDocument("p", [allow("all", FROM_ANYONE, { tools: ["*"] })], { targets: ["a", "b"] }),
  ];
  const invalidOnes = (targets: readonly string[] | "all"): string[] =>
    compiled(documents, [{ name: "x", matches: [], targets }])
      .policies.servers.filter(({ invalid }) => invalid)
      .map(({ name }) => name);

  test("marks the servers they are about, or all when that could not be read", () => {
    expect(invalidOnes([])).toEqual([]);
    expect(invalidOnes(["tools/b"])).toEqual(["tools/b"]);
    expect(invalidOnes(["tools/nobody"])).toEqual([]);
    expect(invalidOnes("all")).toEqual(["tools/a", "tools/b"]);
  });

  test("deny what would go to a server that is written in one, and nothing that goes to another", () => {
    const special = { name: "tools/special", targets: [], matches: [{ host: "special", path: "/a" }, { path: "/b" }] };
    const { policies } = compiled(documents, [special]);
    const found = (host: string, path: string) => policies.match({ route: undefined, host, path })?.server;
    expect(found("special", "/a")).toMatchObject({ name: "tools/special", invalid: true });
    expect(found("other", "/a")).toMatchObject({ name: "tools/a", invalid: false });
    expect(found("other", "/b")).toMatchObject({ name: "tools/b", invalid: false });
  });

  test("may hide a server when they name one that is not there beside one that is", () => {
    const nowhere = { route: undefined, host: undefined, path: "/elsewhere" };
    const mayBe = (...targets: readonly string[]): boolean =>
      compiled(documents, [{ name: "x", matches: [], targets }]).policies.mayBeServer(nowhere);
    expect([mayBe("tools/a"), mayBe("tools/a", "tools/nobody")]).toEqual([false, true]);
  });

  test("knows that a server may be hidden among them", () => {
    const ELSEWHERE = { route: "elsewhere", host: "elsewhere", path: "/elsewhere" };
    const hides = (targets: readonly string[] | "all"): boolean =>
      compiled(documents, [{ name: "x", matches: [], targets }]).policies.mayBeServer(ELSEWHERE);
    expect(hides("all")).toBe(true);
    expect(hides(["tools/c"])).toBe(true);
    expect(hides(["tools/a"])).toBe(false);
    expect(compiled(documents).policies.mayBeServer(ELSEWHERE)).toBe(false);
    expect(EMPTY_POLICY_SET.mayBeServer(ELSEWHERE)).toBe(true);
  });
});

test("the empty policy set knows no server and no name", () => {
  expect(EMPTY_POLICY_SET.match({ route: "r", host: "h", path: "/mcp" })).toBeUndefined();
  expect(EMPTY_POLICY_SET.isNamed("tools/everything", "tool", "echo")).toBe(false);
});
